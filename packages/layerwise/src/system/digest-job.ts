// SPDX-License-Identifier: Apache-2.0
import { isLayerwiseError } from "../error.ts";
import { hexOf } from "../spec/digest.ts";
import { bufferBytes, digestOfFile, type ListedFile } from "./context-file.ts";

/** Files to hash, shared by threads: each takes some that nobody has taken yet. */
export interface DigestJob {
  readonly root: string;
  /** The paths, with a NUL behind each. */
  readonly paths: string;
  /** Bytes of each file, as 64-bit floating point numbers. */
  readonly sizes: SharedArrayBuffer;
  /** The SHA-256 of each file; zeros where there is none yet. */
  readonly results: SharedArrayBuffer;
  /** One 32-bit integer: how many files are taken. */
  readonly taken: SharedArrayBuffer;
}

/** Bytes of a SHA-256. */
export const digestBytes = 32;

/** Files that a thread takes at a time, at most: few enough that all end together. */
const mostAtOnce = 256;

/** Makes a job of files. */
export function filesOfJob(root: string, files: readonly ListedFile[]): DigestJob {
  const sizes = new SharedArrayBuffer(files.length * Float64Array.BYTES_PER_ELEMENT);
  new Float64Array(sizes).set(files.map(({ size }) => size));
  return {
    root,
    paths: files.map(({ path }) => `${path}\0`).join(""),
    sizes,
    results: new SharedArrayBuffer(files.length * digestBytes),
    taken: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
  };
}

/** Hashes files of a job until none is left. A file that cannot be read is left out. */
export function doDigestJob(job: DigestJob, signal?: AbortSignal): void {
  const paths = job.paths.split("\0").slice(0, -1);
  const sizes = new Float64Array(job.sizes);
  const results = Buffer.from(job.results);
  const taken = new Int32Array(job.taken);
  const buffer = Buffer.allocUnsafe(bufferBytes);
  const atOnce = Math.max(1, Math.min(mostAtOnce, Math.floor(paths.length / 64)));
  for (;;) {
    const start = Atomics.add(taken, 0, atOnce);
    if (start >= paths.length) return;
    for (const [offset, path] of paths.slice(start, start + atOnce).entries()) {
      signal?.throwIfAborted();
      const index = start + offset;
      try {
        const digest = digestOfFile(job.root, { file: { path, size: sizes[index] as number }, buffer });
        results.write(hexOf(digest), index * digestBytes, "hex");
      } catch (error) {
        if (!isLayerwiseError(error)) throw error;
      }
    }
  }
}
