// SPDX-License-Identifier: Apache-2.0
import type { SecureContext } from "node:tls";
import type { Dispatcher } from "undici";
import { type Environment, proxyFor } from "./proxy.ts";
import type { Schemes } from "./schemes.ts";
import { trustNobody } from "./trust.ts";
import type { ConnectOptions } from "./undici.ts";

type Stack = typeof import("./undici.ts");

/** Keeps connections to hosts, direct or through a proxy. */
export interface Connections {
  /** What a request to this URL is sent with. The HTTP stack and the certificates are loaded at the first call. */
  reach(
    url: URL,
  ): Promise<{ readonly stack: Stack; readonly dispatcher: Dispatcher; readonly proxy: string | undefined }>;
  /** Closes all connections, idle or not. */
  close(): Promise<void>;
}

/** What connections depend on. */
export interface ConnectionOptions {
  readonly environment: Environment;
  readonly schemes: Schemes;
  /** Loads the certificates to check against; called at most once, at the first request that checks any. */
  readonly trust: () => Promise<SecureContext>;
}

/** Milliseconds for a TCP connection and its TLS handshake. */
const connectTimeout = 15_000;

/** Milliseconds for one address of a host with several; Node's 250 are too few for far registries. */
const addressTimeout = 2_000;

/** Starts without any connection. */
export function openConnections({ environment, schemes, trust }: ConnectionOptions): Connections {
  const dispatchers = new Map<string, Promise<Dispatcher>>();
  const loadStack = once(() => import("./undici.ts"));
  const loadTrust = once(trust);

  async function open(url: URL, proxy: URL | undefined): Promise<Dispatcher> {
    const stack = await loadStack();
    const connect = await connectOptions(url, { checked: !schemes.isInsecure(url.host) });
    if (proxy === undefined) return stack.createAgent(connect);
    const bare = new URL(proxy);
    bare.username = "";
    bare.password = "";
    const connectProxy = await connectOptions(proxy, { checked: true });
    return stack.createProxyAgent({ uri: bare.href, token: proxyToken(proxy), connect, connectProxy });
  }

  async function connectOptions(url: URL, { checked }: { checked: boolean }): Promise<ConnectOptions> {
    const common = { timeout: connectTimeout, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: addressTimeout };
    if (url.protocol !== "https:") return common;
    return { ...common, secureContext: await (checked ? loadTrust() : trustNobody()), rejectUnauthorized: checked };
  }

  return {
    async reach(url) {
      const proxy = proxyFor(url, environment);
      const checked = schemes.isInsecure(url.host) ? "unchecked" : "checked";
      const key = `${url.protocol} ${checked} ${proxy?.href ?? "direct"}`;
      const dispatcher = dispatchers.get(key) ?? open(url, proxy);
      dispatchers.set(key, dispatcher);
      return { stack: await loadStack(), dispatcher: await dispatcher, proxy: proxy?.host };
    },
    async close() {
      const all = await Promise.allSettled(dispatchers.values());
      dispatchers.clear();
      await Promise.all(all.map((one) => (one.status === "fulfilled" ? one.value.destroy() : undefined)));
    },
  };
}

function proxyToken({ username, password }: URL): string | undefined {
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

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}
