// SPDX-License-Identifier: Apache-2.0
import { isLoopback } from "./loopback.ts";

/** Knows which hosts are spoken to over TLS, and which may be spoken to without. */
export interface Schemes {
  /** Where requests to a registry begin, `https://host` or `http://host`. */
  originOf(host: string): string;
  /** Whether plain HTTP to `host[:port]` is allowed at all. */
  mayBePlain(host: string): boolean;
  /** Whether the user listed `host[:port]` as insecure: its certificate is not checked. */
  isInsecure(host: string): boolean;
  /** The same URL in the other scheme, if it is not yet known which one the host speaks and both are allowed. */
  alternativeOf(url: URL): URL | undefined;
  /** The same URL in the scheme in which its host has answered; as it is if it is not yet known. */
  settledOf(url: URL): URL;
  /** Notes that a host has answered in this URL's scheme. */
  settle(url: URL): void;
}

/**
 * Starts without knowledge of any host.
 *
 * TLS is a must, except for loopback, where plain HTTP is tried first, and for listed hosts, where TLS is tried first.
 * These are Docker's rules: https://docs.docker.com/reference/cli/dockerd/#insecure-registries
 *
 * @param insecureRegistries exact `host[:port]`
 */
export function startSchemes(insecureRegistries: readonly string[]): Schemes {
  const listed = new Set(insecureRegistries.map((host) => host.toLowerCase()));
  const settled = new Map<string, string>();
  const mayBePlain = (host: string) => isLoopback(host) || listed.has(host.toLowerCase());
  return {
    originOf(host) {
      const first = isLoopback(host) ? "http:" : "https:";
      return `${settled.get(host.toLowerCase()) ?? first}//${host}`;
    },
    mayBePlain,
    isInsecure: (host) => listed.has(host.toLowerCase()),
    alternativeOf(url) {
      if (settled.has(url.host) || !mayBePlain(url.host)) return undefined;
      const other = new URL(url);
      other.protocol = url.protocol === "http:" ? "https:" : "http:";
      return other;
    },
    settledOf(url) {
      const settledUrl = new URL(url);
      settledUrl.protocol = settled.get(url.host) ?? url.protocol;
      return settledUrl;
    },
    settle(url) {
      if (mayBePlain(url.host)) settled.set(url.host, url.protocol);
    },
  };
}
