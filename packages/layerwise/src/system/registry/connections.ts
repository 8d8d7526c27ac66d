// SPDX-License-Identifier: Apache-2.0
import { Agent, type AgentOptions, type ClientRequest, request as openRequest, type RequestOptions } from "node:http";
import type { SecureContext, ConnectionOptions as TlsOptions } from "node:tls";
import { bareHost, type Environment, proxyFor } from "./proxy.ts";
import type { Schemes } from "./schemes.ts";
import { trustNobody } from "./trust.ts";

/** What a request is opened with; where it goes to is in its URL. */
export type OpenOptions = Pick<RequestOptions, "method" | "headers" | "signal">;

/** The way to a host, direct or through a proxy. */
export interface Way {
  /** Opens a request on a connection that is free, or on a new one. Nothing is followed, retried or decoded. */
  open(url: URL, options: OpenOptions): ClientRequest;
  /** `host:port` of the proxy. */
  readonly proxy: string | undefined;
}

/** Keeps connections to hosts. */
export interface Connections {
  /** The way to a URL. TLS and the certificates are loaded when they are first needed. */
  reach(url: URL): Promise<Way>;
  /** Closes all connections, idle or not. */
  close(): void;
}

/** What connections depend on. */
export interface ConnectionOptions {
  readonly environment: Environment;
  readonly schemes: Schemes;
  /** Loads the certificates to check against; called at most once, at the first request that checks any. */
  readonly trust: () => Promise<SecureContext>;
}

/** Milliseconds for one address of a host with several; Node's 250 are too few for far registries. */
const addressTimeout = 2_000;

/** Connections are kept; how many there are at a time is decided by who asks. */
const common: AgentOptions & { readonly autoSelectFamily: boolean; readonly autoSelectFamilyAttemptTimeout: number } = {
  keepAlive: true,
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: addressTimeout,
};

/** Starts without any connection. */
export function openConnections({ environment, schemes, trust }: ConnectionOptions): Connections {
  const ways = new Map<string, Promise<OpenWay>>();
  let trusted: Promise<SecureContext> | undefined;

  /** The options of TLS, or undefined for a URL without it. */
  async function tlsFor(url: URL, { checked }: { checked: boolean }): Promise<TlsOptions | undefined> {
    if (url.protocol !== "https:") return undefined;
    if (!checked) return { secureContext: await trustNobody(), rejectUnauthorized: false };
    trusted ??= trust();
    return { secureContext: await trusted, rejectUnauthorized: true };
  }

  async function openWay(url: URL, proxy: URL | undefined): Promise<OpenWay> {
    const tls = await tlsFor(url, { checked: !schemes.isInsecure(url.host) });
    if (proxy === undefined) return directWay(await agentFor(tls));
    const toProxy = await tlsFor(proxy, { checked: true });
    if (tls === undefined) return forwardingWay(await agentFor(toProxy), proxy);
    const { createTunnelAgent } = await import("./tunnel.ts");
    return directWay(
      createTunnelAgent({ proxy, authorization: proxyAuthorization(proxy), toProxy, ...common, ...tls }),
    );
  }

  return {
    async reach(url) {
      const proxy = proxyFor(url, environment);
      const checked = schemes.isInsecure(url.host) ? "unchecked" : "checked";
      const key = `${url.protocol} ${checked} ${proxy?.href ?? "direct"}`;
      const way = ways.get(key) ?? openWay(url, proxy);
      ways.set(key, way);
      return { open: (await way).open, proxy: proxy?.host };
    },
    close() {
      for (const way of ways.values()) {
        way.then(
          ({ agent }) => agent.destroy(),
          () => undefined,
        );
      }
      ways.clear();
    },
  };
}

interface OpenWay {
  readonly agent: Agent;
  open(url: URL, options: OpenOptions): ClientRequest;
}

async function agentFor(tls: TlsOptions | undefined): Promise<Agent> {
  if (tls === undefined) return new Agent(common);
  const { Agent: SecureAgent } = await import("node:https");
  return new SecureAgent({ ...common, ...tls });
}

function directWay(agent: Agent): OpenWay {
  return { agent, open: (url, options) => openRequest(url, { ...options, agent }) };
}

/** A proxy is asked for plain HTTP by the whole URL (RFC 9112, section 3.2.2). */
function forwardingWay(agent: Agent, proxy: URL): OpenWay {
  const authorization = proxyAuthorization(proxy);
  const proxyHeaders = authorization === undefined ? {} : { "proxy-authorization": authorization };
  return {
    agent,
    open: (url, options) =>
      openRequest({
        ...options,
        agent,
        protocol: proxy.protocol,
        host: bareHost(proxy),
        port: proxy.port,
        path: url.href,
        headers: { host: url.host, ...options.headers, ...proxyHeaders },
      }),
  };
}

function proxyAuthorization({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const pair = `${decoded(username)}:${decoded(password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

/** Proxies' passwords are often written into URLs as they are. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
