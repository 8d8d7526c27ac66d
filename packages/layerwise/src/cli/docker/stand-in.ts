// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from "node:path";
import { LayerwiseError } from "../../error.ts";
import type { Emit } from "../../event.ts";
import type { RepositoryName } from "../../spec/reference.ts";
import { handOver, type ImageStore, openImageStore, openWorld, programsOnPath, type Wired } from "../../wire.ts";
import { readAge } from "../options.ts";
import type { Surroundings } from "../run.ts";
import type { DockerLine } from "./command-line.ts";

/** What the verbs of the stand-in work with. */
export interface StandIn {
  readonly around: Surroundings;
  readonly line: DockerLine;
  /** The whole command line, as it came. */
  readonly argv: readonly string[];
  readonly wired: Wired;
  readonly store: ImageStore;
  /** Milliseconds that a name stays in the store which nobody uses. */
  readonly keepFor: number;
  /** Where checkpoints are, if they are in a repository of their own. */
  readonly cacheRepo: string | undefined;
  /** Remembers where blobs are that an event tells of. */
  readonly note: Emit;
  /** Has the real docker do what was asked; undefined if there is none. */
  real(): (() => Promise<number>) | undefined;
  close(): Promise<void>;
}

/** Opens a store and the way to registries, with the settings of the environment. */
export function openStandIn(
  argv: readonly string[],
  { line, around }: { line: DockerLine; around: Surroundings },
): StandIn {
  const env = line.config === undefined ? around.env : { ...around.env, DOCKER_CONFIG: line.config };
  const dockerConfig = line.config === undefined ? undefined : resolve(line.config);
  const insecureRegistries = (env["LAYERWISE_INSECURE_REGISTRY"] ?? "").split(",").filter((host) => host !== "");
  const registryCa = env["LAYERWISE_REGISTRY_CA"] || undefined;
  const open = (environment: typeof env) =>
    openWorld({ env: environment, version: around.version, insecureRegistries, registryCa });
  const wired = open(env);
  const others = new Map<string, Wired>();
  const store = openImageStore({
    directory: storeDirectory(env),
    clock: wired.ports.clock,
    dockerConfig,
    open: (name: RepositoryName, config: string | undefined) => {
      if (config === undefined || config === dockerConfig) return wired.ports.repositories.inRegistry(name);
      const other = others.get(config) ?? open({ ...env, DOCKER_CONFIG: config });
      others.set(config, other);
      return other.ports.repositories.inRegistry(name);
    },
  });
  const notes: Promise<void>[] = [];
  return {
    around: { ...around, env },
    line,
    argv,
    wired,
    store,
    keepFor: readAge("LAYERWISE_STORE_KEEP", env["LAYERWISE_STORE_KEEP"] || defaultKeep),
    cacheRepo: env["LAYERWISE_CACHE_REPO"] || undefined,
    note(event) {
      if (event.kind !== "blob-present" && event.kind !== "blob-mounted" && event.kind !== "blob-uploaded") return;
      const isRegistry = event.repository.includes("/") && !event.repository.startsWith("oci-layout:");
      // A place that is not noted costs an upload some day, and nothing now.
      if (isRegistry) notes.push(store.note(event.digest, event.repository).catch(() => undefined));
    },
    real() {
      const [program] = programsOnPath(env["PATH"] ?? "", "docker");
      return program === undefined ? undefined : async () => await handOver(program, argv, around.env);
    },
    async close() {
      await Promise.all(notes);
      for (const world of [wired, ...others.values()]) await world.close();
    },
  };
}

/** Removes from the store what nobody has used for long; a failure is for the next time. */
export async function tidy({ store, keepFor, around }: StandIn): Promise<void> {
  await store.clean(keepFor, { signal: around.signal }).catch(() => undefined);
}

const defaultKeep = "14d";

/** https://specifications.freedesktop.org/basedir-spec/latest/#variables */
function storeDirectory(env: Surroundings["env"]): string {
  const named = env["LAYERWISE_STORE"] || undefined;
  if (named !== undefined) return named;
  const cache = env["XDG_CACHE_HOME"] || (env["HOME"] ? join(env["HOME"], ".cache") : undefined);
  if (cache !== undefined) return join(cache, "layerwise", "store");
  throw new LayerwiseError("DISK", "could not find a place for images: neither HOME nor XDG_CACHE_HOME is set", {
    hint: "name a folder with LAYERWISE_STORE",
  });
}
