// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";
import { redactUrl } from "../redact.ts";
import type { HttpAnswer, HttpRequest } from "./http-message.ts";
import type { Schemes } from "./schemes.ts";

/** Redirects that are followed for one request. */
export const maxRedirects = 5;

/** Statuses after which any request is sent again as it is, and those for which only a read is. */
const anyMethod: ReadonlySet<number> = new Set([307, 308]);
const readsOnly: ReadonlySet<number> = new Set([301, 302, 303]);

/**
 * The request that a redirect asks for, or undefined if the answer is none.
 *
 * Authorization goes along only within one origin, and a secret body as well. REGISTRY_PROTOCOL if the way leads from TLS to plain HTTP, except
 * to a host that the user listed as insecure.
 */
export function redirected(request: HttpRequest, answer: HttpAnswer, schemes: Schemes): HttpRequest | undefined {
  const { location } = answer.headers;
  const isRead = request.method === "GET" || request.method === "HEAD";
  const follows = anyMethod.has(answer.status) || (isRead && readsOnly.has(answer.status));
  if (!follows || location === undefined) return undefined;
  const url = resolveUrl(location, { base: answer.url, action: request.action });
  if (answer.url.protocol === "https:" && url.protocol === "http:" && !schemes.isInsecure(url.host)) {
    throw unencrypted(request.action, url);
  }
  if (url.origin === answer.url.origin) return { ...request, url };
  if (request.isSecret !== true) return { ...request, url, headers: withoutSecrets(request) };
  throw new LayerwiseError(
    "REGISTRY_PROTOCOL",
    `could not ${request.action}: ${answer.url.host} sends credentials on to ${url.host}`,
  );
}

/** Reads a URL that a server sent; REGISTRY_PROTOCOL if it is none. */
export function resolveUrl(text: string, { base, action }: { base: URL; action: string }): URL {
  if (URL.canParse(text, base.href)) return new URL(text, base);
  throw new LayerwiseError("REGISTRY_PROTOCOL", `could not ${action}: ${base.host} points to something that is no URL`);
}

/** Throws REGISTRY_PROTOCOL unless a URL may be spoken to. */
export function checkUrl({ url, action, plain }: HttpRequest, schemes: Schemes): void {
  if (url.protocol === "https:") return;
  if (url.protocol !== "http:") {
    throw new LayerwiseError("REGISTRY_PROTOCOL", `could not ${action}: ${url.protocol} is no scheme of a registry`);
  }
  if (plain !== true && !schemes.mayBePlain(url.host)) throw unencrypted(action, url);
}

function unencrypted(action: string, url: URL): LayerwiseError {
  return new LayerwiseError(
    "REGISTRY_PROTOCOL",
    `could not ${action}: the way leads to ${url.host} over plain HTTP, which is not encrypted`,
    {
      hint: `let the registry point to https; or, if you trust the network, pass --insecure-registry ${url.host}`,
      details: { url: redactUrl(url) },
    },
  );
}

function withoutSecrets({ headers }: HttpRequest): HttpRequest["headers"] {
  return Object.fromEntries(Object.entries(headers ?? {}).filter(([name]) => name.toLowerCase() !== "authorization"));
}
