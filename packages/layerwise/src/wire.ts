// SPDX-License-Identifier: Apache-2.0
import type { Emit } from "./event.ts";
import type { Ports } from "./ports.ts";
import { machineClock } from "./system/clock.ts";
import { openDockerEngine } from "./system/engine/docker-engine.ts";
import { rememberBlobs } from "./system/remember-blobs.ts";
import { createRepositories } from "./system/repositories.ts";
import { openScratch } from "./system/scratch.ts";
import { type DiskSpool, openSpool } from "./system/spool.ts";

/** What the outside is opened with. */
export interface WireOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly builder?: string | undefined;
  readonly insecureRegistries?: readonly string[] | undefined;
  readonly registryCa?: string | undefined;
}

/** The ports over the real outside world. */
export interface Wired {
  readonly ports: Ports;
  /** Says who hears of requests and blobs from now on. */
  readonly hear: (listener: Emit) => void;
  readonly spool: DiskSpool;
  /** Ends connections and removes scratch files. */
  close(): Promise<void>;
}

/** Opens the real outside world: registries, Docker, the disk, the clock. Costs nothing until something is used. */
export function openWorld(options: WireOptions): Wired {
  const { env, version, builder, insecureRegistries, registryCa } = options;
  let listener: Emit = () => undefined;
  const emit: Emit = (event) => listener(event);
  const clock = machineClock(env["SOURCE_DATE_EPOCH"]);
  const registries = createRepositories({
    clock,
    emit,
    environment: env,
    insecureRegistries: insecureRegistries ?? [],
    caFiles: registryCa === undefined ? [] : [registryCa],
    userAgent: `layerwise/${version}`,
  });
  const scratch = openScratch(env["TMPDIR"]);
  const spool = openSpool(scratch);
  const engine = openDockerEngine({ env, builder }, scratch);
  const removeScratch = () => scratch.close();
  process.once("exit", removeScratch);
  return {
    ports: { repositories: rememberBlobs(registries, emit), engine, spool, clock },
    spool,
    hear: (next) => {
      listener = next;
    },
    async close() {
      process.removeListener("exit", removeScratch);
      removeScratch();
      await registries.close();
    },
  };
}

export { type BuildFiles, type BuildPaths, openBuildFiles } from "./system/build-files.ts";
export { openContextDirectory } from "./system/context-directory.ts";
export { serverHost } from "./system/docker-config.ts";
export { openGitRepository } from "./system/git/git-repository.ts";
export { type ImageStore, openImageStore, type StoredName } from "./system/image-store.ts";
export { machinePlatform } from "./system/machine-platform.ts";
export { proxyArguments } from "./system/proxy-arguments.ts";
export { handOver, insideEngine, programsOnPath } from "./system/real-docker.ts";
export { eraseCredentials, saveCredentials } from "./system/save-credentials.ts";
export { sourceRevision } from "./system/source-revision.ts";
export { writeContext } from "./system/write-context.ts";
