// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { LayerwiseError } from "../error.ts";
import { type Digest, digestOf, startDigest } from "../spec/digest.ts";
import { encodeFileName, isUtf8Name } from "../spec/file-name.ts";

/** Bytes that are read at a time; one buffer serves all files. */
export const bufferBytes: number = 1024 * 1024;

/** A small file's text; undefined if it is not there. */
export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadable(path, error);
  }
}

const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What is needed of a file that was listed. */
export interface ListedFile {
  /** Relative to the context. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * The digest of a file's content.
 *
 * @param buffer of {@link bufferBytes}
 * @throws CONTEXT_CHANGED if it is not what was listed, CONTEXT_UNREADABLE
 */
export function digestOfFile(root: string, { file, buffer }: { file: ListedFile; buffer: Buffer }): Digest {
  const descriptor = openFile(root, file);
  try {
    return digestOfContent(descriptor, { file, buffer });
  } finally {
    closeSync(descriptor);
  }
}

function digestOfContent(descriptor: number, { file, buffer }: { file: ListedFile; buffer: Buffer }): Digest {
  let length = readPiece(descriptor, { file, buffer });
  // A regular file that gives less than was asked for has no more.
  if (length < buffer.length) {
    if (length !== file.size) throw changed(file);
    return digestOf(buffer.subarray(0, length));
  }
  const digester = startDigest();
  let size = 0;
  // What is no file any more may never end.
  for (; length > 0 && size <= file.size; length = readPiece(descriptor, { file, buffer })) {
    digester.update(buffer.subarray(0, length));
    size += length;
  }
  if (size !== file.size) throw changed(file);
  return digester.digest();
}

/** Reads on into a buffer; 0 at the end. Errors are those of {@link digestOfFile}. */
export function readPiece(descriptor: number, { file, buffer }: { file: ListedFile; buffer: Buffer }): number {
  try {
    return readSync(descriptor, buffer, 0, buffer.length, null);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A directory, or a pipe that nobody writes to, where a file was.
    throw code === "EISDIR" || code === "EAGAIN" ? changed(file) : unreadable(file.path, error);
  }
}

/** Links are not followed, and no pipe is waited for: what was a file when it was listed must still be one. */
export function openFile(root: string, file: ListedFile): number {
  try {
    const descriptor = openSync(fsPath(root, file.path), flags);
    // Of others the size shows that they are not what was listed.
    if (file.size > 0 || fstatSync(descriptor).isFile()) return descriptor;
    closeSync(descriptor);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ELOOP" || code === "ENOTDIR") throw changed(file);
    throw unreadable(file.path, error);
  }
  throw changed(file);
}

/** A path of the context for system calls. */
export function fsPath(root: string, path: string): string | Buffer {
  // Joined by hand: the path has nothing to normalize, and there is one for each file.
  if (isUtf8Name(path)) return path === "" ? root : `${root}/${path}`;
  return Buffer.concat([Buffer.from(`${root}/`), encodeFileName(path)]);
}

/** The error of a file that is not what it was when the context was listed. */
function changed(file: ListedFile): LayerwiseError {
  return new LayerwiseError("CONTEXT_CHANGED", `could not read ${file.path}: it changed during the build`, {
    hint: "build again when nothing writes into the build context, or name the file in the ignore file",
  });
}

/** The error of a path that cannot be read. */
export function unreadable(path: string, cause: unknown): LayerwiseError {
  const { code } = cause as NodeJS.ErrnoException;
  const isDenied = code === "EACCES" || code === "EPERM";
  const why = isDenied ? "permission denied" : code === "EISDIR" ? "it is a directory" : (code ?? String(cause));
  return new LayerwiseError("CONTEXT_UNREADABLE", `could not read ${path}: ${why}`, {
    cause,
    hint: code === "EISDIR" ? "name a file" : "give this user the right to read it, or name it in the ignore file",
  });
}
