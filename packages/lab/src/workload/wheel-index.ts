// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { makeWheels, type WheelSet } from "./wheels.ts";

/** A page of links to wheels, which pip can install from. */
export interface WheelIndex {
  /** For pip's --find-links. */
  readonly url: string;
  /** For pip's --trusted-host. */
  readonly address: string;
  /** How often its first wheel was fetched so far: once by every pip that installed all of them. */
  installs(): number;
  stop(): Promise<void>;
}

/** Which wheels to serve, and where. */
export interface WheelIndexOptions {
  /** An address of this machine that engines reach; a registry's. */
  readonly address: string;
  readonly wheels: WheelSet;
}

/** Serves wheels over plain HTTP from this process. */
export async function startWheelIndex({ address, wheels }: WheelIndexOptions): Promise<WheelIndex> {
  const folder = await makeWheels(wheels);
  const names = new Set(await readdir(folder));
  const page = [...names]
    .sort()
    .map((name) => `<a href="${name}">${name}</a><br>\n`)
    .join("");
  const [first] = [...names].sort();
  let installs = 0;
  const server = createServer((request, response) => {
    const name = decodeURIComponent((request.url ?? "/").slice(1));
    if (name === first && request.method === "GET") installs += 1;
    if (name === "") response.writeHead(200, { "content-type": "text/html" }).end(`<!DOCTYPE html>\n${page}`);
    else if (!names.has(name)) response.writeHead(404).end();
    else
      createReadStream(join(folder, name))
        .on("error", () => response.destroy())
        .pipe(response);
  });
  const port = await listen(server, address);
  server.unref(); // A forgotten index must not make a process hang.
  return { url: `http://${address}:${port}/`, address, installs: () => installs, stop: () => close(server) };
}

function listen(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, address, () => {
      const bound = server.address();
      resolve(bound !== null && typeof bound === "object" ? bound.port : 0);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
