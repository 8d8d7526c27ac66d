// SPDX-License-Identifier: Apache-2.0
import type { Dispatcher } from "undici";
import connectMethod from "undici/lib/api/api-connect.js";
import request from "undici/lib/api/api-request.js";
import Agent from "undici/lib/dispatcher/agent.js";
import DispatcherClass from "undici/lib/dispatcher/dispatcher.js";
import ProxyAgent from "undici/lib/dispatcher/proxy-agent.js";

/*
 * The HTTP stack, in a module of its own that is imported at the first request. Its packages are CommonJS, which a
 * bundler with code splitting can only serve through static imports.
 */

/** How connections are made, as `net.connect` and `tls.connect` take it. */
export type ConnectOptions = NonNullable<Exclude<Agent.Options["connect"], (...args: never) => unknown>>;

/** Makes an agent that keeps its connections, to any number of hosts. */
export function createAgent(connect: ConnectOptions): Dispatcher {
  return new Agent({ connect });
}

/** A proxy, and how to speak to it and through it. */
export interface ProxyRoute {
  /** Without user and password. */
  readonly uri: string;
  /** The value of Proxy-Authorization. */
  readonly token: string | undefined;
  /** For the hosts behind it. */
  readonly connect: ConnectOptions;
  /** For the proxy itself. */
  readonly connectProxy: ConnectOptions;
}

/** Makes an agent that reaches every host through a proxy: https through a tunnel, http by asking the proxy. */
export function createProxyAgent({ uri, token, connect, connectProxy }: ProxyRoute): Dispatcher {
  // The package's entry module, which is not loaded, gives this method to all dispatchers; tunnels need it.
  Object.assign(DispatcherClass.prototype, { connect: connectMethod });
  return new ProxyAgent({
    uri,
    ...(token === undefined ? {} : { token }),
    proxyTunnel: false,
    proxyTls: connectProxy,
    requestTls: connect,
  });
}

/** A request as the stack takes it; the package's own type does not mention bodies that are async iterables. */
export interface SendOptions extends Omit<Dispatcher.RequestOptions, "body"> {
  readonly origin: string;
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** Sends one request; nothing is followed, retried or decoded. */
export function sendRequest(dispatcher: Dispatcher, options: SendOptions): Promise<Dispatcher.ResponseData> {
  return request.call(dispatcher, options as Dispatcher.RequestOptions & { origin: string });
}
