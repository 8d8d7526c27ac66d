// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { LayerwiseError } from "../error.ts";
import type { CallOptions } from "../ports.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import { mediaTypes } from "../spec/media-type.ts";
import { takeLock } from "./file-lock.ts";
import { readJson } from "./json.ts";

/** The annotation that names an entry. https://github.com/opencontainers/image-spec/blob/v1.1.0/annotations.md */
const tagAnnotation = "org.opencontainers.image.ref.name";

/**
 * An entry of a layout's index. Fields that we do not know stay as they are.
 */
export interface IndexEntry {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>> | null | undefined;
}

const indexSchema = v.looseObject({
  schemaVersion: v.literal(2),
  manifests: v.array(
    v.looseObject({
      mediaType: v.string(),
      digest: v.string(),
      size: v.number(),
      annotations: v.nullish(v.record(v.string(), v.string())),
    }),
  ),
});

type LayoutIndex = v.InferOutput<typeof indexSchema>;

/** The entries of a layout's index; none if the file is not there. */
export async function readLayoutIndex(directory: string): Promise<readonly IndexEntry[]> {
  return (await read(directory)).manifests;
}

/** The entry of a tag. */
export function entryOfTag(entries: readonly IndexEntry[], tag: string): IndexEntry | undefined {
  return entries.find(({ annotations }) => annotations?.[tagAnnotation] === tag);
}

/**
 * Makes a tag point to a manifest, whatever other processes change at the same time.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md#indexjson-file
 */
export async function tagInLayout(
  directory: string,
  { tag, descriptor }: { readonly tag: string; readonly descriptor: Descriptor },
  call: CallOptions = {},
): Promise<void> {
  const entry = { ...descriptor, annotations: { ...descriptor.annotations, [tagAnnotation]: tag } };
  await changeIndex(
    directory,
    (entries) => [...entries.filter(({ annotations }) => annotations?.[tagAnnotation] !== tag), entry],
    call,
  );
}

/** Takes all tags from a manifest, in the same way. */
export async function untagInLayout(directory: string, digest: string, call: CallOptions = {}): Promise<void> {
  await keepInLayout(directory, (entry) => entry.digest !== digest, call);
}

/** Removes all entries but some, in the same way. */
export async function keepInLayout(
  directory: string,
  isKept: (entry: IndexEntry) => boolean,
  call: CallOptions = {},
): Promise<void> {
  await changeIndex(directory, (entries) => entries.filter(isKept), call);
}

/** The tag of an entry. */
export function tagOfEntry({ annotations }: IndexEntry): string | undefined {
  return annotations?.[tagAnnotation];
}

type Entries = LayoutIndex["manifests"];

async function changeIndex(directory: string, change: (entries: Entries) => Entries, call: CallOptions): Promise<void> {
  const file = join(directory, "index.json");
  for (;;) {
    const lock = await takeLock(`${file}.lock`, call);
    try {
      const index = await read(directory);
      const next = join(directory, `.index-${randomUUID()}`);
      await writeFile(next, JSON.stringify({ ...index, manifests: change(index.manifests) }));
      if (await lock.isHeld()) return await rename(next, file);
      await unlink(next);
    } finally {
      await lock.release();
    }
  }
}

async function read(directory: string): Promise<LayoutIndex> {
  const file = join(directory, "index.json");
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return { schemaVersion: 2, mediaType: mediaTypes.oci.index, manifests: [] };
  const parsed = v.safeParse(indexSchema, readJson(text));
  if (parsed.success) return parsed.output;
  throw new LayerwiseError("REGISTRY_PROTOCOL", `could not read ${file}: ${v.summarize(parsed.issues)}`, {
    hint: "name another directory, or remove this one",
  });
}
