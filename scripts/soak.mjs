// SPDX-License-Identifier: Apache-2.0
// Runs the soak (packages/layerwise/test/soak): bundled, since Node 20 reads no TypeScript.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const folder = mkdtempSync(join(tmpdir(), "layerwise-soak-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const program = join(folder, "soak.mjs");

/** What a module finds beside itself stays where it is. */
const ownPlaces = {
  name: "own-places",
  setup({ onLoad }) {
    onLoad({ filter: /\/packages\/[^/]+\/(?:src|test)\/.*\.ts$/ }, ({ path }) => ({
      loader: "ts",
      contents: readFileSync(path, "utf8").replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
    }));
  },
};

await build({
  entryPoints: [fileURLToPath(new URL("../packages/layerwise/test/soak/main.ts", import.meta.url))],
  outfile: program,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  sourcemap: "inline",
  logLevel: "error",
  plugins: [ownPlaces],
  // Packages in CommonJS call require for Node's own modules.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
});
await import(pathToFileURL(program).href);
