// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { refusal } from "./refuse";

/** Where the app says what the root of the source is. */
export const sourceRootContext = "layerwise:source-root";

/** What the root of the source may depend on. */
export interface SourceRootHints {
  /** What the user named. */
  readonly named?: string;
  /** CODEBUILD_SRC_DIR, where synth runs in CodeBuild. */
  readonly codeBuild?: string;
}

/**
 * The path of a directory below the root of the source, with slashes: where the build finds it again in its own copy.
 *
 * The root is what the user names, else CodeBuild's folder of the source if the directory is in it, else the nearest
 * folder above with a `.git`, else the working directory.
 */
export function pathBelowSourceRoot(directory: string, hints: SourceRootHints): string {
  const root = rootOf(directory, hints);
  const path = relative(root, directory);
  if (path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path)) {
    throw refusal({
      what: `build the directory ${directory}`,
      why: `it is not below the root of the source, ${root}, so the build step would not have it`,
      fix: `move it there, or name another root with the context value "${sourceRootContext}"`,
    });
  }
  return path === "" ? "." : path.split(sep).join("/");
}

function rootOf(directory: string, { named, codeBuild }: SourceRootHints): string {
  if (named !== undefined) return resolve(named);
  if (codeBuild !== undefined && codeBuild !== "" && !relative(codeBuild, directory).startsWith("..")) return codeBuild;
  for (let folder = directory; dirname(folder) !== folder; folder = dirname(folder)) {
    if (existsSync(resolve(folder, ".git"))) return folder;
  }
  return process.cwd();
}
