// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from "node:crypto";
import { closeSync, existsSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { join } from "node:path";
import { IgnoreStrategy } from "aws-cdk-lib";
import { refusal } from "./refuse";

/** Raised when the same inputs get another digest, or other inputs the same one. */
const version = "layerwise-cdk-content-1";

/** Bytes that are read of a file at once. */
const chunk = 1 << 16;

/** What an image is made of, besides the files of its build context. */
export interface ContentInputs {
  readonly directory: string;
  /** Relative to the directory. */
  readonly file: string;
  /** Everything else, by name: values are compared as JSON. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * The digest of everything that synth knows of an image: hexadecimal, 64 digits.
 *
 * Of each file that the ignore file leaves in the context: path, type, permissions, content or target of the link. No
 * times, owners or absolute paths. Names and values are framed by their length.
 */
export function contentHashOf({ directory, file, settings }: ContentInputs): string {
  const hash = createHash("sha256").update(version);
  frame(hash, canonical(settings));
  const dockerfile = readFileSync(join(directory, file));
  frame(hash, dockerfile);
  const ignored = ignorePatterns(directory, file);
  frame(hash, ignored.join("\n"));
  const strategy = IgnoreStrategy.docker(directory, [...ignored]);
  const visit = (folder: string): void => {
    for (const name of readdirSync(join(directory, folder)).sort()) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const absolute = join(directory, path);
      const isDirectory = lstatSync(absolute).isDirectory();
      if (isDirectory ? strategy.completelyIgnores(absolute) : strategy.ignores(absolute)) continue;
      addEntry(hash, { path, absolute });
      if (isDirectory) visit(path);
    }
  };
  visit("");
  return hash.digest("hex");
}

function addEntry(hash: Hash, { path, absolute }: { path: string; absolute: string }): void {
  const stats = lstatSync(absolute);
  frame(hash, path);
  frame(hash, (stats.mode & 0o7777).toString(8));
  if (stats.isDirectory()) frame(hash, "directory");
  else if (stats.isSymbolicLink()) frame(hash, `link ${readlinkSync(absolute)}`);
  else if (stats.isFile()) addFile(hash, { absolute, size: stats.size });
  else {
    throw refusal({
      what: `hash the build context ${absolute}`,
      why: "it is no file, directory or link",
      fix: "remove it, or name it in .dockerignore",
    });
  }
}

function addFile(hash: Hash, { absolute, size }: { absolute: string; size: number }): void {
  frame(hash, `file ${size}`);
  const opened = openSync(absolute, "r");
  try {
    const bytes = Buffer.alloc(chunk);
    for (let count = readSync(opened, bytes); count > 0; count = readSync(opened, bytes)) {
      hash.update(bytes.subarray(0, count));
    }
  } finally {
    closeSync(opened);
  }
}

/** The ignore file beside the Dockerfile goes before the one of the context, as in BuildKit. */
function ignorePatterns(directory: string, file: string): readonly string[] {
  const path = [`${file}.dockerignore`, ".dockerignore"].map((name) => join(directory, name)).find(existsSync);
  if (path === undefined) return [];
  return readFileSync(path, "utf8")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function frame(hash: Hash, value: string | Buffer): void {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  hash.update(`\n${bytes.length}:`).update(bytes);
}

/** JSON with the keys of all objects in order, so that the order in which they were written is no input. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}
