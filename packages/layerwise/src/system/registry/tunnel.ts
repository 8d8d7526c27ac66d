// SPDX-License-Identifier: Apache-2.0
import { type ClientRequest, request as openRequest } from "node:http";
import { Agent, type AgentOptions, request as openSecureRequest } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, type ConnectionOptions as TlsOptions } from "node:tls";
import { connectTimeout } from "./call.ts";
import { ProxyRefusal, SilenceError } from "./network-error.ts";
import { bareHost } from "./proxy.ts";

/** A proxy that opens tunnels, and how TLS is spoken to it and through it. */
export interface TunnelOptions extends AgentOptions {
  readonly proxy: URL;
  /** The value of Proxy-Authorization. */
  readonly authorization: string | undefined;
  /** TLS to the proxy itself, if its URL is https. */
  readonly toProxy: TlsOptions | undefined;
}

/** Makes an agent that reaches https hosts through tunnels of a proxy (RFC 9110, section 9.3.6). */
export function createTunnelAgent({ proxy, authorization, toProxy, ...options }: TunnelOptions): Agent {
  const agent = new Agent(options);
  const connect = agent as unknown as { createConnection: Connect };
  const waiting = new Set<ClientRequest>();
  connect.createConnection = (host, done) => {
    const authority = `${host.host?.includes(":") ? `[${host.host}]` : host.host}:${host.port}`;
    const asking = askForTunnel({ proxy, authorization, toProxy, authority });
    waiting.add(asking);
    asking.on("close", () => waiting.delete(asking));
    asking.on("connect", (answer, socket: Socket) => {
      waiting.delete(asking);
      if (answer.statusCode !== 200) {
        socket.destroy();
        done(new ProxyRefusal(answer.statusCode ?? 0), undefined);
        return;
      }
      socket.setTimeout(0);
      done(null, connectTls({ ...host, socket }));
    });
    // A proxy that takes CONNECT for an ordinary method answers it as one.
    asking.on("response", (answer) => {
      answer.resume();
      done(new ProxyRefusal(answer.statusCode ?? 0), undefined);
    });
    asking.on("error", (error) => done(error, undefined));
    asking.setTimeout(connectTimeout, () => asking.destroy(new SilenceError("connect")));
    asking.end();
    return undefined;
  };
  // An agent knows only its connections, and what asks for one would keep the process until the proxy answers.
  const destroy = agent.destroy.bind(agent);
  agent.destroy = () => {
    for (const asking of waiting) asking.destroy();
    destroy();
  };
  return agent;
}

type Connect = (
  host: TlsOptions & { host?: string; port?: number | string },
  done: (error: Error | null, socket: Duplex | undefined) => void,
) => undefined;

interface Asking extends Pick<TunnelOptions, "proxy" | "authorization" | "toProxy"> {
  readonly authority: string;
}

function askForTunnel({ proxy, authorization, toProxy, authority }: Asking): ClientRequest {
  const target = {
    method: "CONNECT",
    host: bareHost(proxy),
    port: proxy.port,
    path: authority,
    headers: { host: authority, ...(authorization === undefined ? {} : { "proxy-authorization": authorization }) },
    // Each tunnel has a connection of its own, which the agent above keeps.
    agent: false as const,
  };
  return toProxy === undefined ? openRequest(target) : openSecureRequest({ ...target, ...toProxy });
}
