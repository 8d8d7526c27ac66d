// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { LayerwiseError } from "../error.ts";
import type { Spool, SpoolFile } from "../ports.ts";
import { type Digest, type Digester, isDigest, startDigest } from "../spec/digest.ts";
import { firstIssue } from "../spec/first-issue.ts";
import { type ContentSink, type ReadEntry, startTarReader, TarError } from "../spec/tar-reader.ts";

/** A file of an image archive that is larger than a document: a layer, compressed or not. */
export interface ArchivedLayer {
  /** Digest of the bytes as they are in the archive. */
  readonly digest: Digest;
  readonly size: number;
  readonly isGzip: boolean;
  /** The bytes; undefined if the archive said by name that they are known. */
  readonly file: SpoolFile | undefined;
}

/** What an image archive holds. */
export interface ImageArchive {
  readonly configBytes: Uint8Array;
  /** In order, lowest first; undefined where the archive named bytes that it was told are known. */
  readonly layers: readonly ArchivedLayer[];
}

/** Documents are smaller than this, and layers may be. */
const maxDocumentBytes = 4 * 1024 * 1024;

/**
 * Reads an archive as `docker save` (any version, either image store) or BuildKit's oci exporter writes it: a stream,
 * with its manifests last. Layers go to the spool unless their name says that they are known.
 *
 * @param isKnown whether the bytes with this digest need not be kept
 * @throws ENGINE_UNSUPPORTED if it is no such archive
 */
export async function readImageArchive(
  archive: AsyncIterable<Uint8Array>,
  parts: { spool: Spool; isKnown: (digest: Digest) => boolean },
): Promise<ImageArchive> {
  try {
    return await readArchive(archive, parts);
  } catch (error) {
    if (error instanceof TarError) throw malformed(error.message);
    throw v.isValiError(error) ? malformed(firstIssue(error.issues)) : error;
  }
}

async function readArchive(
  archive: AsyncIterable<Uint8Array>,
  { spool, isKnown }: { spool: Spool; isKnown: (digest: Digest) => boolean },
): Promise<ImageArchive> {
  const entries = new Map<string, Entry>();
  const links = new Map<string, string>();
  let waiting: (() => Promise<void>)[] = [];
  const reader = startTarReader((entry) => {
    if (entry.kind === "symlink" && entry.target !== undefined) links.set(entry.path, resolveLink(entry));
    if (entry.kind !== "file") return undefined;
    const receiving = receive(entry, { spool, isKnown, later: (work) => waiting.push(work) });
    entries.set(entry.path, receiving.entry);
    return receiving.sink;
  });
  for await (const chunk of archive) {
    reader.write(chunk);
    const works = waiting;
    waiting = [];
    for (const work of works) await work();
  }
  reader.end();
  return await imageIn(entries, links);
}

interface Entry {
  size: number;
  isGzip: boolean;
  document: Uint8Array | undefined;
  file: SpoolFile | undefined;
  readonly digester: Digester;
}

interface Receiving {
  readonly spool: Spool;
  readonly isKnown: (digest: Digest) => boolean;
  /** Work that must wait for the disk; the reader itself does not wait. */
  readonly later: (work: () => Promise<void>) => void;
}

function receive(entry: ReadEntry, { spool, isKnown, later }: Receiving): { entry: Entry; sink: ContentSink } {
  const state: Entry = {
    size: entry.size,
    isGzip: false,
    document: undefined,
    file: undefined,
    digester: startDigest(),
  };
  const named = digestInName(entry.path);
  const isSkipped = named !== undefined && isKnown(named);
  const parts: Uint8Array[] = [];
  const head: number[] = [];
  const spools =
    !isSkipped && (entry.size > maxDocumentBytes || entry.path.endsWith("layer.tar") || named !== undefined);
  const keepsDocument = entry.size <= maxDocumentBytes;
  if (spools) {
    later(async () => {
      state.file = await spool.create();
    });
  }
  return {
    entry: state,
    sink: {
      data(chunk) {
        if (head.length < 2) head.push(...chunk.subarray(0, 2 - head.length));
        state.digester.update(chunk);
        const copy = Uint8Array.prototype.slice.call(chunk) as Uint8Array;
        if (keepsDocument) parts.push(copy);
        if (spools) later(async () => await (state.file as SpoolFile).write(copy));
      },
      end() {
        state.isGzip = head[0] === 0x1f && head[1] === 0x8b;
        if (keepsDocument) state.document = Buffer.concat(parts);
        if (spools) later(async () => await (state.file as SpoolFile).close());
      },
    },
  };
}

