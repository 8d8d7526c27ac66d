// SPDX-License-Identifier: Apache-2.0
import { chmod, link, lutimes, mkdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { run } from "../../../lab/src/index.ts";
import type { Entry } from "./corpus-case.ts";
import { contentOf } from "./corpus-tar.ts";

/**
 * Seconds since 1970 that files get in an edit, unless an entry says otherwise.
 *
 * Another edit gives another time, since engines take a file of the same size and time for unchanged
 * (https://github.com/moby/buildkit/issues/4817). All cases have the same times, since an engine that builds two of them
 * at once does what they have in common once.
 */
function timeOf(edit: number): number {
  return 1_700_000_000 + 60 * edit;
}

let calls = 0;

/** Puts entries into a build context, in the place of what was there; each call without a number is another edit. */
export async function writeEntries(
  folder: string,
  entries: readonly Entry[],
  options: { readonly edit?: number } = {},
): Promise<void> {
  calls += 1;
  const { edit = calls } = options;
  for (const entry of entries) await writeEntry(folder, entry);
  // Writing into a directory changes its time, so the times come last, those of directories from the inside out.
  for (const entry of [...entries].reverse()) await setTime(folder, { entry, time: timeOf(edit) });
}

/** Removes paths with all below them. */
export async function removePaths(folder: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(`${folder}/${path}`, { recursive: true });
}

/** Gives paths another time, as a new checkout does. */
export async function touchPaths(
  folder: string,
  { paths, edit }: { paths: readonly string[]; edit: number },
): Promise<void> {
  const time = timeOf(edit);
  for (const path of paths) await lutimes(`${folder}/${path}`, time, time);
}

async function writeEntry(folder: string, entry: Entry): Promise<void> {
  const path = placeOf(folder, entry);
  await makeParents(folder, entry.path);
  if (entry.type !== "directory") await rm(path, { recursive: true, force: true });
  switch (entry.type) {
    case "directory":
      await mkdir(path, { recursive: true });
      break;
    case "symlink":
      await symlink(encoded(entry, entry.target ?? ""), path);
      return;
    case "hardlink":
      await link(`${folder}/${entry.target}`, path);
      return;
    case "fifo":
      await run(["mkfifo", path.toString()]);
      break;
    case "socket":
      await run([
        "python3",
        "-c",
        "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
        path.toString(),
      ]);
      break;
    case "file":
    case "archive":
      await writeFile(path, contentOf(entry));
      break;
    default:
      throw new Error(`a build context of the corpus has no ${entry.type}`);
  }
  if (entry.uid !== undefined) await run(["chown", `${entry.uid}:${entry.gid ?? entry.uid}`, path.toString()]);
  if (entry.capability !== undefined) await run(["setcap", entry.capability, path.toString()]);
  // After the owner, whose change takes set bits away.
  await chmod(path, Number.parseInt(entry.mode ?? (entry.type === "directory" ? "0755" : "0644"), 8));
}

async function makeParents(folder: string, path: string): Promise<void> {
  const names = path.split("/").slice(0, -1);
  for (let length = 1; length <= names.length; length++) {
    const made = await mkdir(`${folder}/${names.slice(0, length).join("/")}`, { recursive: true });
    // The umask of whoever runs this must not matter.
    if (made !== undefined) await chmod(made, 0o755);
  }
}

async function setTime(folder: string, { entry, time }: { entry: Entry; time: number }): Promise<void> {
  const seconds = entry.mtime ?? time;
  const path = placeOf(folder, entry);
  if (entry.type === "symlink") await lutimes(path, seconds, seconds);
  else await utimes(path, seconds, seconds);
}

function placeOf(folder: string, entry: Entry): Buffer | string {
  return entry.names === "utf8"
    ? `${folder}/${entry.path}`
    : Buffer.concat([Buffer.from(`${folder}/`), encoded(entry, entry.path)]);
}

function encoded({ names }: Entry, text: string): Buffer {
  return Buffer.from(text, names);
}
