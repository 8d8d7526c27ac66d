// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { installPackages } from "../../lab/src/index.ts";

/** A running docker-registry. */
export interface DistributionRegistry {
  /** `127.0.0.1:port`. */
  readonly host: string;
  close(): Promise<void>;
}

/** Milliseconds. */
const startTimeout = 15_000;

/** Starts Debian's docker-registry with its own config and data; it ends with this process at the latest. */
export async function startDistributionRegistry(): Promise<DistributionRegistry> {
  await installPackages(["docker-registry"]);
  const folder = await mkdtemp(join(tmpdir(), "layerwise-registry-"));
  const host = `127.0.0.1:${await freePort()}`;
  const config = {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, "data") }, delete: { enabled: true } },
    http: { addr: host },
  };
  const file = join(folder, "config.yml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config));
  const server = spawn("docker-registry", ["serve", file], { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  server.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString("utf8")).slice(-2_000);
  });
  server.on("error", (error) => {
    complaint = error.message;
  });
  const kill = () => void server.kill("SIGKILL");
  process.once("exit", kill);
  const close = async () => {
    process.removeListener("exit", kill);
    if (server.exitCode === null && server.pid !== undefined) {
      const exited = once(server, "exit");
      kill();
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = performance.now() + startTimeout;
  while (!(await answers(host))) {
    if (server.exitCode !== null || server.pid === undefined || performance.now() > deadline) {
      await close();
      throw new Error(`docker-registry does not run: ${complaint}`);
    }
    await pause(20);
  }
  return { host, close };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function answers(host: string): Promise<boolean> {
  return fetch(`http://${host}/v2/`).then(
    ({ ok }) => ok,
    () => false,
  );
}