/** `blobs/sha256/<hex>`, also with a `.tar` or directory behind it. */
function digestInName(path: string): Digest | undefined {
  const match = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path);
  const digest = `sha256:${match?.[1] ?? ""}`;
  return isDigest(digest) ? digest : undefined;
}

/** Old versions of docker save write a layer that occurs twice as a link. */
function resolveLink({ path, target }: ReadEntry): string {
  const parts = path.split("/").slice(0, -1);
  for (const part of (target ?? "").split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

const saveSchema = v.pipe(
  v.array(v.object({ Config: v.string(), Layers: v.nullable(v.array(v.string())) })),
  v.minLength(1),
);
const descriptorSchema = v.object({ digest: v.string(), mediaType: v.optional(v.string()) });
const indexSchema = v.object({ manifests: v.pipe(v.array(descriptorSchema), v.minLength(1)) });
const manifestSchema = v.object({ config: descriptorSchema, layers: v.array(descriptorSchema) });

async function imageIn(entries: ReadonlyMap<string, Entry>, links: ReadonlyMap<string, string>): Promise<ImageArchive> {
  const digests = new Map<Entry, Digest>();
  const digestOfEntry = (entry: Entry) => {
    const digest = digests.get(entry) ?? entry.digester.digest();
    digests.set(entry, digest);
    return digest;
  };
  const at = (path: string): Entry => {
    const entry = entries.get(path) ?? entries.get(links.get(path) ?? "");
    if (entry === undefined) throw malformed(`it has no ${path}`);
    return entry;
  };
  const { config, layers } = pathsIn(entries);
  return {
    configBytes: documentAt(entries, config),
    layers: layers.map((path) => {
      const entry = at(path);
      return { digest: digestOfEntry(entry), size: entry.size, isGzip: entry.isGzip, file: entry.file };
    }),
  };
}

function pathsIn(entries: ReadonlyMap<string, Entry>): { config: string; layers: readonly string[] } {
  if (entries.has("manifest.json")) {
    const [image] = v.parse(saveSchema, jsonAt(entries, "manifest.json"));
    return { config: image?.Config ?? "", layers: image?.Layers ?? [] };
  }
  const blob = (digest: string) => `blobs/${digest.replace(":", "/")}`;
  let document = jsonAt(entries, "index.json");
  // An index may hold another one, for example with attestations beside the image.
  while (v.is(indexSchema, document)) {
    const [first] = document.manifests;
    document = jsonAt(entries, blob(first?.digest ?? ""));
  }
  const manifest = v.parse(manifestSchema, document);
  return { config: blob(manifest.config.digest), layers: manifest.layers.map(({ digest }) => blob(digest)) };
}

function documentAt(entries: ReadonlyMap<string, Entry>, path: string): Uint8Array {
  const document = entries.get(path)?.document;
  if (document === undefined) throw malformed(`it has no ${path}`);
  return document;
}

function jsonAt(entries: ReadonlyMap<string, Entry>, path: string): unknown {
  try {
    return JSON.parse(Buffer.from(documentAt(entries, path)).toString("utf8"));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw malformed(`${path} is no JSON`);
    throw cause;
  }
}

function malformed(why: string): LayerwiseError {
  return new LayerwiseError("ENGINE_UNSUPPORTED", `could not read the image that the engine made: ${why}`, {
    hint: "report this with the engine's version",
  });
}
