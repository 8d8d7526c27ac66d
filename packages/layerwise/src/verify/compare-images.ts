// SPDX-License-Identifier: Apache-2.0
import { orderedRuntime, type RuntimeConfig } from "../spec/image-config.ts";
import type { FileFacts, ImageContents } from "./image-contents.ts";

/** One thing in which two images differ. */
export interface Difference {
  /** Absolute; undefined if it is a field of the config. */
  readonly path: string | undefined;
  /** `presence`, `type`, `mode`, `owner`, `target`, `device`, `content`, `xattrs`, or the name of a config's field. */
  readonly field: string;
  /** What the first image has; undefined if nothing. */
  readonly one: string | undefined;
  readonly other: string | undefined;
  /** The instruction that made the path in the first image, else in the second. */
  readonly instruction: string | undefined;
}

const fileFields = ["type", "mode", "owner", "target", "device", "content", "xattrs"] as const;

/**
 * Everything that a container could tell apart: merged trees with types, modes, owners, link targets, contents and
 * extended attributes, and the runtime configs. Times, and how images are cut into layers, do not count.
 */
export function differencesBetween(one: ImageContents, other: ImageContents): readonly Difference[] {
  const paths = [...new Set([...one.files.keys(), ...other.files.keys()])].sort();
  return [
    ...paths.flatMap((path) => fileDifferences(path, { one: one.files.get(path), other: other.files.get(path) })),
    ...configDifferences(one, other),
  ];
}

function fileDifferences(
  path: string,
  { one, other }: { one: FileFacts | undefined; other: FileFacts | undefined },
): readonly Difference[] {
  const instruction = one?.madeBy ?? other?.madeBy;
  const difference = (field: string, values: { one: string | undefined; other: string | undefined }): Difference => ({
    path: `/${path}`,
    field,
    ...values,
    instruction,
  });
  if (one === undefined || other === undefined) {
    return [difference("presence", { one: one?.type, other: other?.type })];
  }
  // Of two different kinds of files, the other fields say nothing.
  const fields = one.type === other.type ? fileFields : fileFields.slice(0, 1);
  return fields
    .filter((field) => one[field] !== other[field])
    .map((field) => difference(field, { one: one[field], other: other[field] }));
}

/** What only Windows reads, and what BuildKit's versions set differently. */
const ignoredFields: ReadonlySet<string> = new Set(["ArgsEscaped"]);

function configDifferences(one: ImageContents, other: ImageContents): readonly Difference[] {
  const [first, second] = [fieldsOf(one), fieldsOf(other)];
  return [...new Set([...first.keys(), ...second.keys()])]
    .filter((field) => first.get(field) !== second.get(field))
    .map((field) => ({
      path: undefined,
      field,
      one: first.get(field),
      other: second.get(field),
      instruction: undefined,
    }));
}

function fieldsOf({ config }: ImageContents): ReadonlyMap<string, string> {
  const { os, architecture, variant, author } = config;
  const runtime = Object.entries(orderedRuntime(config.config) as Record<keyof RuntimeConfig, unknown>);
  const fields = [...Object.entries({ os, architecture, variant, author }), ...runtime]
    .filter(([name, value]) => value !== undefined && value !== "" && !ignoredFields.has(name))
    .map(([name, value]): [string, string] => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  return new Map(fields);
}

/** Leaves out what differs between two builds of an engine as well, which no tool could make equal. */
export function repeatableDifferences(
  found: readonly Difference[],
  varying: readonly Difference[],
): readonly Difference[] {
  const names = new Set(varying.map(nameOf));
  return found.filter((difference) => !names.has(nameOf(difference)));
}

function nameOf({ path, field }: Difference): string {
  return JSON.stringify([path, field]);
}
