// SPDX-License-Identifier: Apache-2.0
import { BlockList, isIP } from "node:net";
import { LayerwiseError } from "../../error.ts";
import { isLoopback } from "./loopback.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that a URL is fetched through, or undefined to connect directly.
 *
 * The rules are those of Docker and the other Go programs, so that one setting serves both: HTTPS_PROXY for https and
 * HTTP_PROXY for http, upper case before lower case; loopback is never proxied; NO_PROXY lists hosts with their
 * subdomains, `.domain` or `*.domain` for subdomains alone, addresses and CIDR ranges, each with an optional port.
 * https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
 *
 * REGISTRY_UNREACHABLE if the variable is no URL.
 */
export function proxyFor(url: URL, environment: Environment): URL | undefined {
  const variable = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const value = read(environment, variable);
  if (value === undefined || isLoopback(url.host)) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = url.port !== "" ? url.port : url.protocol === "https:" ? "443" : "80";
  const exceptions = (read(environment, "NO_PROXY") ?? "").split(/[\s,]+/).filter((entry) => entry !== "");
  if (exceptions.some((entry) => matches(entry.toLowerCase(), { host, port }))) return undefined;
  return parseProxy(value, variable);
}

function read(environment: Environment, name: string): string | undefined {
  const value = environment[name] || environment[name.toLowerCase()];
  return value === undefined || value === "" ? undefined : value;
}

/** The value may lack the scheme. It may hold a password, and is not quoted. */
function parseProxy(value: string, variable: string): URL {
  const text = /^[a-z0-9]+:\/\//i.test(value) ? value : `http://${value}`;
  if (URL.canParse(text)) return new URL(text);
  throw new LayerwiseError("REGISTRY_UNREACHABLE", `could not use the proxy in ${variable}: it is no URL`, {
    hint: `write ${variable} as http://[user:password@]host:port`,
  });
}

function matches(entry: string, { host, port }: { host: string; port: string }): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return isInRange(host, entry);
  const [name, entryPort] = splitPort(entry);
  if (entryPort !== undefined && entryPort !== port) return false;
  if (name.startsWith("*.")) return host.endsWith(name.slice(1));
  if (name.startsWith(".")) return host.endsWith(name);
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
}

/** Host and port; brackets of an IPv6 address are dropped. */
function splitPort(entry: string): [string, string | undefined] {
  const bracketed = /^\[(.+)\](?::(\d+))?$/.exec(entry);
  if (bracketed !== null) return [bracketed[1] ?? "", bracketed[2]];
  if (isIP(entry) === 6) return [entry, undefined];
  const [, name = entry, port] = /^(.*):(\d+)$/.exec(entry) ?? [];
  return [name, port];
}

function isInRange(host: string, range: string): boolean {
  const [, network = "", bits = ""] = /^(.+)\/(\d{1,3})$/.exec(range) ?? [];
  const version = isIP(network);
  const most = version === 4 ? 32 : 128;
  if (version === 0 || isIP(host) !== version || Number(bits) > most) return false;
  const list = new BlockList();
  const family = version === 4 ? "ipv4" : "ipv6";
  list.addSubnet(network, Number(bits), family);
  return list.check(host, family);
}

/** The host name or address of a URL as `net.connect` takes it. */
export function bareHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}
