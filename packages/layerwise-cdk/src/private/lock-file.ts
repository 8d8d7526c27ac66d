// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { refusal } from "./refuse";
import { packagedRunner } from "./runner-paths";
import { shellWord } from "./shell-word";

/** What a check of a lock file depends on. */
export interface LockedImage {
  readonly directory: string;
  /** Relative to the directory. */
  readonly file: string;
  /** Relative to the directory; undefined for the one beside the Dockerfile. */
  readonly lockFile?: string;
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly platforms: readonly string[];
}

/**
 * The digests of base images in a lock file, by their names in the Dockerfile.
 *
 * Throws if the file is not there, is no lock file, or does not name exactly the bases of the Dockerfile: the command
 * line reads both, without asking a registry.
 */
export function lockedBases(image: LockedImage): Record<string, string> {
  const path = join(image.directory, image.lockFile ?? join(dirname(image.file), "layerwise.lock"));
  const command = `npx layerwise lock ${lockArguments(image).map(shellWord).join(" ")}`;
  if (!existsSync(path)) {
    throw refusal({
      what: `lock the base images of ${image.directory}`,
      why: `there is no ${path}`,
      fix: `run \`${command}\` and commit the file, or set baseImages: BaseImages.unlocked()`,
    });
  }
  const bases = readBases(path);
  if (bases === undefined) {
    throw refusal({
      what: `read ${path}`,
      why: 'it is not of the form { "version": 1, "bases": { "<image>": "sha256:…" } }',
      fix: `write it again with \`${command}\``,
    });
  }
  checkNames(image, { path, command });
  return bases;
}

function readBases(path: string): Record<string, string> | undefined {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
  if (typeof content !== "object" || content === null) return undefined;
  const { version, bases } = content as { version?: unknown; bases?: unknown };
  if (version !== 1 || typeof bases !== "object" || bases === null || Array.isArray(bases)) return undefined;
  const isDigest = (value: unknown) => typeof value === "string" && /^sha256:[0-9a-f]{64}$/.test(value);
  return Object.values(bases).every(isDigest) ? (bases as Record<string, string>) : undefined;
}

/** Exit code 1 means that the file is out of date or that the Dockerfile cannot be read; both are told as they are. */
function checkNames(image: LockedImage, { path, command }: { path: string; command: string }): void {
  const args = [packagedRunner, "cli", "lock", ...lockArguments(image), "--check", "--offline"];
  const { status, stderr, error } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status === 0) return;
  throw refusal({
    what: `use ${path}`,
    why: error?.message ?? `the lock file and the Dockerfile do not agree\n${stderr.trimEnd()}`,
    fix: `run \`${command}\` and commit the file`,
  });
}

function lockArguments({ directory, file, lockFile, target, buildArgs, platforms }: LockedImage): readonly string[] {
  return [
    directory,
    ...(file === "Dockerfile" ? [] : ["-f", join(directory, file)]),
    ...(lockFile === undefined ? [] : ["--lock-file", join(directory, lockFile)]),
    ...(target === undefined ? [] : ["--target", target]),
    ...Object.entries(buildArgs).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...(platforms[0] === undefined ? [] : ["--platform", platforms[0]]),
  ];
}
