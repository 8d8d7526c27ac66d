// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { run } from "layerwise-lab";
import type { Start } from "./results.ts";
import { type BenchSite, bundle } from "./site.ts";
import { timed } from "./timed.ts";

/** Starts the program in turn with Node alone, and takes the time until a server on loopback is asked something. */
export async function measureStart({ work }: BenchSite, rounds: number): Promise<Start> {
  const context = join(work, "start");
  await mkdir(context, { recursive: true });
  const [firstRequest, node]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    firstRequest.push(await secondsToRequest(context));
    node.push((await timed(() => run([process.execPath, "-e", ""]))).seconds);
  }
  return { firstRequest, node };
}

async function secondsToRequest(context: string): Promise<number> {
  let asked = Number.NaN;
  const server = createServer((_request, response) => {
    if (Number.isNaN(asked)) asked = performance.now();
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await writeFile(join(context, "Dockerfile"), `FROM ${registry}/base:1\n`);
  const start = performance.now();
  const child = spawn(process.execPath, [bundle, "plan", "--tag", `${registry}/app:1`, context], { stdio: "ignore" });
  await new Promise((resolve) => child.once("close", resolve));
  server.close();
  if (Number.isNaN(asked)) throw new Error("could not measure the start: layerwise asked nothing");
  return (asked - start) / 1000;
}
