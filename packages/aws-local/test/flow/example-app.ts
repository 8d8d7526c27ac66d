// SPDX-License-Identifier: Apache-2.0
import { chmod, cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Template } from "codebuild-local";
import { run } from "../../../lab/src/index.ts";
import type { AwsLocal } from "../../src/index.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const example = join(root, "examples/cdk-lambda-pipeline");
const runner = join(root, "packages/layerwise-cdk/dist/assets/layerwise-build.mjs");
const layerwise = join(root, "packages/layerwise/dist/bundle/layerwise.js");

/** A copy of the example, as a team would have it. */
export interface ExampleApp {
  /** The root of the source. */
  readonly folder: string;
  /** Changes a file of the image. */
  write(path: string, content: string): Promise<void>;
  /** Synthesizes it with the CDK CLI. */
  synth(): Promise<{ readonly assembly: string; readonly template: Template }>;
}

/** What the copy lives with. */
export interface ExampleOptions {
  readonly aws: AwsLocal;
  readonly folder: string;
  /** The image that stands for Lambda's own base. */
  readonly base: string;
}

/** Copies the example, compiles it, and locks its base image. */
export async function copyExample({ aws, folder, base }: ExampleOptions): Promise<ExampleApp> {
  const env = {
    ...aws.environment(),
    PATH: process.env["PATH"],
    HOME: folder,
    CI: "true",
    CDK_DISABLE_CLI_TELEMETRY: "true",
    // Ten seconds for each app; the constructs' own tests have it.
    CDK_VALIDATION: "false",
  };
  await cp(example, folder, {
    recursive: true,
    filter: (path) => !/\/(?:node_modules|dist|cdk\.out)(?:\/|$)/.test(path),
  });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await run([join(root, "node_modules/.bin/tsc"), "-p", folder], { cwd: folder, env });
  await run([process.execPath, runner, "cli", "lock", join(folder, "image"), "--build-arg", `BASE=${base}`], {
    cwd: folder,
    env,
  });
  let count = 0;
  return {
    folder,
    write: async (path, content) => await writeFile(join(folder, "image", path), content),
    async synth() {
      count += 1;
      const assembly = `${folder}-assembly-${count}`;
      const context = [`baseImage=${base}`, `layerwise:source-root=${folder}`].flatMap((pair) => ["--context", pair]);
      const flags = ["--output", assembly, "--quiet", "--no-notices", "--no-version-reporting", ...context];
      await run([join(root, "node_modules/.bin/cdk"), "synth", ...flags], { cwd: folder, env });
      const text = await readFile(join(assembly, "OrdersPipeline.template.json"), "utf8");
      return { assembly, template: JSON.parse(text) as Template };
    },
  };
}

/** Stands for pip in a base that has no Python: makes a folder for each requirement. */
const pip = `#!/bin/sh
# pip3 install --no-deps -r FILE --target FOLDER
set -e
while read -r requirement; do
  name=\${requirement%%==*}
  mkdir -p "$6/$name"
  echo "version = '\${requirement##*==}'" > "$6/$name/__init__.py"
done < "$4"
`;

/** Makes the base of a function on top of a small image, with layerwise and without an engine. */
export async function makeBase(from: string, { aws, folder, base }: ExampleOptions): Promise<void> {
  const context = `${folder}-base`;
  await mkdir(context, { recursive: true });
  const dockerfile = `FROM ${from}\nENV LAMBDA_TASK_ROOT=/var/task\nWORKDIR /var/task\nCOPY pip3 /usr/local/bin/\n`;
  await writeFile(join(context, "Dockerfile"), dockerfile);
  await writeFile(join(context, "pip3"), pip);
  await chmod(join(context, "pip3"), 0o755);
  const env = { ...aws.environment(), PATH: "/nonexistent", HOME: folder };
  await run([process.execPath, layerwise, "build", "--push", "-t", base, "--checkpoints", "none", context], { env });
  await rm(context, { recursive: true });
}
