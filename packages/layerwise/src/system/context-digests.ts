// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { CallOptions, ContextEntry } from "../ports.ts";
import type { Digest } from "../spec/digest.ts";
import { bufferBytes, digestOfFile, type ListedFile } from "./context-file.ts";
import { type DigestJob, digestBytes, doDigestJob, filesOfJob } from "./digest-job.ts";

/** Files and bytes from which on other threads are worth their start. */
const manyFiles = 4_000;
const manyBytes = 64 * 1024 * 1024;

/** Threads beside this one; more wait for the disk or for each other. */
const maxHelpers = 3;

/**
 * The digests of files in a directory, in their order. Many files are shared with other threads, since reading small
 * files costs more than hashing them, and each thread reads synchronously.
 *
 * @throws CONTEXT_CHANGED, CONTEXT_UNREADABLE
 */
export async function digestsOf(
  root: string,
  { files, signal }: { files: readonly ContextEntry[] } & CallOptions,
): Promise<Digest[]> {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const helpers = Math.min(maxHelpers, availableParallelism() - 1);
  const isMany = files.length > 1 && (files.length >= manyFiles || bytes >= manyBytes);
  if (!isMany || helpers < 1) return hashHere(root, { files, signal });
  return await hashTogether(root, { files, signal, helpers });
}

function hashHere(root: string, { files, signal }: { files: readonly ListedFile[] } & CallOptions): Digest[] {
  const buffer = Buffer.allocUnsafe(bufferBytes);
  return files.map((file) => {
    signal?.throwIfAborted();
    return digestOfFile(root, { file, buffer });
  });
}

/** What a helper could not do, or did not come to, is done here, where its error has a meaning. */
async function hashTogether(
  root: string,
  { files, signal, helpers }: { files: readonly ListedFile[]; helpers: number } & CallOptions,
): Promise<Digest[]> {
  const job = filesOfJob(root, files);
  const working = Array.from({ length: helpers }, () => startHelper(job));
  try {
    doDigestJob(job, signal);
    await Promise.all(working.map(({ done }) => done));
  } finally {
    await Promise.all(working.map(({ worker }) => worker.terminate()));
  }
  const buffer = Buffer.allocUnsafe(bufferBytes);
  const hashed = Buffer.from(job.results);
  return files.map((file, index) => {
    const own = hashed.subarray(index * digestBytes, (index + 1) * digestBytes);
    if (own.some((byte) => byte !== 0)) return `sha256:${own.toString("hex")}` as const;
    signal?.throwIfAborted();
    return digestOfFile(root, { file, buffer });
  });
}

interface Helper {
  readonly worker: Worker;
  /** Resolves in any case: what is missing is seen in the results. */
  readonly done: Promise<void>;
}

function startHelper(job: DigestJob): Helper {
  const worker = new Worker(new URL("./digest-worker.js", import.meta.url), { workerData: job });
  const done = new Promise<void>((resolve) => {
    worker.once("message", () => resolve());
    worker.once("error", () => resolve());
    worker.once("exit", () => resolve());
  });
  return { worker, done };
}
