// SPDX-License-Identifier: Apache-2.0
import type { ConfigDocument } from "./document.ts";
import type { Image } from "./image.ts";
import { type ImageTree, readTree, type TreeFile } from "./image-tree.ts";

/** All of an image that a container notices, and the shape of its history. */
export interface ImageContents {
  readonly tree: ImageTree;
  /** The platform and the runtime config, without fields that say nothing. */
  readonly config: Readonly<Record<string, unknown>>;
  /** For each history entry, whether it made a layer. */
  readonly history: readonly boolean[];
}

/** What to compare beside tree and config. */
export interface CompareOptions {
  /** Also the shape of the histories; images can be equal without. */
  readonly history?: boolean | undefined;
  /** Paths whose files may differ, with all below. */
  readonly except?: readonly string[] | undefined;
}

/** Fields of the config that matter to a container. https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md#image-json-field-descriptions */
const runtimeFields = [
  "Cmd",
  "Entrypoint",
  "Env",
  "ExposedPorts",
  "Healthcheck",
  "Labels",
  "OnBuild",
  "Shell",
  "StopSignal",
  "User",
  "Volumes",
  "WorkingDir",
] as const;

/** Reads all of an image that can be compared. */
export async function readContents(image: Image): Promise<ImageContents> {
  const history = (image.config.history ?? []).map((entry) => !entry.empty_layer);
  return { tree: await readTree(image), config: runtimeConfig(image.config), history };
}

/** What differs between two images, one line per field; nothing if no container can tell them apart. */
export function differences(one: ImageContents, other: ImageContents, options: CompareOptions = {}): readonly string[] {
  const lines = [...treeDifferences(one.tree, other.tree)]
    .filter(({ path }) => !options.except?.some((except) => path === except || path.startsWith(`${except}/`)))
    .map(({ path, what }) => `/${path}: ${what}`);
  for (const field of keysOf(one.config, other.config)) {
    const [first, second] = [shown(one.config[field]), shown(other.config[field])];
    if (first !== second) lines.push(`config ${field}: ${first}, and not ${second}`);
  }
  if (options.history && shown(one.history) !== shown(other.history)) {
    lines.push(`history: ${shape(one.history)}, and not ${shape(other.history)}`);
  }
  return lines;
}

function* treeDifferences(
  one: ImageTree,
  other: ImageTree,
): Generator<{ readonly path: string; readonly what: string }> {
  for (const path of [...new Set([...one.keys(), ...other.keys()])].sort()) {
    const [first, second] = [one.get(path), other.get(path)];
    if (first === undefined) yield { path, what: "only in the second image" };
    else if (second === undefined) yield { path, what: "only in the first image" };
    else for (const what of fileDifferences(first, second)) yield { path, what };
  }
}

function fileDifferences(one: TreeFile, other: TreeFile): readonly string[] {
  if (one.type !== other.type) return [`a ${one.type}, and not a ${other.type}`];
  const fields: readonly (readonly [string, (file: TreeFile) => string])[] = [
    ["mode", ({ mode }) => mode.toString(8).padStart(4, "0")],
    ["owner", ({ uid, gid }) => `${uid}:${gid}`],
    ["target", ({ target }) => `${target}`],
    ["device", ({ device }) => `${device}`],
    ["content", ({ content }) => `${content}`],
    [
      "extended attributes",
      ({ xattrs }) =>
        [...xattrs]
          .sort()
          .map(([name, value]) => `${name}=${value}`)
          .join(" ") || "none",
    ],
  ];
  return fields.flatMap(([name, of]) => (of(one) === of(other) ? [] : [`${name} ${of(one)}, and not ${of(other)}`]));
}

function runtimeConfig(document: ConfigDocument): Readonly<Record<string, unknown>> {
  const { os, architecture, variant, config = {} } = document;
  const fields = runtimeFields.map((name): [string, unknown] => [name, config[name]]);
  const all = [...Object.entries({ os, architecture, variant }), ...fields];
  return Object.fromEntries(all.filter(([, value]) => says(value)));
}

/** Builders write nothing, null or something empty for one and the same. */
function says(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

function keysOf(one: object, other: object): readonly string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
}

/** JSON with sorted keys. */
function shown(value: unknown): string {
  const sorted = (_: string, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner;
  return JSON.stringify(value, sorted) ?? "nothing";
}

function shape(history: readonly boolean[]): string {
  return history.map((made) => (made ? "layer" : "none")).join(" ") || "empty";
}
