// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { AwsError } from "./error.ts";
import type { Caller } from "./signature.ts";

/** An environment variable of a build. */
export interface BuildVariable {
  readonly name: string;
  readonly value: string;
  readonly type: "PLAINTEXT" | "PARAMETER_STORE" | "SECRETS_MANAGER";
}

/** What StartBuild asked for, in the words of its API. */
export interface BuildRequest {
  /** `PROJECT:UUID`. */
  readonly id: string;
  readonly arn: string;
  readonly number: number;
  readonly account: string;
  readonly region: string;
  /** The ARN of whoever started it. */
  readonly initiator: string;
  readonly environmentVariablesOverride: readonly BuildVariable[];
  readonly sourceVersion: string | undefined;
  readonly sourceTypeOverride: string | undefined;
  readonly sourceLocationOverride: string | undefined;
  readonly secondarySourcesOverride: readonly {
    readonly type: string;
    readonly location?: string;
    readonly sourceIdentifier?: string;
  }[];
  readonly buildspecOverride: string | undefined;
  readonly timeoutInMinutesOverride: number | undefined;
}

/** A phase as BatchGetBuilds tells it. Times are milliseconds since 1970. */
export interface BuildPhase {
  readonly phaseType: string;
  readonly phaseStatus?: string | undefined;
  readonly startTime: number;
  readonly endTime?: number | undefined;
  readonly contexts?: readonly { readonly statusCode: string; readonly message: string }[] | undefined;
}

/** How a build ended. */
export interface BuildOutcome {
  readonly status: "SUCCEEDED" | "FAILED" | "FAULT" | "TIMED_OUT" | "STOPPED";
  readonly exportedVariables: readonly { readonly name: string; readonly value: string }[];
}

/** What a running build tells. */
export interface BuildProgress {
  readonly signal: AbortSignal;
  /** The phases so far, each time one begins or ends. */
  phases(phases: readonly BuildPhase[]): void;
  /** Output. */
  log(text: string): void;
}

/** A project: a name and what a build of it does. */
export interface BuildProject {
  readonly name: string;
  run(request: BuildRequest, progress: BuildProgress): Promise<BuildOutcome>;
}

interface Build {
  readonly request: BuildRequest;
  readonly project: BuildProject;
  readonly startTime: number;
  readonly stop: AbortController;
  phases: readonly BuildPhase[];
  log: string;
  outcome: BuildOutcome | undefined;
  endTime: number | undefined;
  ended: Promise<void>;
}

