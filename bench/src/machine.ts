// SPDX-License-Identifier: Apache-2.0
import { cpus, loadavg, release, totalmem } from "node:os";
import { type Engine, run } from "layerwise-lab";
import type { Machine } from "./results.ts";

/** Looks at the machine and asks the programs for their versions. */
export async function describeMachine(
  engines: Readonly<Record<"new" | "old", Engine | undefined>>,
): Promise<Omit<Machine, "load">> {
  const { new: current, old } = engines;
  const first = async (engine: Engine | undefined, argv: readonly string[]) =>
    engine === undefined ? "not run" : ((await engine.exec(argv)).stdout.trim().split("\n")[0] ?? "");
  const server = ["docker", "version", "--format", "{{.Server.Version}}"];
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    versions: {
      node: process.version,
      docker: await first(current, server),
      "docker (old)": await first(old, server),
      buildx: (await first(current, ["docker", "buildx", "version"])).split(" ")[1] ?? "",
      buildah: (await first(current, ["buildah", "--version"])).split(" ")[2] ?? "",
      crane: await packageVersion("crane", await first(current, ["crane", "version"])),
      registry: (await run(["docker-registry", "--version"])).stdout.trim(),
    },
  };
}

/** Debian's crane does not know its own version. */
async function packageVersion(name: string, said: string): Promise<string> {
  return /^v?\d/.test(said) ? said : `Debian's ${name}, which does not say`;
}

/** Processes that want to run: the last minute's mean. */
export function currentLoad(): number {
  return loadavg()[0] ?? 0;
}
