// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LayerwiseError } from "../error.ts";
import type { Spool, SpoolFile } from "../ports.ts";

/** What is smaller stays in memory: most layers of a source change are. */
const memoryBytes = 8 * 1024 * 1024;

/** Bytes that are read at a time. */
const chunkBytes = 1024 * 1024;

/** A spool with an end. */
export interface DiskSpool extends Spool {
  /** A file that lies on disk from its first byte. */
  createOnDisk(): Promise<SpoolFile & { readonly path: string }>;
  /** Removes everything; synchronous, so that it works on the way out. */
  close(): void;
}

/**
 * Opens scratch space in the system's temporary directory. The directory is made when the first file outgrows memory.
 *
 * @param directory where; by default what TMPDIR says
 */
export function openSpool(directory?: string): DiskSpool {
  // An empty TMPDIR says nothing, as for every other program.
  const parent = directory === undefined || directory === "" ? tmpdir() : directory;
  let folder: string | undefined;
  let count = 0;
  const nextPath = (): string => {
    try {
      folder ??= mkdtempSync(join(parent, "layerwise-"));
    } catch (error) {
      throw diskError(parent, error);
    }
    count += 1;
    return join(folder, String(count));
  };
  return {
    create: async () => startFile(nextPath, memoryBytes),
    createOnDisk: async () => {
      const path = nextPath();
      return { ...startFile(() => path, 0), path };
    },
    close: () => {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function startFile(nextPath: () => string, inMemory: number): SpoolFile {
  let parts: Uint8Array[] = [];
  let length = 0;
  let path: string | undefined;
  let handle: FileHandle | undefined;

  async function spill(): Promise<FileHandle> {
    if (handle !== undefined) return handle;
    path = nextPath();
    handle = await attempt(path, async () => await open(path as string, "wx", 0o600));
    for (const part of parts) await writeAll(handle, { bytes: part, path });
    parts = [];
    return handle;
  }

  return {
    async write(chunk) {
      length += chunk.length;
      if (length <= inMemory) {
        parts.push(Uint8Array.from(chunk));
        return;
      }
      const file = await spill();
      await writeAll(file, { bytes: chunk, path: path as string });
    },
    async close() {
      if (inMemory === 0) await spill();
      await handle?.close();
      handle = undefined;
    },
    open: () => (path === undefined ? fromMemory(parts) : fromDisk(path)),
    async remove() {
      parts = [];
      await handle?.close();
      handle = undefined;
      if (path !== undefined) await rm(path, { force: true });
    },
  };
}

async function writeAll(handle: FileHandle, { bytes, path }: { bytes: Uint8Array; path: string }): Promise<void> {
  await attempt(path, async () => {
    for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
  });
}

async function* fromMemory(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function* fromDisk(path: string): AsyncGenerator<Uint8Array> {
  const handle = await attempt(path, async () => await open(path, "r"));
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await attempt(path, async () => await handle.read(buffer, 0, chunkBytes));
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskError(path, error);
  }
}

function diskError(path: string, cause: unknown): LayerwiseError {
  const { code } = cause as NodeJS.ErrnoException;
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new LayerwiseError("DISK", `could not write ${path}: ${full ? "the disk is full" : (code ?? String(cause))}`, {
    cause,
    hint: full
      ? "free space there, or set TMPDIR to a folder with more"
      : "set TMPDIR to a folder that this user may write",
  });
}
