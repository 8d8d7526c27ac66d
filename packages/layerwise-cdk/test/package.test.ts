// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { makeFolder, writeFiles } from "./context.ts";

const home = fileURLToPath(new URL("..", import.meta.url));
const root = join(home, "../..");
const modules = join(root, "node_modules");

it("has bindings for Python that compile, and that the calls of the example fit", () => {
  const out = makeFolder();

  generate(["python"], out);
  execFileSync("python3", [
    "-m",
    "compileall",
    "-q",
    join(out, "python/src"),
    join(root, "examples/cdk-lambda-pipeline/python"),
  ]);

  const bindings = join(out, "python/src/layerwise_cdk/__init__.py");
  const module = readFileSync(bindings, "utf8");
  const classes = [...module.matchAll(/^class (\w+)/gm)].map(([, name]) => name);
  for (const name of ["ImageBuildStep", "ImagePromotionStep", "ImagePublishRole", "BuildSecret", "BuildCompute"]) {
    expect(classes).toContain(name);
  }
  const example = readFileSync(join(root, "examples/cdk-lambda-pipeline/python/app.py"), "utf8");
  writeFiles(out, { "app.py": example, "wrong.py": example.replace("from_=dev, ", "") });
  const callsIn = (program: string) =>
    execFileSync("python3", [join(home, "test/check_calls.py"), bindings, join(out, program)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  expect(callsIn("app.py").trim().split("\n").sort()).toEqual([
    "ImageBuilds.promotion_steps",
    "ImageBuilds.stack_steps",
    "ImageRepository.__init__",
    "LayerwiseImage.__init__",
    "LayerwiseImage.to_lambda_code",
  ]);
  expect(() => callsIn("wrong.py")).toThrow("missing a required argument: 'from_'");
});

it("has bindings for Java, .NET and Go", () => {
  const out = makeFolder();

  generate(["java", "dotnet", "go"], out);

  const files = readdirSync(out, { recursive: true, encoding: "utf8" });
  for (const file of [
    /java\/.*\/LayerwiseImage\.java$/,
    /dotnet\/.*\/LayerwiseImage\.cs$/,
    /go\/.*\/LayerwiseImage\.go$/,
  ]) {
    expect(files.filter((path) => file.test(path))).toHaveLength(1);
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

/** Makes the code of bindings. */
function generate(targets: readonly string[], out: string): void {
  const pacmak = join(modules, "jsii-pacmak/bin/jsii-pacmak");
  execFileSync(process.execPath, [pacmak, "--code-only", "--outdir", out, home, "--targets", ...targets], {
    stdio: ["ignore", "ignore", "pipe"],
  });
}

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
