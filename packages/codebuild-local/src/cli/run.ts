// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { awsValues } from "../aws-values.ts";
import { CodeBuildLocalError } from "../error.ts";
import { defaultAccount, defaultTimeoutMinutes, type Project, type Variable } from "../project.ts";
import { renderEvent } from "../render-event.ts";
import { runBuild } from "../run-build.ts";
import type { Template, TemplateValues } from "../template/intrinsics.ts";
import { buildActionsIn, withPipelineVariables } from "../template/read-action.ts";
import { findProject, readProject } from "../template/read-project.ts";
import { type Arguments, help, readArguments } from "./arguments.ts";

/** What a run of the command line reaches of the process that it is in. */
export interface CliIo {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Runs the command line and returns the exit code. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    const given = readArguments(argv);
    if (given === "help") return print(io, help);
    if (given === "version") return print(io, `${await ownVersion()}\n`);
    return await build(given, io);
  } catch (error) {
    if (!(error instanceof CodeBuildLocalError)) throw error;
    io.error(`error ${error.code}: ${error.message}\n${error.hint === undefined ? "" : `  hint: ${error.hint}\n`}`);
    return 2;
  }
}

function print(io: CliIo, text: string): number {
  io.out(text);
  return 0;
}

async function ownVersion(): Promise<string> {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
}

async function build(given: Arguments, io: CliIo): Promise<number> {
  const region = given.region ?? io.environment["AWS_REGION"] ?? "us-east-1";
  const account = given.account ?? defaultAccount;
  const { project, variables } = await projectOf(given, { account, region, given: given.values });
  const result = await runBuild({
    project: { ...project, ...overridden(project, given) },
    source: resolve(given.source),
    secondarySources: given.secondarySources,
    variables: [...variables, ...plain(given.variables)],
    buildspecOverride: given.buildspec === undefined ? undefined : await textOf(given.buildspec, "the buildspec"),
    identity: { account, region, sourceVersion: given.sourceVersion, resolvedSourceVersion: given.sourceVersion },
    machine: Object.fromEntries(
      Object.entries(io.environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    values: awsValues(region),
    output: given.output === undefined ? undefined : resolve(given.output),
    keep: given.keep,
    emit: (event) => io.out(renderEvent(event, new Date())),
    signal: io.signal,
  });
  if (given.result !== undefined) await writeFile(given.result, `${JSON.stringify(result, undefined, 2)}\n`);
  io.out(`build ${result.id} ${result.status}\n`);
  if (result.status === "STOPPED") return 130;
  return result.status === "SUCCEEDED" ? 0 : 1;
}

function plain(variables: Readonly<Record<string, string>>): readonly Variable[] {
  return Object.entries(variables).map(([name, value]) => ({ name, value, type: "PLAINTEXT" }));
}

function overridden(
  { compute, timeoutMinutes }: Project,
  given: Arguments,
): Pick<Project, "compute" | "timeoutMinutes"> {
  const kind = given.compute === "privileged" ? "ec2" : (given.compute ?? compute.kind);
  const privileged = given.compute === undefined ? compute.privileged : given.compute === "privileged";
  return { compute: { ...compute, kind, privileged }, timeoutMinutes: given.timeout ?? timeoutMinutes };
}

/** The project, and the variables that the action of a pipeline gives it. */
async function projectOf(
  given: Arguments,
  values: TemplateValues,
): Promise<{ readonly project: Project; readonly variables: readonly Variable[] }> {
  if (given.template === undefined || given.project === undefined) {
    const compute = { kind: "ec2", privileged: true, image: "local" } as const;
    const buildspec = { path: "buildspec.yml" };
    const [name, timeoutMinutes] = ["local", defaultTimeoutMinutes];
    return {
      project: { name, buildspec, variables: [], compute, timeoutMinutes, secondaryArtifacts: [] },
      variables: [],
    };
  }
  const template = await templateIn(given.template);
  const project = readProject(template, { wanted: given.project, values });
  const [id] = findProject(template, given.project);
  const action = buildActionsIn(template, values).find((one) => one.project === id);
  return { project, variables: withPipelineVariables(action?.variables ?? [], given.pipelineVariables) };
}

async function templateIn(file: string): Promise<Template> {
  const text = await textOf(file, "the template");
  try {
    return JSON.parse(text) as Template;
  } catch (cause) {
    throw new CodeBuildLocalError("TEMPLATE", `could not read the template ${file}: it is no JSON`, {
      hint: "name a template that `cdk synth` wrote, as cdk.out/STACK.template.json",
      cause,
    });
  }
}

async function textOf(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new CodeBuildLocalError("USAGE", `could not read ${what} ${file}: ${(cause as NodeJS.ErrnoException).code}`, {
      cause,
    });
  }
}
