// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import type { Room } from "../cell/room.ts";
import { startServer } from "../cell/server.ts";
import { LabError } from "../host/lab-error.ts";
import type { Generation, ImageStore } from "./generation.ts";

/** What a daemon needs to know. */
export interface DaemonOptions {
  /** The folder for its data, socket and log. */
  readonly state: string;
  readonly cgroup: string;
  readonly generation: Generation;
  readonly store: ImageStore;
  readonly insecureRegistries: readonly string[];
  readonly httpsProxy: string | undefined;
}

/** A dockerd that answers; it ends with its room. */
export interface Daemon {
  /** What it wrote so far. */
  log(): Promise<string>;
}

/** Characters of the log that an error quotes. */
const quotedLog = 4_000;

/** Where a daemon keeps images, build caches and containers. */
export function dataFolder(state: string): string {
  return join(state, "data");
}

/** Starts dockerd in a room and waits until it answers. */
export async function startDaemon(room: Room, options: DaemonOptions): Promise<Daemon> {
  const at = (name: string) => join(options.state, name);
  await writeFile(at("daemon.json"), JSON.stringify(configOf(room, options)));
  const argv = room.entering([
    "dockerd",
    `--config-file=${at("daemon.json")}`,
    `--data-root=${dataFolder(options.state)}`,
    `--host=unix://${at("docker.sock")}`,
    // In the room's memory: paths of sockets have to be short.
    "--exec-root=/run/docker",
    "--pidfile=/run/docker.pid",
    `--cgroup-parent=/${options.cgroup}`,
    // Without systemd in the room nobody else would manage the groups.
    "--exec-opt=native.cgroupdriver=cgroupfs",
  ]);
  const [stdout, stderr] = [at("dockerd.log"), at("dockerd.log")];
  const log = () => readFile(stdout, "utf8");
  const answers = () => ping(at("docker.sock"));
  const proxy = options.httpsProxy === undefined ? {} : { HTTPS_PROXY: options.httpsProxy };
  const failure = await startServer(argv, { env: { ...room.environment, ...proxy }, stdout, stderr, answers });
  if (failure === undefined) return { log };
  throw new LabError(`could not start Docker ${options.generation}: ${failure}\n${(await log()).slice(-quotedLog)}`);
}

function configOf(room: Room, options: DaemonOptions): unknown {
  // BuildKit of generation 20 believes an entry only if it has its scheme; with it, pull and push work as well.
  const scheme = options.generation === 20 ? "http://" : "";
  const containerd = options.generation === 20 ? {} : { "containerd-snapshotter": options.store === "containerd" };
  return {
    "insecure-registries": options.insecureRegistries.map((registry) => `${scheme}${registry}`),
    features: { buildkit: true, ...containerd },
    // Docker would replace the room's name server by a public one. Here nobody answers either, and is not waited for.
    dns: [room.link.hostAddress],
    "dns-opts": ["timeout:1", "attempts:1"],
  };
}

/** https://docs.docker.com/reference/api/engine/version/v1.41/#tag/System/operation/SystemPing */
function ping(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const outgoing = request({ socketPath, path: "/_ping", agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    outgoing.once("timeout", () => outgoing.destroy(new Error("no answer")));
    outgoing.once("error", () => resolve(false));
    outgoing.end();
  });
}
