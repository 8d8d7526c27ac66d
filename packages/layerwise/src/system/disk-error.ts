// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";

/** The error of scratch space that cannot be written or read. */
export function diskError(path: string, cause: unknown): LayerwiseError {
  const { code } = cause as NodeJS.ErrnoException;
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new LayerwiseError("DISK", `could not write ${path}: ${full ? "the disk is full" : (code ?? String(cause))}`, {
    cause,
    hint: full
      ? "free space there, or set TMPDIR to a folder with more"
      : "set TMPDIR to a folder that this user may write",
  });
}

/** Works on a scratch file; what the disk refuses is DISK. */
export async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskError(path, error);
  }
}
