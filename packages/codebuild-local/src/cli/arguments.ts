// SPDX-License-Identifier: Apache-2.0
import { type ParseArgsConfig, parseArgs } from "node:util";
import { CodeBuildLocalError } from "../error.ts";

/** What the command line asks for. */
export interface Arguments {
  readonly source: string;
  readonly secondarySources: Readonly<Record<string, string>>;
  readonly buildspec: string | undefined;
  readonly template: string | undefined;
  readonly project: string | undefined;
  readonly values: Readonly<Record<string, string>>;
  readonly pipelineVariables: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
  readonly output: string | undefined;
  readonly compute: "ec2" | "privileged" | "lambda" | undefined;
  readonly region: string | undefined;
  readonly account: string | undefined;
  readonly sourceVersion: string | undefined;
  readonly timeout: number | undefined;
  readonly result: string | undefined;
  readonly keep: boolean;
}

const options = {
  source: { type: "string", short: "s" },
  "secondary-source": { type: "string", multiple: true },
  buildspec: { type: "string", short: "b" },
  template: { type: "string", short: "t" },
  project: { type: "string", short: "p" },
  value: { type: "string", multiple: true },
  "pipeline-variable": { type: "string", multiple: true },
  env: { type: "string", short: "e", multiple: true },
  output: { type: "string", short: "o" },
  compute: { type: "string" },
  region: { type: "string" },
  account: { type: "string" },
  "source-version": { type: "string" },
  timeout: { type: "string" },
  result: { type: "string" },
  keep: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const satisfies ParseArgsConfig["options"];

/** What `--help` prints. */
export const help: string = `Usage: codebuild-local [options]

Runs a buildspec (version 0.2) on this machine as an AWS CodeBuild project would, in a folder of its own.

Options:
  -s, --source DIR                the primary source, which is copied (default: .)
      --secondary-source ID=DIR   a secondary source; again for each
  -b, --buildspec FILE            the buildspec, instead of the project's or buildspec.yml in the source
  -t, --template FILE             a synthesized CloudFormation template that has the project
  -p, --project NAME              the project in it, by logical ID or name
      --value NAME=VALUE          a value of the template: a parameter, a logical ID, LOGICAL_ID.ATTRIBUTE or an export
      --pipeline-variable N.V=X   a variable of the pipeline that starts the project
  -e, --env NAME=VALUE            a variable of this build, over all others
  -o, --output DIR                where artifacts and reports go
      --compute KIND              ec2, privileged or lambda, instead of the project's
      --region REGION             (default: AWS_REGION or us-east-1)
      --account ID                twelve digits (default: 111122223333)
      --source-version VERSION    the commit, for CODEBUILD_RESOLVED_SOURCE_VERSION
      --timeout MINUTES           instead of the project's
      --result FILE               how the build ended, as JSON
      --keep                      leaves the folder of the build behind
  -h, --help                      prints this
      --version                   prints the version

Exit code: 0 succeeded, 1 failed, 2 wrong usage or input, 130 interrupted.
`;

/**
 * Reads the command line; `help` or `version` if that is asked for.
 *
 * @throws {CodeBuildLocalError} USAGE
 */
export function readArguments(argv: readonly string[]): Arguments | "help" | "version" {
  const values = parsed(argv);
  if (values.help === true) return "help";
  if (values.version === true) return "version";
  const { compute, timeout, template, project } = values;
  if (compute !== undefined && compute !== "ec2" && compute !== "privileged" && compute !== "lambda") {
    throw usage(`--compute is ${compute}`, "use ec2, privileged or lambda");
  }
  if (timeout !== undefined && !(Number(timeout) > 0))
    throw usage(`--timeout is ${timeout}`, "give minutes, as --timeout 15");
  if ((template === undefined) !== (project === undefined)) {
    throw usage("--template and --project belong together", "give both, or neither");
  }
  return {
    source: values.source ?? ".",
    secondarySources: pairs("secondary-source", values["secondary-source"]),
    buildspec: values.buildspec,
    template,
    project,
    values: pairs("value", values.value),
    pipelineVariables: pairs("pipeline-variable", values["pipeline-variable"]),
    variables: pairs("env", values.env),
    output: values.output,
    compute,
    region: values.region,
    account: values.account,
    sourceVersion: values["source-version"],
    timeout: timeout === undefined ? undefined : Number(timeout),
    result: values.result,
    keep: values.keep ?? false,
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    throw usage((cause as Error).message.split(". ")[0] ?? "", "see codebuild-local --help");
  }
}

function pairs(flag: string, given: readonly string[] = []): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw usage(`--${flag} is ${pair}`, `write --${flag} NAME=VALUE`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function usage(why: string, hint: string): CodeBuildLocalError {
  return new CodeBuildLocalError("USAGE", `could not read the command line: ${why}`, { hint });
}
