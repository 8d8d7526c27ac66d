// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import type { Spool, SpoolFile } from "../ports.ts";
import { onDisk } from "./disk-error.ts";
import type { Scratch } from "./scratch.ts";

/** What is smaller stays in memory: most layers of a source change are. */
const memoryBytes = 8 * 1024 * 1024;

/** Bytes that are read at a time. */
const chunkBytes = 1024 * 1024;

/** A spool whose files can be made to lie on disk. */
export interface DiskSpool extends Spool {
  /** A file that lies on disk from its first byte. */
  createOnDisk(): Promise<SpoolFile & { readonly path: string }>;
  /** Makes an empty folder. */
  createFolder(): Promise<string>;
}

/** Opens a spool. Its files lie in the scratch folder, and only those that outgrow memory. */
export function openSpool(scratch: Scratch): DiskSpool {
  return {
    create: async () => startFile(() => scratch.path(), memoryBytes),
    createOnDisk: async () => {
      const path = scratch.path();
      return { ...startFile(() => path, 0), path };
    },
    createFolder: async () => {
      const path = scratch.path();
      await onDisk(path, async () => await mkdir(path));
      return path;
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
    handle = await onDisk(path, async () => await open(path as string, "wx", 0o600));
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
  await onDisk(path, async () => {
    for (let done = 0; done < bytes.length; ) done += (await handle.write(bytes, done)).bytesWritten;
  });
}

async function* fromMemory(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function* fromDisk(path: string): AsyncGenerator<Uint8Array> {
  const handle = await onDisk(path, async () => await open(path, "r"));
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await onDisk(path, async () => await handle.read(buffer, 0, chunkBytes));
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
