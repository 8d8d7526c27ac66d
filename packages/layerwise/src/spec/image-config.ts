// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { digestSchema } from "./descriptor.ts";
import { type Digest, digestOf } from "./digest.ts";
import { readDocument } from "./json-document.ts";
import type { Platform } from "./platform.ts";

/** How a container is checked for health; durations in nanoseconds. */
export interface Healthcheck {
  readonly Test?: readonly string[] | undefined;
  readonly Interval?: number | undefined;
  readonly Timeout?: number | undefined;
  readonly StartPeriod?: number | undefined;
  readonly StartInterval?: number | undefined;
  readonly Retries?: number | undefined;
}

/**
 * What a container of the image runs with: the OCI fields and Docker's extensions.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md
 * https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md
 */
export interface RuntimeConfig {
  readonly User?: string | undefined;
  readonly ExposedPorts?: Readonly<Record<string, object>> | undefined;
  readonly Env?: readonly string[] | undefined;
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  readonly Volumes?: Readonly<Record<string, object>> | undefined;
  readonly WorkingDir?: string | undefined;
  readonly Labels?: Readonly<Record<string, string>> | undefined;
  readonly StopSignal?: string | undefined;
  readonly ArgsEscaped?: boolean | undefined;
  readonly Healthcheck?: Healthcheck | undefined;
  readonly OnBuild?: readonly string[] | undefined;
  readonly StopTimeout?: number | undefined;
  readonly Shell?: readonly string[] | undefined;
}

/** One instruction in an image's past. */
export interface HistoryEntry {
  /** RFC 3339. */
  readonly created?: string | undefined;
  readonly created_by?: string | undefined;
  readonly author?: string | undefined;
  readonly comment?: string | undefined;
  readonly empty_layer?: boolean | undefined;
}

/** The config document of an image; fields that neither specification knows are dropped, as BuildKit drops them. */
export interface ImageConfig extends Platform {
  readonly created?: string | undefined;
  readonly author?: string | undefined;
  readonly config: RuntimeConfig;
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryEntry[];
}

const strings = v.optional(v.array(v.string()));
const set = v.optional(
  v.record(
    v.string(),
    v.custom<object>((value) => typeof value === "object"),
  ),
);

const runtimeSchema = v.object({
  User: v.optional(v.string()),
  ExposedPorts: set,
  Env: strings,
  Entrypoint: strings,
  Cmd: strings,
  Volumes: set,
  WorkingDir: v.optional(v.string()),
  Labels: v.optional(v.record(v.string(), v.string())),
  StopSignal: v.optional(v.string()),
  ArgsEscaped: v.optional(v.boolean()),
  Healthcheck: v.optional(
    v.object({
      Test: strings,
      Interval: v.optional(v.number()),
      Timeout: v.optional(v.number()),
      StartPeriod: v.optional(v.number()),
      StartInterval: v.optional(v.number()),
      Retries: v.optional(v.number()),
    }),
  ),
  OnBuild: strings,
  StopTimeout: v.optional(v.number()),
  Shell: strings,
});

const configSchema = v.object({
  architecture: v.string(),
  os: v.string(),
  variant: v.optional(v.string()),
  "os.version": v.optional(v.string()),
  "os.features": v.optional(v.array(v.string())),
  created: v.optional(v.string()),
  author: v.optional(v.string()),
  config: v.optional(runtimeSchema),
  rootfs: v.object({ type: v.literal("layers"), diff_ids: v.optional(v.array(digestSchema)) }),
  history: v.optional(
    v.array(
      v.object({
        created: v.optional(v.string()),
        created_by: v.optional(v.string()),
        author: v.optional(v.string()),
        comment: v.optional(v.string()),
        empty_layer: v.optional(v.boolean()),
      }),
    ),
  ),
});

/** A field that says nothing is as good as none, whatever its type. */
const writtenSchema = v.pipe(v.unknown(), v.transform(withoutEmpty), configSchema);

/**
 * Reads an image config.
 *
 * @param source how errors name it, for example `registry.example/app:latest`
 */
export function decodeImageConfig(bytes: Uint8Array, source: string): ImageConfig {
  const { rootfs, history, config, ...rest } = readDocument(bytes, writtenSchema, `the config of ${source}`);
  return {
    ...(rest as Platform),
    config: (config ?? {}) as RuntimeConfig,
    diffIds: rootfs.diff_ids ?? [],
    history: (history ?? []) as HistoryEntry[],
  };
}

/** Writes a config, its fields in alphabetical order as BuildKit writes them: the same config gives the same bytes. */
export function encodeImageConfig(image: ImageConfig): Uint8Array {
  const document = {
    architecture: image.architecture,
    author: image.author,
    config: orderedRuntime(image.config),
    created: image.created,
    history: image.history.map((entry) => ({
      created: entry.created,
      created_by: entry.created_by,
      author: entry.author,
      comment: entry.comment,
      empty_layer: entry.empty_layer === true ? true : undefined,
    })),
    os: image.os,
    "os.features": image["os.features"],
    "os.version": image["os.version"],
    rootfs: { type: "layers", diff_ids: image.diffIds },
    variant: image.variant === "" ? undefined : image.variant,
  };
  return Buffer.from(JSON.stringify(document));
}

/**
 * Identifies a stack of layers by content.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md#layer-chainid
 */
export function chainIdOf(diffIds: readonly Digest[]): Digest | undefined {
  let chainId: Digest | undefined;
  for (const diffId of diffIds) {
    chainId = chainId === undefined ? diffId : digestOf(`${chainId} ${diffId}`);
  }
  return chainId;
}

/** The runtime config with its fields in one order and without empty ones; equal configs give equal JSON. */
export function orderedRuntime(config: RuntimeConfig): RuntimeConfig {
  return withoutEmpty({
    User: config.User,
    ExposedPorts: sortedKeys(config.ExposedPorts),
    Env: config.Env,
    Entrypoint: config.Entrypoint,
    Cmd: config.Cmd,
    Volumes: sortedKeys(config.Volumes),
    WorkingDir: config.WorkingDir,
    Labels: sortedKeys(config.Labels),
    StopSignal: config.StopSignal,
    ArgsEscaped: config.ArgsEscaped,
    Healthcheck: config.Healthcheck && orderedHealthcheck(config.Healthcheck),
    OnBuild: config.OnBuild,
    StopTimeout: config.StopTimeout,
    Shell: config.Shell,
  }) as RuntimeConfig;
}

function orderedHealthcheck({
  Test,
  Interval,
  Timeout,
  StartPeriod,
  StartInterval,
  Retries,
}: Healthcheck): Healthcheck {
  return { Test, Interval, Timeout, StartPeriod, StartInterval, Retries };
}

function sortedKeys<T>(record: Readonly<Record<string, T>> | undefined): Record<string, T> | undefined {
  if (record === undefined) return undefined;
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Drops what Go's `omitempty` drops: null, "", 0, false, and empty lists and maps; of a pointer, only null. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, field]) => (name === "StopTimeout" ? field !== undefined && field !== null : !isEmpty(field)))
      .map(([name, field]) => [name, isSet(name) ? field : withoutEmpty(field)]),
  );
}

/** The values of these two maps are empty objects by definition, and labels may be empty texts. */
function isSet(name: string): boolean {
  return name === "ExposedPorts" || name === "Volumes" || name === "Labels";
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}