/** Projects and their builds. */
export interface BuildService {
  readonly projects: Map<string, BuildProject>;
  /** Builds by id, in the order of their starts. */
  readonly builds: Map<string, Build>;
  /** Builds by the tokens that make StartBuild happen once. */
  readonly tokens: Map<string, string>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** @param clock milliseconds since 1970 */
export function createBuildService(clock: () => number): BuildService {
  return { projects: new Map(), builds: new Map(), tokens: new Map(), clock };
}

interface Call {
  readonly input: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
  readonly builds: BuildService;
}

/** Answers a call of CodeBuild's API. https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Operations.html */
export async function callCodeBuild(name: string, call: Call): Promise<object> {
  if (name === "StartBuild") return { build: shown(startBuild(call)) };
  if (name === "BatchGetBuilds") return batchGetBuilds(call);
  if (name === "StopBuild") return { build: shown(await stopBuild(call)) };
  throw new AwsError("UnknownOperationException", `${name} is not there in this stand-in`);
}

function startBuild({ input, caller, builds }: Call): Build {
  const given = String(input["projectName"] ?? "");
  const name = given.startsWith("arn:") ? (given.split(":project/")[1] ?? given) : given;
  const project = builds.projects.get(name);
  if (project === undefined) throw new AwsError("ResourceNotFoundException", `Project cannot be found: ${given}`);
  const token = typeof input["idempotencyToken"] === "string" ? input["idempotencyToken"] : randomUUID();
  const before = builds.builds.get(builds.tokens.get(token) ?? "");
  if (before !== undefined) return before;
  const id = `${name}:${randomUUID()}`;
  const { region, principal } = caller;
  const optional = (key: string) => (typeof input[key] === "string" ? (input[key] as string) : undefined);
  const timeout = input["timeoutInMinutesOverride"];
  const request: BuildRequest = {
    id,
    arn: `arn:aws:codebuild:${region}:${principal.account}:build/${id}`,
    number: [...builds.builds.values()].filter((build) => build.project === project).length + 1,
    account: principal.account,
    region,
    initiator: principal.arn,
    environmentVariablesOverride: variablesOf(input["environmentVariablesOverride"]),
    sourceVersion: optional("sourceVersion"),
    sourceTypeOverride: optional("sourceTypeOverride"),
    sourceLocationOverride: optional("sourceLocationOverride"),
    secondarySourcesOverride:
      (input["secondarySourcesOverride"] as BuildRequest["secondarySourcesOverride"] | undefined) ?? [],
    buildspecOverride: optional("buildspecOverride"),
    timeoutInMinutesOverride: typeof timeout === "number" ? timeout : undefined,
  };
  const build = run({ project, request, builds });
  builds.builds.set(id, build);
  builds.tokens.set(token, id);
  return build;
}

function variablesOf(given: unknown): readonly BuildVariable[] {
  const list = (given as readonly Partial<BuildVariable>[] | undefined) ?? [];
  return list.map(({ name, value, type = "PLAINTEXT" }) => {
    if (typeof name === "string" && typeof value === "string") return { name, value, type };
    throw new AwsError("InvalidInputException", "environmentVariablesOverride has an entry without name or value");
  });
}

function run({
  project,
  request,
  builds,
}: {
  project: BuildProject;
  request: BuildRequest;
  builds: BuildService;
}): Build {
  const stop = new AbortController();
  const startTime = builds.clock();
  const build: Build = {
    request,
    project,
    startTime,
    stop,
    phases: [{ phaseType: "SUBMITTED", phaseStatus: "SUCCEEDED", startTime, endTime: startTime }],
    log: "",
    outcome: undefined,
    endTime: undefined,
    ended: Promise.resolve(),
  };
  const progress: BuildProgress = {
    signal: stop.signal,
    phases: (list) => {
      build.phases = list;
    },
    log: (text) => {
      build.log += text;
    },
  };
  const failed = (error: unknown): BuildOutcome => {
    build.log += `${(error as Error).stack}\n`;
    return { status: "FAULT", exportedVariables: [] };
  };
  build.ended = project
    .run(request, progress)
    .catch(failed)
    .then((outcome) => {
      build.outcome = stop.signal.aborted ? { ...outcome, status: "STOPPED" } : outcome;
      build.endTime = builds.clock();
    });
  return build;
}

function batchGetBuilds({ input, builds }: Call): object {
  const ids = ((input["ids"] as readonly string[] | undefined) ?? []).map((id) => id.split(":build/").at(-1) ?? id);
  const found = ids.flatMap((id) => builds.builds.get(id) ?? []);
  return { builds: found.map(shown), buildsNotFound: ids.filter((id) => !builds.builds.has(id)) };
}

async function stopBuild({ input, builds }: Call): Promise<Build> {
  const id = String(input["id"]).split(":build/").at(-1) ?? "";
  const build = builds.builds.get(id);
  if (build === undefined) throw new AwsError("ResourceNotFoundException", `Build cannot be found: ${id}`);
  build.stop.abort();
  await build.ended;
  return build;
}

function shown({ request, project, phases, startTime, endTime, outcome }: Build): object {
  const { id, arn, number, region, account, initiator, sourceVersion } = request;
  const seconds = (time: number) => time / 1000;
  return {
    id,
    arn,
    buildNumber: number,
    projectName: project.name,
    initiator,
    startTime: seconds(startTime),
    ...(endTime === undefined ? {} : { endTime: seconds(endTime) }),
    ...(sourceVersion === undefined ? {} : { sourceVersion, resolvedSourceVersion: sourceVersion }),
    buildComplete: outcome !== undefined,
    buildStatus: outcome?.status ?? "IN_PROGRESS",
    currentPhase: outcome === undefined ? (phases.at(-1)?.phaseType ?? "SUBMITTED") : "COMPLETED",
    phases: phases.map((phase) => ({
      ...phase,
      startTime: seconds(phase.startTime),
      ...(phase.endTime === undefined
        ? {}
        : { endTime: seconds(phase.endTime), durationInSeconds: Math.round(seconds(phase.endTime - phase.startTime)) }),
    })),
    environment: {
      environmentVariables: request.environmentVariablesOverride,
    },
    exportedEnvironmentVariables: outcome?.exportedVariables ?? [],
    logs: {
      groupName: `/aws/codebuild/${project.name}`,
      streamName: id.split(":")[1],
      cloudWatchLogsArn: `arn:aws:logs:${region}:${account}:log-group:/aws/codebuild/${project.name}:log-stream:${id.split(":")[1]}`,
    },
  };
}
