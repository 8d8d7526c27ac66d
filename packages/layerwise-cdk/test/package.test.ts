// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { makeFolder, writeFiles } from "./context.ts";

const home = fileURLToPath(new URL("..", import.meta.url));
const root = join(home, "../..");
const modules = join(root, "node_modules");

it("has bindings for Python that compile", () => {
  const out = makeFolder();
  const pacmak = join(modules, "jsii-pacmak/bin/jsii-pacmak");

  execFileSync(process.execPath, [pacmak, "--code-only", "--targets", "python", "--outdir", out, home], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  execFileSync("python3", [
    "-m",
    "compileall",
    "-q",
    join(out, "python/src"),
    join(root, "examples/cdk-lambda-pipeline/python"),
  ]);

  const module = readFileSync(join(out, "python/src/layerwise_cdk/__init__.py"), "utf8");
  const classes = [...module.matchAll(/^class (\w+)/gm)].map(([, name]) => name);
  for (const name of ["ImageRepository", "LayerwiseImage", "ImageBuildStep", "ImageBuilds", "ImagePromotionStep"]) {
    expect(classes).toContain(name);
  }
  // What the example in Python calls.
  for (const name of ["def stack_steps", "def promotion_steps", "from_: ", "def to_lambda_code", "cloud_assembly: "]) {
    expect(module).toContain(name);
  }
});

it("has an example in its README that compiles", () => {
  const readme = readFileSync(join(home, "README.md"), "utf8");
  const examples = [...readme.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = ""]) => code);
  const folder = makeFolder();
  symlinkSync(modules, join(folder, "node_modules"));
  writeFiles(folder, {
    "package.json": '{ "type": "module" }',
    ...Object.fromEntries(examples.map((code, index) => [`example-${index}.ts`, code])),
  });

  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2023"];
  const files = examples.map((_, index) => join(folder, `example-${index}.ts`));
  const tsc = () =>
    execFileSync(process.execPath, [join(modules, "typescript/bin/tsc"), ...options, "--types", "node", ...files], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });

  expect(examples.length).toBeGreaterThan(0);
  expect(outputOf(tsc)).toBe("");
});

it("has tests whose types are right", () => {
  const tsc = () =>
    execFileSync(process.execPath, [join(modules, "typescript/bin/tsc"), "-p", join(home, "tsconfig.test.json")], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });

  expect(outputOf(tsc)).toBe("");
});

/** What a compiler says, whether it succeeds or not. */
function outputOf(run: () => string): string {
  try {
    return run();
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    if (`${stdout}${stderr}` === "") throw error;
    return `${stdout}${stderr}`;
  }
}
