// SPDX-License-Identifier: Apache-2.0
import { execFile, spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { publint } from "publint";
import { describe, expect, it } from "vitest";
import { folderWith } from "./workshop.ts";

const packageFolder = fileURLToPath(new URL("../", import.meta.url));
const program = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const execute = promisify(execFile);

describe("the package", () => {
  it("holds what users need, and no sources, tests or maps", async () => {
    const { stdout } = await execute("npm", ["pack", "--json", "--dry-run"], { cwd: packageFolder });

    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const packed = files.map(({ path }) => path);
    const allowed = /^(?:package\.json|README\.md|LICENSE|dist\/.+\.(?:js|d\.ts))$/;
    expect(packed).toEqual(
      expect.arrayContaining(["LICENSE", "README.md", "dist/index.d.ts", "dist/index.js", "dist/cli/main.js"]),
    );
    expect(packed.filter((path) => !allowed.test(path) || path.includes(".test."))).toEqual([]);
  });

  it("is one that package managers and bundlers can use", async () => {
    const { messages } = await publint({ pkgDir: packageFolder, pack: false });

    expect(messages.filter(({ type }) => type !== "suggestion")).toEqual([]);
  });
});

describe("the program", () => {
  it("ends with the build that it runs when it is told to, and leaves nothing behind", async () => {
    const source = await folderWith({
      "buildspec.yml": "version: 0.2\nphases: { build: { commands: [echo ready && sleep 600] } }",
    });
    const scratch = await folderWith({});
    const env = { PATH: process.env["PATH"] ?? "", TMPDIR: scratch };
    const child = spawn(process.execPath, [program, "--source", source], { env });
    let out = "";

    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString("utf8");
      // Once: the second signal would not wait for the build.
      if (out.includes("\nready\n") && !child.killed) child.kill("SIGTERM");
    });
    const code = await new Promise((resolve) => child.once("close", resolve));

    expect(code).toBe(130);
    expect(out).toMatch(/\nbuild local:[0-9a-f-]+ STOPPED\n$/);
    expect(await readdir(scratch)).toEqual([]);
  });
});
