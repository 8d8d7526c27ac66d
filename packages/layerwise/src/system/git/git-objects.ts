// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";
import type { CallOptions } from "../../ports.ts";
import { type Digest, startDigest } from "../../spec/digest.ts";
import { type RunningProcess, startProcess } from "../process.ts";
import type { GitPlace } from "./git-place.ts";
import { gitEnvironment, gitFailure } from "./git-process.ts";

/** An object as git stores it. */
export interface GitObject {
  readonly id: string;
  readonly type: string;
  readonly bytes: Buffer;
}

/** What is known of an object without its content. */
export interface GitObjectHead {
  readonly id: string;
  readonly type: string;
  /** Bytes. */
  readonly size: number;
}

/** A blob's content as a digest; small ones come with their bytes, which may be a pointer to others. */
export interface GitBlobDigest {
  readonly digest: Digest;
  readonly size: number;
  /** Undefined for blobs that are larger than was asked for. */
  readonly bytes: Buffer | undefined;
}

/** The objects of a repository, read by one git that stays (`git cat-file --batch`). */
export interface GitObjects {
  /** An object by its name, or by any revision that git understands; undefined if there is none. */
  read(name: string, options?: CallOptions): Promise<GitObject | undefined>;
  /** The sizes of objects; undefined for each that is not there. */
  heads(names: readonly string[], options?: CallOptions): Promise<readonly (GitObjectHead | undefined)[]>;
  /** Digests blobs as they pass, however large they are. */
  digests(names: readonly string[], options: DigestOptions): Promise<readonly (GitBlobDigest | undefined)[]>;
  close(): Promise<void>;
}

/** How blobs are digested. */
export interface DigestOptions extends CallOptions {
  /** Blobs up to this many bytes are kept. */
  readonly keep: number;
}

/** Opens the objects of a repository; git starts with the first question. */
export function openGitObjects(place: GitPlace): GitObjects {
  const contents = lazily(() => startBatch(place, "--batch"));
  const sizes = lazily(() => startBatch(place, "--batch-check"));
  return {
    async read(name, { signal } = {}) {
      signal?.throwIfAborted();
      return await contents.get().ask(name, readWhole);
    },
    async heads(names, { signal } = {}) {
      signal?.throwIfAborted();
      const batch = sizes.get();
      return await Promise.all(names.map((name) => batch.ask(name, (head) => ({ end: () => head }))));
    },
    async digests(names, { keep, signal }) {
      signal?.throwIfAborted();
      const batch = contents.get();
      return await Promise.all(names.map((name) => batch.ask(name, (head) => digesting(head, keep))));
    },
    async close() {
      await Promise.all([contents.close(), sizes.close()]);
    },
  };
}

function readWhole({ id, type, size }: GitObjectHead): Sink<GitObject> {
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  return {
    write: (chunk) => {
      bytes.set(chunk, at);
      at += chunk.length;
    },
    end: () => ({ id, type, bytes }),
  };
}

function digesting({ size }: GitObjectHead, keep: number): Sink<GitBlobDigest> {
  const digester = startDigest();
  const kept: Buffer[] = [];
  return {
    write: (chunk) => {
      digester.update(chunk);
      if (size <= keep) kept.push(Buffer.from(chunk));
    },
    end: () => ({ digest: digester.digest(), size, bytes: size <= keep ? Buffer.concat(kept) : undefined }),
  };
}

/** Receives one object. */
interface Sink<T> {
  /** Left out where git sends no content. */
  readonly write?: (chunk: Buffer) => void;
  readonly end: () => T;
}

interface Batch {
  ask<T>(name: string, open: (head: GitObjectHead) => Sink<T>): Promise<T | undefined>;
  close(): Promise<void>;
}

function lazily(start: () => Batch): { get(): Batch; close(): Promise<void> } {
  let batch: Batch | undefined;
  return {
    get: () => {
      batch ??= start();
      return batch;
    },
    close: async () => await batch?.close(),
  };
}

interface Question {
  readonly open: (head: GitObjectHead) => Sink<unknown>;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Questions go out as they come; git answers them in order. https://git-scm.com/docs/git-cat-file#_batch_output */
function startBatch(place: GitPlace, mode: "--batch" | "--batch-check"): Batch {
  const lines = openQueue();
  const waiting: Question[] = [];
  let failure: unknown;
  const running = startProcess("git", ["cat-file", mode], {
    cwd: place.directory,
    env: gitEnvironment(place.env),
    stdin: lines.items,
  });
  const done = answerAll(running, { waiting, hasContent: mode === "--batch" })
    .then((end) => gitFailure(end, { what: "read from the git repository", directory: place.directory }))
    .catch((error: unknown) => error)
    .then((error) => {
      failure = error;
      for (const { reject } of waiting.splice(0)) reject(error);
    });
  return {
    ask: <T>(name: string, open: (head: GitObjectHead) => Sink<T>) =>
      new Promise<T | undefined>((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        // A line break would be a second question.
        if (/[\n\0]/.test(name)) return resolve(undefined);
        waiting.push({ open, resolve: resolve as (answer: unknown) => void, reject });
        lines.push(`${name}\n`);
      }),
    async close() {
      lines.end();
      await done;
    },
  };
}

const answerForm = /^([0-9a-f]{40}|[0-9a-f]{64}) (\w+) ([0-9]+)$/;

/** Hands out answers until git ends. */
async function answerAll(
  { stdout, ended }: RunningProcess,
  { waiting, hasContent }: { waiting: Question[]; hasContent: boolean },
): Promise<Awaited<RunningProcess["ended"]>> {
  let rest: Buffer = Buffer.alloc(0);
  /** What of the content of the current object is to come, its closing line break included. */
  let left = 0;
  let sink: Sink<unknown> | undefined;
  const finish = () => {
    waiting.shift()?.resolve(sink?.end());
    sink = undefined;
  };
  for await (const piece of stdout) {
    let chunk = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece]);
    while (chunk.length > 0) {
      if (left > 0) {
        const length = Math.min(left, chunk.length);
        const content = chunk.subarray(0, Math.min(length, left - 1));
        if (content.length > 0) sink?.write?.(content);
        left -= length;
        chunk = chunk.subarray(length);
        if (left === 0) finish();
        continue;
      }
      const end = chunk.indexOf(0x0a);
      if (end === -1) break;
      const [, id, type, size] = answerForm.exec(chunk.toString("utf8", 0, end)) ?? [];
      chunk = chunk.subarray(end + 1);
      if (id === undefined) {
        waiting.shift()?.resolve(undefined);
        continue;
      }
      sink = waiting[0]?.open({ id, type: type as string, size: Number(size) });
      if (hasContent) left = Number(size) + 1;
      else finish();
    }
    rest = chunk;
  }
  if (waiting.length > 0 && left > 0) {
    throw new LayerwiseError("GIT_UNREADABLE", "could not read from the git repository: git ended within an object", {
      hint: "check the repository with git fsck",
    });
  }
  return await ended;
}

/** A stream that is written to while it is read. */
function openQueue(): { readonly items: AsyncIterable<Uint8Array>; push(line: string): void; end(): void } {
  let lines: string[] = [];
  let isEnded = false;
  let wake: () => void = () => undefined;
  async function* items(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (lines.length > 0) {
        const text = lines.join("");
        lines = [];
        yield Buffer.from(text);
      } else if (isEnded) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }
  return {
    items: items(),
    push: (line) => {
      lines.push(line);
      wake();
    },
    end: () => {
      isEnded = true;
      wake();
    },
  };
}
