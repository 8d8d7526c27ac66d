// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { isLayerwiseError } from "../error.ts";
import type { Report } from "../report/report.ts";
import { writeText } from "./report-file.ts";

/** A file that a CI system reads. */
export interface CiFile {
  readonly path: string;
  readonly text: string;
  readonly append: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What a build hands to the CI system that it runs in, by its environment variables: GitHub's outputs, GitLab's dotenv
 * file, variables for CodeBuild to export. Pure.
 */
export function ciOutputs(report: Report, env: Environment): readonly CiFile[] {
  const files: CiFile[] = [];
  const values = outputsOf(report);
  const githubOutput = given(env, "GITHUB_OUTPUT");
  if (githubOutput !== undefined) {
    const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
    files.push({ path: githubOutput, text: lines.join(""), append: true });
  }
  const variables = Object.entries(values).map(([name, value]): [string, string] => [
    `LAYERWISE_${name.toUpperCase().replaceAll("-", "_")}`,
    value,
  ]);
  const project = given(env, "GITLAB_CI") === undefined ? undefined : given(env, "CI_PROJECT_DIR");
  if (project !== undefined) {
    const path = given(env, "LAYERWISE_DOTENV") ?? join(project, "layerwise.env");
    files.push({ path, text: variables.map(([name, value]) => `${name}=${value}\n`).join(""), append: false });
  }
  if (given(env, "CODEBUILD_BUILD_ID") !== undefined) {
    const path = given(env, "LAYERWISE_DOTENV") ?? join(given(env, "TMPDIR") ?? "/tmp", "layerwise.env");
    files.push({ path, text: variables.map(([name, value]) => `export ${name}='${value}'\n`).join(""), append: false });
  }
  return files;
}

/** The page on which GitHub shows a summary of a job; undefined elsewhere. */
export function summaryFile(env: Environment): string | undefined {
  return given(env, "GITHUB_STEP_SUMMARY");
}

/** Writes what CI reads. The image is where it should be, so that a failure is only told. */
export async function writeCiFiles(files: readonly CiFile[], warn: (message: string) => void): Promise<void> {
  for (const { path, text, append } of files) {
    try {
      await writeText(path, text, { append });
    } catch (error) {
      if (!isLayerwiseError(error)) throw error;
      warn(error.message);
    }
  }
}

function outputsOf({ image, route, seconds }: Report): Readonly<Record<string, string>> {
  const [reference] = image.references;
  const values: Record<string, string | undefined> = {
    digest: image.digest,
    "image-id": image.id,
    route,
    reference,
    "content-tag": image.contentTag,
    seconds: String(seconds.total),
  };
  // A line break or a quote would be read as something else; none of these has one.
  const plain = Object.entries(values).filter(([, value]) => value !== undefined && !/[\r\n']/.test(value));
  return Object.fromEntries(plain) as Record<string, string>;
}

function given(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}
