// SPDX-License-Identifier: Apache-2.0
// Bundles the command line into dist/bundle: one small file to start with, and chunks that are loaded when needed.
import { readFile, rm } from "node:fs/promises";
import { build } from "esbuild";

const home = new URL(".", import.meta.url);
const { version } = JSON.parse(await readFile(new URL("package.json", home), "utf8"));
const outdir = new URL("dist/bundle/", home).pathname;

await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: {
    layerwise: new URL("src/cli/main.ts", home).pathname,
    "digest-worker": new URL("src/system/digest-worker.ts", home).pathname,
    "layerwise-docker": new URL("src/cli/docker-main.ts", home).pathname,
  },
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  minify: true,
  legalComments: "none",
  define: { "process.env.LAYERWISE_VERSION": JSON.stringify(version) },
  // Packages in CommonJS call require for Node's own modules.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
});
