// SPDX-License-Identifier: Apache-2.0
import type { Spool, SpoolFile } from "../src/ports.ts";

/** Scratch space in memory that knows what is left in it. */
export interface MemorySpool extends Spool {
  /** Files that were not removed. */
  readonly files: ReadonlySet<SpoolFile>;
}

/** Opens scratch space in memory, as strict as a disk: what is removed or not closed cannot be read. */
export function openMemorySpool(): MemorySpool {
  const files = new Set<SpoolFile>();
  return {
    files,
    async create() {
      const file = startFile(() => files.delete(file));
      files.add(file);
      return file;
    },
  };
}

function startFile(onRemove: () => void): SpoolFile {
  const parts: Uint8Array[] = [];
  let state: "open" | "closed" | "removed" = "open";
  const demand = (wanted: typeof state, what: string) => {
    if (state !== wanted) throw new Error(`a scratch file that is ${state} cannot be ${what}`);
  };
  return {
    async write(chunk) {
      demand("open", "written");
      parts.push(Uint8Array.from(chunk));
    },
    async close() {
      demand("open", "closed");
      state = "closed";
    },
    async *open() {
      demand("closed", "read");
      yield* parts;
    },
    async remove() {
      state = "removed";
      parts.length = 0;
      onRemove();
    },
  };
}
