// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { delegateCgroup } from "../cell/cgroup.ts";
import { claimInstance, type Instance } from "../cell/instance.ts";
import type { LinkBytes } from "../cell/link.ts";
import { limitRate } from "../cell/link-rate.ts";
import { openRoom, type Room } from "../cell/room.ts";
import { installPackages } from "../debian/install-packages.ts";
import { LabError } from "../host/lab-error.ts";
import type { Output, RunOptions } from "../host/run.ts";
import { type Daemon, dataFolder, startDaemon } from "./daemon.ts";
import { writeDockerShim } from "./docker-shim.ts";
import { unpackEngineRoot } from "./engine-root.ts";
import { type Generation, generations, type ImageStore } from "./generation.ts";

/** Which engine to start. */
export interface EngineOptions {
  readonly generation: Generation;
  /** Docker's own by default. */
  readonly store?: ImageStore | undefined;
  /** Registries that the engine may talk to over plain HTTP, as `host:port`. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** A folder that is seen at the same path where the engine lives: contexts, Dockerfiles, outputs, Docker configs. */
  readonly work?: string | undefined;
  /** The proxy through which it reaches registries over TLS, as a URL. */
  readonly httpsProxy?: string | undefined;
  /** Bytes of a disk of its own for its data, in this machine's memory; without it, all that the laboratory's has. */
  readonly diskBytes?: number | undefined;
}

/** A Docker engine of our own, with namespaces, network and data of its own. */
export interface Engine {
  readonly generation: Generation;
  readonly store: ImageStore;
  /** A unix socket that this machine's programs can reach, as the value of DOCKER_HOST. */
  readonly dockerHost: string;
  /** A folder with a `docker` program that works on this machine: put it first on the path. */
  readonly shim: string;
  /** The shared folder; one that vanishes with the engine unless it was given. */
  readonly work: string;
  /** Runs a program where the engine lives; DOCKER_HOST is set. The environment is added to that of the engine's place. */
  exec(argv: readonly string[], options?: RunOptions): Promise<Output>;
  /** The command line that runs a program of this machine in the engine's network; until the next wipe. */
  entering(argv: readonly string[]): readonly string[];
  /** Limits its network to a rate in both directions, from now on, also after a wipe. */
  limitRate(mbit: number): Promise<void>;
  /** Makes it an engine that was never used before, as on a CI machine that forgets everything; keeps the shared folder. */
  wipe(): Promise<void>;
  /** Ends it and deletes all that it had. */
  stop(): Promise<void>;
  /** Bytes over the engine's network since it was started, wipes included. */
  bytes(): Promise<LinkBytes>;
  /** What the daemon wrote since it was started or wiped. */
  log(): Promise<string>;
}

/** Names of the instance's folder that outlive a wipe. */
const kept = new Set(["bin", "owner.json", "work"]);

/**
 * Starts an engine; it ends with this process at the latest.
 *
 * @throws {LabError} if the generation has no such store, or this machine cannot run engines
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { generation, store = "classic" } = options;
  if (!generations[generation].stores.includes(store)) {
    throw new LabError(`could not start Docker ${generation}: it has no ${store} image store`);
  }
  await installPackages(["iproute2", "util-linux"]);
  const root = await unpackEngineRoot(generation);
  await delegateCgroup();
  const instance = await claimInstance(`docker-${generation}`);
  try {
    await refusePlace(instance.folder);
    const work = options.work ?? join(instance.folder, "work");
    await mkdir(work, { recursive: true });
    return await engineOf(instance, { ...options, store, root, work });
  } catch (error) {
    await instance.remove();
    throw error;
  }
}

interface EngineParts extends EngineOptions {
  readonly store: ImageStore;
  readonly root: string;
  readonly work: string;
}

interface Running {
  readonly room: Room;
  readonly daemon: Daemon;
}

async function engineOf(instance: Instance, parts: EngineParts): Promise<Engine> {
  const dockerHost = `unix://${join(instance.folder, "docker.sock")}`;
  let running = await begin(instance, parts);
  let carried: LinkBytes = { received: 0, sent: 0 };
  let rate: number | undefined;
  const environment = { ...running.room.environment, DOCKER_HOST: dockerHost };
  const shim = await writeDockerShim(instance.folder, environment);
  const bytes = async () => sum(carried, await running.room.link.bytes());
  return {
    generation: parts.generation,
    store: parts.store,
    dockerHost,
    shim,
    work: parts.work,
    exec: (argv, options = {}) =>
      running.room.run(argv, { ...options, env: { DOCKER_HOST: dockerHost, ...options.env } }),
    entering: (argv) => running.room.cell.entering(["net"], argv),
    limitRate: async (mbit) => {
      rate = mbit;
      await limitRate(running.room, mbit);
    },
    wipe: async () => {
      carried = await bytes();
      await running.room.cell.end();
      await forget(instance.folder);
      running = await begin(instance, parts);
      if (rate !== undefined) await limitRate(running.room, rate);
    },
    stop: () => instance.remove(),
    bytes,
    log: () => running.daemon.log(),
  };
}

async function begin(instance: Instance, parts: EngineParts): Promise<Running> {
  const room = await openRoom(instance, { root: parts.root, shared: [parts.work] });
  if (parts.diskBytes !== undefined) await addDisk(room, { at: dataFolder(instance.folder), bytes: parts.diskBytes });
  const daemon = await startDaemon(room, {
    state: instance.folder,
    cgroup: instance.id,
    generation: parts.generation,
    store: parts.store,
    insecureRegistries: parts.insecureRegistries ?? [],
    httpsProxy: parts.httpsProxy,
  });
  return { room, daemon };
}

/** It vanishes with the room. */
async function addDisk(room: Room, { at, bytes }: { readonly at: string; readonly bytes: number }): Promise<void> {
  await room.cell.run(["mkdir", "-p", at]);
  await room.cell.run(["mount", "-t", "tmpfs", "-o", `size=${bytes}`, "disk", at]);
}

async function forget(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!kept.has(name)) await rm(join(folder, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Whether a folder is on an overlay: another cannot lie on it, and Docker would quietly take another store. */
export async function isOnOverlay(folder: string): Promise<boolean> {
  const overlayMagic = 0x794c7630; // statfs(2)
  return (await statfs(folder)).type === overlayMagic;
}

/** The kernel limits the paths of sockets, too. */
async function refusePlace(folder: string): Promise<void> {
  const longestSocket = 107; // unix(7)
  const isLong = Buffer.byteLength(join(folder, "docker.sock")) > longestSocket;
  if (!isLong && !(await isOnOverlay(folder))) return;
  const why = isLong ? "its path is too long for a socket" : "it is on an overlay, and needs a volume";
  throw new LabError(`could not start an engine in ${folder}: ${why}; name another folder in LAYERWISE_LAB`);
}

function sum(one: LinkBytes, other: LinkBytes): LinkBytes {
  return { received: one.received + other.received, sent: one.sent + other.sent };
}
