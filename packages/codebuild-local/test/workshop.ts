// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { type BuildOptions, type BuildResult, type Project, renderEvent, runBuild } from "../src/index.ts";

/** A build that has ended, with what it wrote. */
export interface Built {
  readonly result: BuildResult;
  readonly log: string;
  /** Where artifacts and reports went. */
  readonly output: string;
}

/** What is special about a build. */
export interface BuildPlan {
  readonly files?: Readonly<Record<string, string>> | undefined;
  readonly project?: Partial<Project> | undefined;
  readonly options?: Partial<BuildOptions> | undefined;
}

const local: Project = {
  name: "app",
  buildspec: { path: "buildspec.yml" },
  variables: [],
  compute: { kind: "ec2", privileged: true, image: "standard" },
  timeoutMinutes: 5,
  secondaryArtifacts: [],
};

/** Makes a folder with files; it ends with the test. */
export async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "codebuild-local-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

/** Runs a buildspec. */
export async function build(
  buildspec: string,
  { files = {}, project = {}, options = {} }: BuildPlan = {},
): Promise<Built> {
  const source = await folderWith({ "buildspec.yml": buildspec, ...files });
  const [output, scratch] = [await folderWith({}), await folderWith({})];
  let log = "";
  const result = await runBuild({
    project: { ...local, ...project },
    source,
    machine: { PATH: process.env["PATH"] ?? "" },
    values: {
      parameter: async (name) => `parameter ${name}`,
      secret: async ({ id, jsonKey }) => `secret ${id} ${jsonKey}`,
    },
    output,
    scratch,
    emit: (event) => {
      log += renderEvent(event, new Date(0));
    },
    ...options,
  });
  return { result, log, output };
}

/** The lines of a log that commands wrote. */
export function written(log: string): readonly string[] {
  return log.split("\n").filter((line) => line !== "" && !line.startsWith("[Container]"));
}
