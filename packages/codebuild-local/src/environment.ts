// SPDX-License-Identifier: Apache-2.0
import type { Buildspec } from "./buildspec.ts";
import type { Variable } from "./project.ts";

/** Where values come from that only AWS knows. */
export interface ValueSource {
  /** The value of a parameter. */
  parameter(name: string): Promise<string>;
  /** The value of a secret, or of one key of its JSON. */
  secret(place: SecretPlace): Promise<string>;
}

/** What of a secret is meant. */
export interface SecretPlace {
  readonly id: string;
  readonly jsonKey: string | undefined;
  readonly versionStage: string | undefined;
  readonly versionId: string | undefined;
}

/** Variables with their values, and which of the values are secrets. */
export interface ResolvedVariables {
  readonly values: ReadonlyMap<string, string>;
  readonly secrets: readonly string[];
  /** Names whose values came from Parameter Store or Secrets Manager; they are never exported. */
  readonly secretNames: ReadonlySet<string>;
}

/**
 * The variables of a build: the buildspec's, over them the project's, over them those given at its start.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.env.variables
 */
export async function resolveVariables(
  layers: { readonly buildspec: Buildspec; readonly project: readonly Variable[]; readonly start: readonly Variable[] },
  source: ValueSource,
): Promise<ResolvedVariables> {
  const chosen = new Map<string, Variable>();
  for (const variable of [...variablesIn(layers.buildspec), ...layers.project, ...layers.start]) {
    chosen.set(variable.name, variable);
  }
  const all = [...chosen.values()];
  const resolved = await Promise.all(
    all.map(async (variable) => [variable, await resolvedValue(variable, source)] as const),
  );
  const hidden = resolved.filter(([{ type }]) => type !== "PLAINTEXT");
  return {
    values: new Map(resolved.map(([{ name }, value]) => [name, value])),
    secrets: hidden.map(([, value]) => value),
    secretNames: new Set(hidden.map(([{ name }]) => name)),
  };
}

function variablesIn({ variables, parameterStore, secretsManager }: Buildspec): readonly Variable[] {
  const typed = (map: Readonly<Record<string, string>>, type: Variable["type"]) =>
    Object.entries(map).map(([name, value]) => ({ name, value, type }));
  return [
    ...typed(variables, "PLAINTEXT"),
    ...typed(parameterStore, "PARAMETER_STORE"),
    ...typed(secretsManager, "SECRETS_MANAGER"),
  ];
}

async function resolvedValue({ value, type }: Variable, source: ValueSource): Promise<string> {
  if (type === "PARAMETER_STORE") return await source.parameter(value);
  return type === "SECRETS_MANAGER" ? await source.secret(parseSecretPlace(value)) : value;
}

/** Reads `secret-id:json-key:version-stage:version-id`, in which the id may be an ARN. */
export function parseSecretPlace(text: string): SecretPlace {
  const [, arn, rest = ""] = /^(arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]*)(.*)$/s.exec(text) ?? [];
  const [id = "", ...parts] = arn === undefined ? text.split(":") : [arn, ...rest.split(":").slice(1)];
  const [jsonKey, versionStage, versionId] = parts.map((part) => (part === "" ? undefined : part));
  return { id, jsonKey, versionStage, versionId };
}

/** What a build is called, and where it comes from. */
export interface BuildIdentity {
  /** `PROJECT:UUID`. */
  readonly id: string;
  readonly number: number;
  readonly account: string;
  readonly region: string;
  readonly initiator: string;
  readonly sourceVersion: string | undefined;
  readonly resolvedSourceVersion: string | undefined;
  readonly sourceRepoUrl: string | undefined;
  /** Milliseconds since 1970. */
  readonly startTime: number;
}

/** Folders of a build. */
export interface BuildFolders {
  /** Of the primary source. */
  readonly source: string;
  /** Of secondary sources, by identifier. */
  readonly secondary: Readonly<Record<string, string>>;
  readonly home: string;
  readonly temporary: string;
}

/**
 * The variables that CodeBuild sets.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
 */
export function codeBuildVariables(
  {
    id,
    number,
    account,
    region,
    initiator,
    sourceVersion,
    resolvedSourceVersion,
    sourceRepoUrl,
    startTime,
  }: BuildIdentity,
  { folders, image }: { readonly folders: BuildFolders; readonly image: string },
): Readonly<Record<string, string>> {
  const [project = "", uuid = ""] = id.split(":");
  const arn = `arn:aws:codebuild:${region}:${account}`;
  const secondary = Object.entries(folders.secondary).map(([name, folder]) => [`CODEBUILD_SRC_DIR_${name}`, folder]);
  const optional = Object.entries({
    CODEBUILD_SOURCE_VERSION: sourceVersion,
    CODEBUILD_RESOLVED_SOURCE_VERSION: resolvedSourceVersion,
    CODEBUILD_SOURCE_REPO_URL: sourceRepoUrl,
  }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    AWS_DEFAULT_REGION: region,
    AWS_REGION: region,
    CODEBUILD_BUILD_ARN: `${arn}:build/${id}`,
    CODEBUILD_BUILD_ID: id,
    CODEBUILD_BUILD_IMAGE: image,
    CODEBUILD_BUILD_NUMBER: String(number),
    CODEBUILD_BUILD_SUCCEEDING: "1",
    CODEBUILD_INITIATOR: initiator,
    CODEBUILD_KMS_KEY_ID: `arn:aws:kms:${region}:${account}:alias/aws/s3`,
    CODEBUILD_LOG_PATH: uuid,
    CODEBUILD_PROJECT_ARN: `${arn}:project/${project}`,
    CODEBUILD_SRC_DIR: folders.source,
    CODEBUILD_START_TIME: String(startTime),
    ...Object.fromEntries(secondary),
    ...Object.fromEntries(optional),
    HOME: folders.home,
    TMPDIR: folders.temporary,
  };
}
