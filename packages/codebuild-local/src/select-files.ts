// SPDX-License-Identifier: Apache-2.0
import { cp, mkdir, stat } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import picomatch from "picomatch";
import { glob } from "tinyglobby";

/** Which files of a folder are meant, in the words of a buildspec. */
export interface FileSelection {
  /** Paths and patterns, relative to the base directory; a folder stands for all that is in it. */
  readonly files: readonly string[];
  readonly excludes: readonly string[];
  /** Relative to the source; it may be a pattern, which stands for all folders that match. */
  readonly baseDirectory: string | undefined;
  readonly discardsPaths: boolean;
}

/** A file, and where it goes. */
export interface SelectedFile {
  readonly path: string;
  /** Relative. */
  readonly destination: string;
}

/**
 * The files that artifacts or reports name, sorted.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.artifacts.files
 */
export async function selectFiles(source: string, selection: FileSelection): Promise<readonly SelectedFile[]> {
  const excluded = picomatch([...selection.excludes], { dot: true });
  const selected = new Map<string, SelectedFile>();
  for (const base of await basesOf(source, selection.baseDirectory)) {
    for (const pattern of selection.files) {
      for (const path of await filesOf(base, pattern)) {
        const inner = relative(base, path);
        if (selection.excludes.length > 0 && excluded(inner)) continue;
        const destination = selection.discardsPaths ? basename(path) : inner.replace(/^(?:\.\.\/)+/, "");
        selected.set(path, { path, destination });
      }
    }
  }
  return [...selected.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
}

async function basesOf(source: string, directory: string | undefined): Promise<readonly string[]> {
  if (directory === undefined) return [source];
  if (!isPattern(directory)) return [join(source, directory)];
  return await glob(directory, {
    cwd: source,
    onlyDirectories: true,
    absolute: true,
    dot: true,
    expandDirectories: false,
  });
}

async function filesOf(base: string, pattern: string): Promise<readonly string[]> {
  if (!isPattern(pattern)) {
    const path = join(base, pattern);
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() !== true) return found === undefined ? [] : [path];
    return await filesOf(path, "**/*");
  }
  return await glob(pattern, {
    cwd: base,
    absolute: true,
    dot: true,
    expandDirectories: false,
    followSymbolicLinks: false,
  });
}

function isPattern(text: string): boolean {
  return /[*?[\]{}!]/.test(text);
}

/** Copies files to a folder. */
export async function copyFiles(files: readonly SelectedFile[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { path, destination } of files) {
    await mkdir(dirname(join(folder, destination)), { recursive: true });
    await cp(path, join(folder, destination), { dereference: true, preserveTimestamps: true });
  }
}
