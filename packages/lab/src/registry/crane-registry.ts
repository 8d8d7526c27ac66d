// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { claimInstance } from "../cell/instance.ts";
import { openRoom } from "../cell/room.ts";
import { startServer } from "../cell/server.ts";
import { installPackages } from "../debian/install-packages.ts";
import { unpackEngineRoot } from "../engine/engine-root.ts";
import { LabError } from "../host/lab-error.ts";
import type { RegistryPlace } from "./registry.ts";

/** The registry inside crane: another implementation of the same protocol, in memory. */
export interface CraneRegistry extends RegistryPlace {
  stop(): Promise<void>;
}

/**
 * Starts `crane registry serve`; it ends with this process at the latest.
 *
 * @param options.host the address to listen on, one of this machine's; loopback by default
 */
export async function startCraneRegistry(options: { readonly host?: string } = {}): Promise<CraneRegistry> {
  await installPackages(["iproute2", "util-linux"]);
  const { host: address = "127.0.0.1" } = options;
  const root = await unpackEngineRoot(28);
  const instance = await claimInstance("crane");
  try {
    const room = await openRoom(instance, { root, shared: [] });
    const argv = room.entering(["crane", "registry", "serve", "--address", `${address}:0`], { hostNetwork: true });
    const log = join(instance.folder, "crane.log");
    const port = async () => /serving on port (\d+)/.exec(await readFile(log, "utf8"))?.[1];
    const failure = await startServer(argv, {
      env: room.environment,
      stdout: log,
      stderr: log,
      answers: async () => (await port()) !== undefined,
    });
    if (failure !== undefined) throw new LabError(`could not start crane's registry on ${address}: ${failure}`);
    return { name: `${address}:${await port()}`, address, auth: undefined, stop: () => instance.remove() };
  } catch (error) {
    await instance.remove();
    throw error;
  }
}
