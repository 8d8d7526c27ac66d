// SPDX-License-Identifier: Apache-2.0
import { decodeFileName } from "./file-name.ts";

/** What a commit says. https://git-scm.com/book/en/v2/Git-Internals-Git-Objects */
export interface GitCommit {
  /** The object's name. */
  readonly id: string;
  readonly tree: string;
  readonly parents: readonly string[];
  /** When it was committed, in seconds since 1970. */
  readonly time: number;
  /** The first line of its message. */
  readonly subject: string;
}

/** What a name in a tree stands for. */
export type GitKind = "directory" | "file" | "symlink" | "submodule";

/** One name in a tree. */
export interface GitTreeEntry {
  readonly name: string;
  readonly kind: GitKind;
  readonly isExecutable: boolean;
  /** The object's name; of a submodule the commit of the other repository. */
  readonly id: string;
}

/** The form of an object's name: SHA-1, or SHA-256 in repositories that use it. */
const objectName = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Whether a text is the full name of an object. */
function isObjectName(text: string): boolean {
  return objectName.test(text);
}

/** Reads a commit object; undefined if it is none. */
export function decodeCommit(id: string, bytes: Uint8Array): GitCommit | undefined {
  const text = new TextDecoder().decode(bytes);
  const end = text.indexOf("\n\n");
  const head = (end === -1 ? text : text.slice(0, end)).split("\n");
  const valuesOf = (field: string) =>
    head.filter((line) => line.startsWith(`${field} `)).map((line) => line.slice(field.length + 1));
  const [tree = ""] = valuesOf("tree");
  const time = Number(/ (-?[0-9]+) [+-][0-9]+$/.exec(valuesOf("committer")[0] ?? "")?.[1] ?? Number.NaN);
  if (!isObjectName(tree) || Number.isNaN(time)) return undefined;
  const message = end === -1 ? "" : text.slice(end + 2);
  return { id, tree, parents: valuesOf("parent"), time, subject: message.trimStart().split("\n")[0] ?? "" };
}

/**
 * Reads a tree object, in git's own order.
 *
 * @param id name of the tree, from which the length of the names in it follows
 * @returns undefined if it is damaged, or has a name that could lead out of it
 */
export function decodeTree(id: string, content: Uint8Array): readonly GitTreeEntry[] | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const idBytes = id.length / 2;
  const entries: GitTreeEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const nul = bytes.indexOf(0, space);
    const end = nul + 1 + idBytes;
    if (space === -1 || nul === -1 || end > bytes.length) return undefined;
    const kind = kindOf(bytes.toString("latin1", at, space));
    const name = decodeFileName(bytes.subarray(space + 1, nul));
    if (kind === undefined || name === "" || name === "." || name === ".." || name.includes("/")) return undefined;
    entries.push({ name, ...kind, id: bytes.toString("hex", nul + 1, end) });
    at = end;
  }
  return entries;
}

/** Modes as git writes them; of permissions it keeps one bit (fsck, `fsck_tree`; old repositories have 100664). */
function kindOf(mode: string): Pick<GitTreeEntry, "kind" | "isExecutable"> | undefined {
  const bits = Number.parseInt(mode, 8);
  switch (bits & 0o170000) {
    case 0o040000:
      return { kind: "directory", isExecutable: true };
    case 0o100000:
      return { kind: "file", isExecutable: (bits & 0o100) !== 0 };
    case 0o120000:
      return { kind: "symlink", isExecutable: false };
    case 0o160000:
      return { kind: "submodule", isExecutable: false };
    default:
      return undefined;
  }
}

/** What a file of Git LFS stands for. */
export interface LfsPointer {
  /** SHA-256 of the content, 64 hexadecimal digits. */
  readonly hex: string;
  /** Bytes of the content. */
  readonly size: number;
}

/** Most bytes of a pointer; the specification allows fewer than this. */
export const maxPointerBytes = 1024;

/** Reads a pointer of Git LFS; undefined if a file is none. https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
export function decodeLfsPointer(content: Uint8Array): LfsPointer | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  if (bytes.length >= maxPointerBytes || !bytes.subarray(0, 8).equals(Buffer.from("version "))) return undefined;
  const lines = bytes.toString("utf8").split("\n");
  if (!/^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\//.test(lines[0] ?? "")) return undefined;
  const find = (form: RegExp) => lines.map((line) => form.exec(line)?.[1]).find((value) => value !== undefined);
  const hex = find(/^oid sha256:([0-9a-f]{64})$/);
  const size = find(/^size ([0-9]+)$/);
  return hex === undefined || size === undefined ? undefined : { hex, size: Number(size) };
}

/**
 * What a `.gitattributes` asks of a checkout that makes files differ from their blobs; undefined if nothing.
 * https://git-scm.com/docs/gitattributes
 */
export function conversionIn(attributes: string): string | undefined {
  for (const line of attributes.split("\n")) {
    if (line.trimStart().startsWith("#")) continue;
    const found = line
      .split(/\s+/)
      .slice(1)
      .find((word) => /^(?:eol=crlf|working-tree-encoding=.+|ident|filter=(?!lfs$).+)$/.test(word));
    if (found !== undefined) return found;
  }
  return undefined;
}
