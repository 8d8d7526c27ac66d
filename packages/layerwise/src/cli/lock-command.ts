// SPDX-License-Identifier: Apache-2.0
import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BuildOptions } from "../build.ts";
import { LayerwiseError } from "../error.ts";
import { lockBases, lockedNames } from "../lock.ts";
import { decodeLockFile, encodeLockFile, type LockedBases, lockFileName } from "../spec/lock-file.ts";
import type { Wired } from "../wire.ts";
import type { CommandOptions, RawFlags } from "./options.ts";
import type { Surroundings } from "./run.ts";

/** `layerwise lock`: writes the digests of the images that a Dockerfile reads, or checks those that are written. */
export async function lockCommand(
  { check = false, offline = false }: RawFlags,
  {
    opened,
    options,
    wired,
    around,
  }: { opened: BuildOptions; options: CommandOptions; wired: Wired; around: Surroundings },
): Promise<void> {
  if (offline && !check) {
    throw new LayerwiseError("USAGE", "could not lock without asking a registry", {
      hint: "give --check with --offline, or drop --offline",
    });
  }
  const path = options.lockFile ?? besideDockerfile(opened);
  if (check) {
    const written = await readLockFile(path);
    const problems = offline
      ? differentNames(written, lockedNames(opened))
      : differentDigests(written, await lockBases(opened, wired.ports));
    if (problems.length > 0) throw outOfDate(path, problems);
    return void around.stdout.write(`${path} is up to date\n`);
  }
  const bases = await lockBases(opened, wired.ports);
  const text = encodeLockFile(bases);
  const isSame = text === (await textOf(path));
  if (!isSame) await writeWhole(path, text);
  for (const [name, digest] of bases) around.stdout.write(`${name} ${digest}\n`);
  around.stdout.write(`${path} ${isSame ? "is up to date" : "written"}\n`);
}

/** Reads a lock file; LOCK_OUT_OF_DATE if it is not there. */
export async function readLockFile(path: string): Promise<LockedBases> {
  const text = await textOf(path);
  if (text !== undefined) return decodeLockFile(text, path);
  throw new LayerwiseError("LOCK_OUT_OF_DATE", `could not read the lock file ${path}: there is none`, {
    hint: "write it with layerwise lock",
  });
}

function besideDockerfile({ dockerfile, context }: BuildOptions): string {
  if (dockerfile.file !== "-" && context.location.kind === "directory") {
    return join(dirname(dockerfile.file), lockFileName);
  }
  throw new LayerwiseError("USAGE", "could not write a lock file beside a Dockerfile that is no file here", {
    hint: "name the lock file with --lock-file",
  });
}

function differentNames(written: LockedBases, names: readonly string[]): readonly string[] {
  return [
    ...names.filter((name) => !written.has(name)).map((name) => `${name} is missing`),
    ...[...written.keys()].filter((name) => !names.includes(name)).map((name) => `${name} is not read any more`),
  ];
}

function differentDigests(written: LockedBases, now: LockedBases): readonly string[] {
  const moved = [...now].filter(([name, digest]) => written.has(name) && written.get(name) !== digest);
  return [
    ...differentNames(written, [...now.keys()]),
    ...moved.map(([name, digest]) => `${name} is ${digest} now, and locked to ${written.get(name)}`),
  ];
}

function outOfDate(path: string, problems: readonly string[]): LayerwiseError {
  return new LayerwiseError("LOCK_OUT_OF_DATE", `could not go by ${path}: it is out of date`, {
    details: { problems },
    hint: "run layerwise lock, and look at what the new images change",
  });
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw onLockFile("read", path, cause);
  }
}

/** A build that reads it meanwhile sees the old file or the new one. */
async function writeWhole(path: string, text: string): Promise<void> {
  const next = `${path}.${process.pid}`;
  try {
    await writeFile(next, text);
    await rename(next, path);
  } catch (cause) {
    throw onLockFile("write", path, cause);
  }
}

function onLockFile(verb: string, path: string, cause: unknown): LayerwiseError {
  const { code } = cause as NodeJS.ErrnoException;
  return new LayerwiseError("DISK", `could not ${verb} the lock file ${path}: ${code ?? String(cause)}`, {
    cause,
    hint: "name a file that this user may read and write with --lock-file",
  });
}
