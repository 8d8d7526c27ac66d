// SPDX-License-Identifier: Apache-2.0
import { mkdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { LabError } from "./lab-error.ts";

/**
 * The folder that holds everything the laboratory keeps: `$LAYERWISE_LAB`, else `layerwise-lab` in the temporary folder.
 *
 * Unpacked engines and base images in it are kept for the next run; `run/` holds what lives as long as its process.
 */
export async function labHome(): Promise<string> {
  const { LAYERWISE_LAB } = process.env;
  const home = resolve(LAYERWISE_LAB || join(tmpdir(), "layerwise-lab"));
  await mkdir(home, { recursive: true, mode: 0o755 });
  // Programs from this folder run as us: in a folder that all may write to, someone else could have made it first.
  if ((await stat(home)).uid !== process.getuid?.()) {
    throw new LabError(`could not use ${home}: it belongs to someone else; name another folder in LAYERWISE_LAB`);
  }
  return home;
}

/** The Debian mirror that the user prefers over the one of this machine's apt, from `$LAYERWISE_LAB_MIRROR`. */
export function preferredMirror(): string | undefined {
  const { LAYERWISE_LAB_MIRROR } = process.env;
  return LAYERWISE_LAB_MIRROR || undefined;
}

/** The environment of programs on this machine: ours, with the folders of system programs on the path. */
export function hostEnvironment(): Record<string, string | undefined> {
  return { ...process.env, PATH: searchPath().join(":"), LC_ALL: "C" };
}

/** The folders in which programs of this machine are looked for. */
export function searchPath(): readonly string[] {
  const { PATH = "" } = process.env;
  const listed = PATH.split(":").filter((folder) => folder !== "");
  return [...new Set([...listed, "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"])];
}
