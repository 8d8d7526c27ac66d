// SPDX-License-Identifier: Apache-2.0
import { LineCounter, parseDocument } from "yaml";
import { CodeBuildLocalError } from "./error.ts";
import { type OnFailure, parseOnFailure } from "./on-failure.ts";

/** The phases that run commands, in their order. */
export const phaseNames = ["install", "pre_build", "build", "post_build"] as const;
export type PhaseName = (typeof phaseNames)[number];

/** One phase of a buildspec. */
export interface PhaseSpec {
  readonly onFailure: OnFailure;
  readonly commands: readonly string[];
  readonly finally: readonly string[];
  /** Versions by runtime; of the phase install only. */
  readonly runtimeVersions: Readonly<Record<string, string>>;
}

/** Which files a build leaves. */
export interface ArtifactSpec {
  readonly name: string | undefined;
  readonly files: readonly string[];
  readonly excludes: readonly string[];
  readonly baseDirectory: string | undefined;
  readonly discardsPaths: boolean;
}

/** Where results of tests lie. */
export interface ReportSpec {
  /** The name or the ARN of the report group. */
  readonly group: string;
  readonly files: readonly string[];
  readonly baseDirectory: string | undefined;
  readonly discardsPaths: boolean;
  readonly format: string;
}

/** A buildspec of version 0.2. */
export interface Buildspec {
  readonly shell: "bash" | "sh";
  readonly variables: Readonly<Record<string, string>>;
  /** Names in Parameter Store, by variable. */
  readonly parameterStore: Readonly<Record<string, string>>;
  /** `secret-id:json-key:version-stage:version-id`, by variable. */
  readonly secretsManager: Readonly<Record<string, string>>;
  readonly exportedVariables: readonly string[];
  readonly phases: Readonly<Partial<Record<PhaseName, PhaseSpec>>>;
  readonly artifacts: ArtifactSpec | undefined;
  readonly secondaryArtifacts: Readonly<Record<string, ArtifactSpec>>;
  readonly reports: readonly ReportSpec[];
  /** What is there and has no effect here, in words. */
  readonly ignored: readonly string[];
}

/** Report groups of one project. */
const maxReportGroups = 5;

type Node = Readonly<Record<string, unknown>>;

/**
 * Reads a buildspec.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
 *
 * @throws {CodeBuildLocalError} BUILDSPEC
 */
export function parseBuildspec(text: string): Buildspec {
  const root = readYaml(text);
  const version = String(root["version"] ?? "");
  if (version !== "0.2") {
    throw refused(
      `version is ${version === "" ? "missing" : version}`,
      "write `version: 0.2`; 0.1, where each command has a shell of its own, does not run here",
    );
  }
  if (root["batch"] !== undefined)
    throw refused("batch is there", "run the builds of a batch one by one, without `batch`");
  const env = mapIn(root, "env");
  const phases = mapIn(root, "phases");
  const unknown = Object.keys(phases).find((name) => !(phaseNames as readonly string[]).includes(name));
  if (unknown !== undefined) throw refused(`phases has ${unknown}`, `name a phase one of ${phaseNames.join(", ")}`);
  if (Object.keys(phases).length === 0) throw refused("it has no phases", "write at least one phase with commands");
  const artifacts = root["artifacts"] === undefined ? {} : mapIn(root, "artifacts");
  const secondary = mapIn(artifacts, "secondary-artifacts");
  const reports = Object.entries(mapIn(root, "reports"));
  if (reports.length > maxReportGroups)
    throw refused(`reports has ${reports.length} groups`, `name at most ${maxReportGroups}`);
  return {
    shell: shellOf(env),
    variables: textsIn(env, "variables"),
    parameterStore: textsIn(env, "parameter-store"),
    secretsManager: textsIn(env, "secrets-manager"),
    exportedVariables: listIn(env, "exported-variables"),
    phases: Object.fromEntries(Object.keys(phases).map((name) => [name, phaseOf(mapIn(phases, name), name)])),
    artifacts: artifacts["files"] === undefined ? undefined : artifactOf(artifacts),
    secondaryArtifacts: Object.fromEntries(Object.keys(secondary).map((id) => [id, artifactOf(mapIn(secondary, id))])),
    reports: reports.map(([group]) => reportOf(mapIn(mapIn(root, "reports"), group), group)),
    ignored: ignoredIn(root, { env, phases }),
  };
}

