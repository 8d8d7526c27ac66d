// SPDX-License-Identifier: Apache-2.0
import { chmodSync, closeSync, constants, mkdirSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import { isLayerwiseError } from "../error.ts";
import type { BuildContext, CallOptions, ContextEntry } from "../ports.ts";
import { encodeFileName } from "../spec/file-name.ts";
import { entriesIn } from "./context-tree.ts";
import { diskError } from "./disk-error.ts";

/**
 * Writes a build context into an empty folder, as a checkout would: types, permissions, links and contents.
 *
 * @throws DISK if something cannot be written
 */
export async function writeContext(
  context: BuildContext,
  { folder, signal }: { folder: string } & CallOptions,
): Promise<void> {
  const tree = await context.list(() => false, { signal });
  const directories: ContextEntry[] = [];
  try {
    for (const entry of entriesIn(tree)) {
      const path = Buffer.concat([Buffer.from(`${folder}/`), encodeFileName(entry.path)]);
      if (entry.kind === "symlink") symlinkSync(encodeFileName(entry.target ?? ""), path);
      else if (entry.kind === "directory") {
        if (entry.path !== "") mkdirSync(path);
        directories.push(entry);
      } else if (entry.kind === "file") await writeFile(context, { entry, path, signal });
    }
    // Last, since one that may not be written to holds files too.
    for (const { path, mode } of directories.reverse()) {
      chmodSync(Buffer.concat([Buffer.from(`${folder}/`), encodeFileName(path)]), mode);
    }
  } catch (error) {
    throw isLayerwiseError(error) || signal?.aborted === true ? error : diskError(folder, error);
  }
}

async function writeFile(
  context: BuildContext,
  { entry, path, signal }: { entry: ContextEntry; path: Buffer } & CallOptions,
): Promise<void> {
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
  const descriptor = openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
  try {
    for await (const chunk of context.open(entry, { signal })) writeFileSync(descriptor, chunk);
  } finally {
    closeSync(descriptor);
  }
  chmodSync(path, entry.mode);
}
