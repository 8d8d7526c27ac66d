// SPDX-License-Identifier: Apache-2.0
import { connect, createServer, type Server, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { RegistryPlace } from "./registry.ts";

/** A way to a registry on which everything takes its time. */
export interface Relay extends RegistryPlace {
  stop(): Promise<void>;
}

/** What a relay leads to. */
export interface RelayOptions {
  readonly registry: RegistryPlace;
  /** Milliseconds from a byte sent to the earliest answer. */
  readonly roundTrip: number;
}

/** Bytes that may be on their way in one direction: ten times what 1 Gbit/s and 5 ms can hold. */
const onTheWay = 8 * 1024 * 1024;
/** Milliseconds that a delivery may be early, since timers count whole ones. */
const tolerance = 0.5;

/**
 * Starts a relay in front of a registry, from this process: this kernel cannot delay packets. A connection's first
 * bytes wait for one more round trip, as for the handshake that the kernel answers at once.
 */
export async function startRelay({ registry, roundTrip }: RelayOptions): Promise<Relay> {
  const [host = "", port] = registry.name.split(":");
  const oneWay = roundTrip / 2;
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host, port: Number(port), allowHalfOpen: true, noDelay: true });
    delay(near, far, { oneWay, from: performance.now() + roundTrip });
    delay(far, near, { oneWay, from: 0 });
    for (const socket of [near, far]) {
      open.add(socket);
      socket.once("close", () => open.delete(socket));
    }
  });
  const own = await listen(server, registry.address);
  server.unref(); // A forgotten relay must not make a process hang.
  return {
    name: `${registry.address}:${own}`,
    address: registry.address,
    auth: registry.auth,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** Milliseconds of the way, and the time before which nothing starts on it. */
interface Way {
  readonly oneWay: number;
  readonly from: number;
}

/** Hands on what one end sends to the other, in order, later. */
function delay(source: Socket, sink: Socket, { oneWay, from }: Way): void {
  const queue: { readonly due: number; readonly chunk: Buffer | undefined }[] = [];
  let waiting = 0;
  const add = (chunk: Buffer | undefined) => {
    queue.push({ due: Math.max(performance.now(), from) + oneWay, chunk });
    if (queue.length === 1) deliverLater();
  };
  const deliverLater = () => {
    const [first] = queue;
    if (first !== undefined) setTimeout(deliver, Math.max(1, Math.round(first.due - performance.now())));
  };
  const deliver = () => {
    for (let first = queue[0]; first !== undefined && first.due <= performance.now() + tolerance; first = queue[0]) {
      queue.shift();
      const { chunk } = first;
      if (chunk === undefined) sink.end();
      else if (!sink.destroyed) sink.write(chunk, () => arrived(chunk.length));
    }
    deliverLater();
  };
  const arrived = (bytes: number) => {
    waiting -= bytes;
    if (waiting < onTheWay / 2) source.resume();
  };
  source.on("data", (chunk) => {
    waiting += chunk.length;
    if (waiting > onTheWay) source.pause();
    add(chunk);
  });
  source.on("end", () => add(undefined));
  source.on("error", () => sink.destroy());
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
