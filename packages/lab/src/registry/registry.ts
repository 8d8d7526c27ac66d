// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Cell, startCell } from "../cell/cell.ts";
import { claimInstance, type Instance } from "../cell/instance.ts";
import { addLink } from "../cell/link.ts";
import { startServer } from "../cell/server.ts";
import { installPackages } from "../debian/install-packages.ts";
import { LabError } from "../host/lab-error.ts";
import { searchPath } from "../host/lab-home.ts";
import { parseAccessLog, type RegistryRequest } from "./access-log.ts";
import { htpasswdLine } from "./htpasswd.ts";
import { type Credentials, httpRequest } from "./http.ts";

/** Which registry to start. */
export interface RegistryOptions {
  /** The address to listen on; by default one of its own that this machine and all engines reach. */
  readonly host?: string | undefined;
  /** The only user; without one, everybody may do everything. */
  readonly auth?: Credentials | undefined;
  /** Whether manifests and blobs may be deleted; true by default. */
  readonly delete?: boolean | undefined;
}

/** Where a registry answers. */
export interface RegistryPlace {
  /** As in references: `address:port`. */
  readonly name: string;
  readonly address: string;
  readonly auth: Credentials | undefined;
}

/** Debian's docker-registry over plain HTTP, with data of its own. */
export interface Registry extends RegistryPlace {
  /** The requests answered so far, or since a mark, in the order of their ends. */
  requests(since?: number): Promise<readonly RegistryRequest[]>;
  /** A point to count requests from. */
  mark(): Promise<number>;
  /** Deletes all that it holds; it keeps its name and its log. */
  wipe(): Promise<void>;
  /** Ends it and deletes all that it had. */
  stop(): Promise<void>;
}

/** Milliseconds. */
const logTimeout = 10_000;
/** The port at an address that nobody else uses. */
const ownPort = 5000;
/** Marks requests of ours in the log. */
const probe = "layerwise-lab-probe";

/** Starts a registry; it ends with this process at the latest. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  await installPackages(["docker-registry", "iproute2", "util-linux"]);
  const instance = await claimInstance("registry");
  try {
    const cell = await startCell(instance, { network: options.host === undefined });
    const address = options.host ?? (await addLink(cell)).hostAddress;
    const port = await serve(cell, { instance, address, options });
    return registryOf(instance, { name: `${address}:${port}`, address, auth: options.auth });
  } catch (error) {
    await instance.remove();
    throw error;
  }
}

interface Serving {
  readonly instance: Instance;
  readonly address: string;
  readonly options: RegistryOptions;
}

/** Starts the program, and returns its port. */
async function serve(cell: Cell, { instance, address, options }: Serving): Promise<number> {
  const at = (name: string) => join(instance.folder, name);
  const { auth } = options;
  if (auth !== undefined) await writeFile(at("htpasswd"), await htpasswdLine(auth), { mode: 0o600 });
  await writeFile(at("config.json"), JSON.stringify(configOf(at, { address, options })));
  // Among the cell's processes, so that it ends with them, but in this machine's network, where its address is.
  const failure = await startServer(cell.entering(["pid"], ["docker-registry", "serve", at("config.json")]), {
    env: { PATH: searchPath().join(":") }, // Variables of its own would override its configuration.
    stdout: at("access.log"),
    stderr: at("registry.log"),
    answers: async () => (await portIn(at("registry.log"))) !== undefined,
  });
  const port = await portIn(at("registry.log"));
  if (failure === undefined && port !== undefined) return port;
  const said = (await readFile(at("registry.log"), "utf8")).slice(-2_000);
  throw new LabError(`could not start a registry on ${address}: ${failure}\n${said}`);
}

/** The program chooses a port itself, so that no other one can take it first, and says so once it listens. */
async function portIn(log: string): Promise<number | undefined> {
  const port = /listening on [^ ]*:(\d+)/.exec(await readFile(log, "utf8"))?.[1];
  return port === undefined ? undefined : Number(port);
}

/** https://distribution.github.io/distribution/about/configuration/ */
function configOf(at: (name: string) => string, { address, options }: Omit<Serving, "instance">): unknown {
  const htpasswd = { realm: "layerwise-lab", path: at("htpasswd") };
  const port = options.host === undefined ? ownPort : 0;
  return {
    version: "0.1",
    log: { level: "info", accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: at("data") },
      delete: { enabled: options.delete ?? true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: `${address}:${port}`, secret: randomBytes(16).toString("hex") },
    ...(options.auth === undefined ? {} : { auth: { htpasswd } }),
  };
}

function registryOf(instance: Instance, place: RegistryPlace): Registry {
  const log = join(instance.folder, "access.log");
  const answered = async () => {
    await settle(log, place);
    return parseAccessLog(await readFile(log, "utf8")).filter(({ path }) => !path.includes(probe));
  };
  return {
    ...place,
    requests: async (since = 0) => (await answered()).slice(since),
    mark: async () => (await answered()).length,
    wipe: async () => {
      const [data, old] = [join(instance.folder, "data"), join(instance.folder, "old")];
      await mkdir(data, { recursive: true });
      await rename(data, old); // At once, so that nobody sees half of it.
      await rm(old, { recursive: true, force: true });
    },
    stop: () => instance.remove(),
  };
}

/** The log is written when an answer is complete, so the line of a request of ours comes after those before it. */
async function settle(log: string, place: RegistryPlace): Promise<void> {
  const token = randomBytes(8).toString("hex");
  await httpRequest(`http://${place.name}/v2/?${probe}=${token}`, { auth: place.auth });
  const deadline = performance.now() + logTimeout;
  while (!(await readFile(log, "utf8")).includes(token)) {
    if (performance.now() > deadline) throw new LabError(`could not read the log of ${place.name}: a line is missing`);
    await pause(5);
  }
}
