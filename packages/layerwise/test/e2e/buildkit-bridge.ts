// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Site } from "./site.ts";

/** An address at which the BuildKit inside a Docker daemon answers as a BuildKit of its own would. */
export interface BuildkitBridge {
  /** As buildx's remote driver takes it. */
  readonly endpoint: string;
  /** Connections so far. */
  connections(): number;
  close(): void;
}

/**
 * Opens the way to a site's BuildKit. Docker gives it out at `/grpc`, after a change of protocol.
 * https://docs.docker.com/build/builders/drivers/remote/
 */
export async function openBuildkitBridge({ engine, registry }: Site): Promise<BuildkitBridge> {
  if (engine === undefined) throw new Error("this site has no engine");
  const path = engine.dockerHost.replace("unix://", "");
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((client) => {
    count += 1;
    const daemon = connect(path);
    for (const [socket, other] of [
      [client, daemon],
      [daemon, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.destroy());
    }
    join(client, daemon);
  });
  server.listen(0, registry.address);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `tcp://${registry.address}:${port}`,
    connections: () => count,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Passes everything on once the daemon has agreed. */
function join(client: Socket, daemon: Socket): void {
  daemon.write("POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  let head = Buffer.alloc(0);
  const answered = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end === -1) return;
    daemon.off("data", answered);
    if (!head.toString("latin1").startsWith("HTTP/1.1 101 ")) {
      client.destroy();
      return;
    }
    client.write(head.subarray(end + 4));
    client.pipe(daemon);
    daemon.pipe(client);
  };
  daemon.on("data", answered);
}
