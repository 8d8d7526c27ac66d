// SPDX-License-Identifier: Apache-2.0
import { BuildSpec } from "aws-cdk-lib/aws-codebuild";

/** What a build tells the pipeline. */
export const exportedVariables: readonly string[] = [
  "LAYERWISE_DIGEST",
  "LAYERWISE_TAG",
  "LAYERWISE_REUSED_BYTES",
  "LAYERWISE_ENGINE_USED",
];

/** Paths in a build, as its shell sees them. */
export interface RunnerCommand {
  /** The runner's file. */
  readonly runner: string;
  /** What the runner is told. */
  readonly words: readonly string[];
}

/** Shell commands that run the runner and take over the variables that it writes. */
export function runnerCommands({ runner, words }: RunnerCommand): string[] {
  const outputs = "LAYERWISE_OUTPUTS";
  return [
    `export ${outputs}="$(mktemp)"`,
    `node ${quoted(runner)} ${words.map(quoted).join(" ")} --outputs "$${outputs}"`,
    `. "$${outputs}"`,
  ];
}

/** What a build specification depends on besides the commands. */
export interface BuildSpecOptions {
  readonly exported: readonly string[];
  /** Whether Node.js must be asked for; images of AWS Lambda have the one that they are named after. */
  readonly needsRuntime: boolean;
}

/** The build specification of a project of ours. https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html */
export function buildSpecOf(commands: readonly string[], { exported, needsRuntime }: BuildSpecOptions): BuildSpec {
  return BuildSpec.fromObject({
    version: "0.2",
    env: { shell: "bash", "exported-variables": exported },
    phases: {
      ...(needsRuntime ? { install: { "runtime-versions": { nodejs: "22" } } } : {}),
      build: { commands },
    },
  });
}

/** A word in double quotes: variables are still expanded. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `"${word.replace(/(["`\\])/g, "\\$1")}"`;
}
