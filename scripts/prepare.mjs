// SPDX-License-Identifier: Apache-2.0
// Makes a fresh clone ready: installs packages if they are not those of the lock file, and compiles what has changed.
// With --lab it also refuses, in one sentence, a machine on which private engines and registries cannot run.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const lowest = [20, 19];

const version = process.versions.node.split(".").map(Number);
if (version[0] < lowest[0] || (version[0] === lowest[0] && version[1] < lowest[1])) {
  stop(`layerwise needs Node ${lowest.join(".")} or later, and this is ${process.versions.node}`);
}
if (process.argv.includes("--lab")) requireLab();
if (!isInstalled()) run("npm", ["ci", "--no-audit", "--no-fund"]);
run("npm", ["run", "--silent", "build"]);

/** Engines and registries of our own come from Debian packages and live in namespaces. */
function requireLab() {
  const isRoot = process.getuid?.() === 0;
  let isDebian = false;
  try {
    isDebian = /^(?:ID|ID_LIKE)=.*debian/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    // No such file: not Debian.
  }
  if (!isRoot || !isDebian) {
    stop(
      "this starts private engines and registries, and for that needs root on Debian (in a container: --privileged, and a volume that LAYERWISE_LAB names); `npm run test:unit` runs everywhere",
    );
  }
}

function isInstalled() {
  try {
    // npm writes it last, and a lock file that is newer belongs to other packages.
    return statSync(`${root}node_modules/.package-lock.json`).mtimeMs >= statSync(`${root}package-lock.json`).mtimeMs;
  } catch {
    return false;
  }
}

function run(program, args) {
  try {
    execFileSync(program, args, { cwd: root, stdio: ["ignore", 2, 2] });
  } catch (error) {
    // What is half installed must not look installed next time.
    if (args[0] === "ci") rmSync(`${root}node_modules/.package-lock.json`, { force: true });
    stop(`could not run ${program} ${args.join(" ")}: ${error.message}`);
  }
}

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