function readYaml(text: string): Node {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw refused(
      `line ${line}, column ${col}: ${error.message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "")}`,
    );
  }
  const root: unknown = document.toJS();
  if (!isMap(root)) throw refused("it is no YAML mapping", "see the buildspec reference of AWS CodeBuild");
  return root;
}

function shellOf(env: Node): Buildspec["shell"] {
  const shell = env["shell"] ?? "/bin/sh";
  if (shell === "bash") return "bash";
  if (shell === "/bin/sh" || shell === "sh") return "sh";
  throw refused(`env/shell is ${String(shell)}`, "use bash or /bin/sh");
}

function phaseOf(node: Node, name: string): PhaseSpec {
  const given = node["on-failure"];
  const onFailure: OnFailure | undefined = given === undefined ? { kind: "default" } : parseOnFailure(String(given));
  if (onFailure === undefined) {
    throw refused(
      `phases/${name}/on-failure is ${String(given)}`,
      "use ABORT, CONTINUE, RETRY, RETRY-count, RETRY-regex or RETRY-count-regex",
    );
  }
  const runtimeVersions = textsIn(node, "runtime-versions");
  if (name !== "install" && Object.keys(runtimeVersions).length > 0) {
    throw refused(`phases/${name} has runtime-versions`, "move runtime-versions into the phase install");
  }
  return { onFailure, commands: listIn(node, "commands"), finally: listIn(node, "finally"), runtimeVersions };
}

function artifactOf(node: Node): ArtifactSpec {
  const name = node["name"];
  return {
    name: name === undefined ? undefined : String(name),
    files: listIn(node, "files"),
    excludes: listIn(node, "exclude-paths"),
    baseDirectory: directoryOf(node),
    discardsPaths: isYes(node["discard-paths"]),
  };
}

function reportOf(node: Node, group: string): ReportSpec {
  const format = String(node["file-format"] ?? "JUNITXML").toUpperCase();
  return {
    group,
    files: listIn(node, "files"),
    baseDirectory: directoryOf(node),
    discardsPaths: isYes(node["discard-paths"]),
    format,
  };
}

function directoryOf(node: Node): string | undefined {
  const directory = node["base-directory"];
  return directory === undefined || directory === null ? undefined : String(directory);
}

/** YAML 1.2 reads yes and no as texts. */
function isYes(value: unknown): boolean {
  return value === true || String(value).toLowerCase() === "yes";
}

function ignoredIn(root: Node, { env, phases }: { readonly env: Node; readonly phases: Node }): readonly string[] {
  const ignored: string[] = [];
  if (root["cache"] !== undefined) ignored.push("cache: every build starts without one");
  if (root["proxy"] !== undefined) ignored.push("proxy: this machine's own settings count");
  if (isYes(env["git-credential-helper"]))
    ignored.push("env/git-credential-helper: git asks as it does on this machine");
  const users = [root, ...Object.keys(phases).map((name) => mapIn(phases, name))];
  if (users.some((node) => node["run-as"] !== undefined))
    ignored.push("run-as: all commands run as the user who started this");
  return ignored;
}

function mapIn(node: Node, key: string): Node {
  const value = node[key] ?? {};
  if (isMap(value)) return value;
  throw refused(`${key} is no mapping`, "see the buildspec reference of AWS CodeBuild");
}

function textsIn(node: Node, key: string): Readonly<Record<string, string>> {
  const entries = Object.entries(mapIn(node, key));
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (typeof value === "object" && value !== null) throw refused(`${key}/${name} is no text`);
      return [name, value === null ? "" : String(value)];
    }),
  );
}

function listIn(node: Node, key: string): readonly string[] {
  const value = node[key] ?? [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((one) => {
    if (typeof one === "object") {
      throw refused(
        `${key} has an entry that is no text: ${JSON.stringify(one)}`,
        "quote an entry that holds a colon and a space",
      );
    }
    return String(one);
  });
}

function isMap(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refused(why: string, hint?: string): CodeBuildLocalError {
  return new CodeBuildLocalError("BUILDSPEC", `could not use the buildspec: ${why}`, { hint });
}
