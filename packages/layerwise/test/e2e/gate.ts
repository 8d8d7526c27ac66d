// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { RegistryPlace } from "../../../lab/src/index.ts";

/** A server that lets whoever asks wait: a RUN that asks it runs exactly as long as the test wants. */
export interface Gate {
  /** What to ask. */
  readonly url: string;
  /** Answers at once from now on. */
  open(): void;
  /** Answers nobody from now on; resolves when somebody asks. */
  shut(): Promise<Visitor>;
  close(): Promise<void>;
}

/** Somebody who waits at a gate. */
export interface Visitor {
  /** Resolves when it waits no more. */
  readonly gone: Promise<void>;
}

/** Starts a gate beside a registry, at an address that engines reach too. */
export async function openGate({ address }: RegistryPlace): Promise<Gate> {
  let visited: ((visitor: Visitor) => void) | undefined;
  const server = createServer((_, response) => {
    if (visited === undefined) return void response.end("open\n");
    visited({ gone: once(response, "close").then(() => undefined) });
  });
  server.listen(0, address);
  await once(server, "listening");
  server.unref(); // A forgotten gate must not make a process hang.
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}/`,
    open() {
      visited = undefined;
    },
    shut: () =>
      new Promise((resolve) => {
        visited = resolve;
      }),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
