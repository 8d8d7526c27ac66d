// SPDX-License-Identifier: Apache-2.0
// Makes the published package: the runner with the command line inside as one file (dist/assets), and the constructs by
// jsii (dist/lib and .jsii). jsii takes seconds, so it runs only if what it reads has changed.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const home = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);

await bundleRunner();
compileConstructs();

/** One file that needs nothing but Node: it unpacks the command line into a temporary folder and starts it from there. */
async function bundleRunner() {
  const bundle = join(require.resolve("layerwise/package.json"), "../dist/bundle");
  await build({
    entryPoints: [join(home, "runner/main.ts")],
    outfile: join(home, "dist/assets/layerwise-build.mjs"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    minify: true,
    legalComments: "none",
    define: { LAYERWISE_CLI: JSON.stringify(packed(bundle)) },
    // Packages in CommonJS call require for Node's own modules.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
}

/** The files of a folder: gzip of JSON, name to content, in base64. */
function packed(folder) {
  const names = readdirSync(folder).sort();
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  return gzipSync(JSON.stringify(files), { level: 9 }).toString("base64");
}

function compileConstructs() {
  const stamp = join(home, "dist/jsii-inputs");
  const inputs = digestOfInputs();
  const isDone = existsSync(stamp) && readFileSync(stamp, "utf8") === inputs && existsSync(join(home, ".jsii"));
  if (isDone) return;
  execFileSync(
    process.execPath,
    [
      require.resolve("jsii/bin/jsii"),
      "--silence-warnings=reserved-word",
      "--silence-warnings=metadata/missing-dev-dependency",
    ],
    {
      cwd: home,
      stdio: ["ignore", 2, 2],
    },
  );
  mkdirSync(join(home, "dist"), { recursive: true });
  writeFileSync(stamp, inputs);
}

function digestOfInputs() {
  const hash = createHash("sha256").update(readFileSync(join(home, "package.json")));
  for (const path of readdirSync(join(home, "src"), { recursive: true, encoding: "utf8" }).sort()) {
    if (path.endsWith(".ts")) hash.update(`\n${path}\n`).update(readFileSync(join(home, "src", path)));
  }
  for (const name of ["README.md", "../../package-lock.json"]) hash.update(readFileSync(join(home, name)));
  return hash.digest("hex");
}
