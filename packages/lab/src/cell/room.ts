// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Output, type RunOptions, run } from "../host/run.ts";
import { type Cell, type Namespace, startCell } from "./cell.ts";
import type { Instance } from "./instance.ts";
import { addLink, type Link } from "./link.ts";

/** A cell that sees an unpacked Debian root as its file system. */
export interface Room {
  readonly cell: Cell;
  readonly link: Link;
  /** The environment of programs in the room. */
  readonly environment: Readonly<Record<string, string>>;
  /** The command line that runs a command in the room. */
  entering(argv: readonly string[], options?: EnterOptions): readonly string[];
  /** Runs a program in the room. */
  run(argv: readonly string[], options?: RunOptions & EnterOptions): Promise<Output>;
}

/** Where in the room a command runs. */
export interface EnterOptions {
  /** A folder that the room shares with this machine. */
  readonly cwd?: string | undefined;
  /** Use this machine's network instead of the room's. */
  readonly hostNetwork?: boolean | undefined;
}

/** Which root, and what of this machine is seen in it. */
export interface RoomOptions {
  /** The unpacked root; never written to. */
  readonly root: string;
  /** Folders that appear at the same path inside, besides the instance's own. */
  readonly shared: readonly string[];
}

/** Folders of the instance that hold what programs in the room write. */
const folders: readonly string[] = ["room", "tmp", "containers", "home", "nowhere"];

/**
 * Changes the cell's root. What is written beside the shared folders goes to memory and vanishes with the cell:
 * many rooms use one root at once. The root is entered with pivot_root, since runc does so once more and needs a
 * mount point for it. /sys comes with its cgroup mounts, which a fresh one would not show. Nobody answers as name
 * server, so that looking up a name fails at once: a room reaches this machine only.
 */
const enterRoot = `
  set -e
  root=$1 state=$2; shift 2
  mount -t tmpfs -o mode=0755 room "$state/room"; cd "$state/room"
  mkdir lower upper overlay root
  mount --bind "$root" lower
  mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=overlay overlay root
  cd root
  mkdir -p proc sys dev run tmp var/tmp var/lib/containers old
  mount -t proc proc proc; mount --rbind /sys sys; mount --rbind /dev dev
  mount -t tmpfs -o mode=0755 run run
  mount --bind "$state/tmp" tmp; mount --bind "$state/tmp" var/tmp
  mount --bind "$state/containers" var/lib/containers
  for folder in "$@" "$state"; do mkdir -p ".$folder"; mount --bind "$folder" ".$folder"; done
  echo "nameserver 127.0.0.1" > etc/resolv.conf
  pivot_root . old; umount -l /old`;

/**
 * The shell words that start a command in a room: go to a folder if it is seen there, else to an empty one, and end
 * with the process that entered, since a signal for that one would not reach beyond it.
 */
export const startInRoom = 'cd -- "$1" 2>/dev/null || cd "$2"; shift 2; exec setpriv --pdeathsig TERM -- "$@"';

/** Opens a room; it ends with the instance. */
export async function openRoom(instance: Instance, options: RoomOptions): Promise<Room> {
  for (const name of folders) await mkdir(join(instance.folder, name), { recursive: true });
  await chmod(join(instance.folder, "tmp"), 0o1777);
  // Programs name a folder as it was given, or as the kernel says where they are.
  const shared = new Set<string>();
  for (const folder of options.shared) shared.add(resolve(folder)).add(await realpath(folder));
  const cell = await startCell(instance, { network: true });
  const link = await addLink(cell);
  await cell.run(["bash", "-c", enterRoot, "bash", options.root, instance.folder, ...shared]);
  return roomOf(instance, { cell, link });
}

function roomOf(instance: Instance, parts: Pick<Room, "cell" | "link">): Room {
  const environment = {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: join(instance.folder, "home"),
    TMPDIR: "/tmp",
    LC_ALL: "C.UTF-8",
  };
  const nowhere = join(instance.folder, "nowhere");
  const entering: Room["entering"] = (argv, options = {}) => {
    const namespaces: Namespace[] = options.hostNetwork ? ["mount", "pid"] : ["mount", "pid", "net"];
    return parts.cell.entering(namespaces, ["sh", "-c", startInRoom, "sh", options.cwd ?? nowhere, nowhere, ...argv]);
  };
  return {
    ...parts,
    environment,
    entering,
    run: (argv, { cwd, hostNetwork, ...options } = {}) =>
      run(entering(argv, { cwd, hostNetwork }), { ...options, env: { ...environment, ...options.env } }),
  };
}
