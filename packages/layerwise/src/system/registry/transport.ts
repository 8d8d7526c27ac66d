// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";
import type { Emit } from "../../event.ts";
import { type Connections, openConnections } from "./connections.ts";
import { exchange } from "./exchange.ts";
import type { HttpAnswer, HttpRequest, StreamedAnswer } from "./http-message.ts";
import { NoAnswerError } from "./network-error.ts";
import type { Environment } from "./proxy.ts";
import { checkUrl, maxRedirects, redirected } from "./redirect.ts";
import { type RetryPolicy, type RetryRules, type Wait, withRetries } from "./retry.ts";
import { type Schemes, startSchemes } from "./schemes.ts";
import { loadTrust } from "./trust.ts";

/** Sends requests: through proxies, over TLS or not, after redirects, again if that may help. */
export interface Transport {
  readonly schemes: Schemes;
  /** Sends a request and reads the whole answer, whatever its status. REGISTRY_UNREACHABLE if there is none. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** The same with content as a stream; once it flows, nothing is sent again. */
  stream(request: HttpRequest): Promise<StreamedAnswer>;
  /** What `withRetries` needs to repeat a sequence of requests in the same manner. */
  retryRules(signal: AbortSignal | undefined): RetryRules;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** What a transport depends on. */
export interface TransportOptions {
  readonly environment: Environment;
  readonly emit: Emit;
  readonly wait: Wait;
  readonly retry: RetryPolicy;
  readonly userAgent: string;
  /** `host[:port]` of registries that may have no certificate or speak plain HTTP. */
  readonly insecureRegistries: readonly string[];
  /** PEM files with further certificates to trust. */
  readonly caFiles: readonly string[];
}

/** Makes a transport; nothing is loaded or opened before the first request. */
export function createTransport(options: TransportOptions): Transport {
  const { environment, caFiles, wait, retry } = options;
  const schemes = startSchemes(options.insecureRegistries);
  const connections = openConnections({ environment, schemes, trust: () => loadTrust({ caFiles, environment }) });
  const rules = (signal: AbortSignal | undefined, attempts = retry.attempts): RetryRules => {
    return { policy: { ...retry, attempts }, wait, signal };
  };
  const deliver = (request: HttpRequest, stream: boolean) => {
    const parts = { ...options, schemes, connections, stream };
    // What an attempt has found out about the host's scheme holds for the next one.
    const isGuess = schemes.alternativeOf(request.url) !== undefined;
    const attempt = () => (isGuess ? { ...request, url: schemes.settledOf(request.url) } : request);
    return withRetries(() => followRedirects(attempt(), parts), rules(request.signal, request.attempts));
  };
  return {
    schemes,
    send: (request) => deliver(request, false),
    stream: (request) => deliver(request, true),
    retryRules: (signal) => rules(signal),
    close: async () => connections.close(),
  };
}

interface Parts extends TransportOptions {
  readonly schemes: Schemes;
  readonly connections: Connections;
  readonly stream: boolean;
}

async function followRedirects(request: HttpRequest, parts: Parts): Promise<StreamedAnswer> {
  let current = request;
  for (let hops = 0; ; hops++) {
    checkUrl(current, parts.schemes);
    const answer = await speak(current, parts);
    const next = redirected(current, answer, parts.schemes);
    if (next === undefined) return answer;
    if (hops === maxRedirects) {
      throw new LayerwiseError("REGISTRY_PROTOCOL", `could not ${request.action}: more than ${maxRedirects} redirects`);
    }
    current = next;
  }
}

/** One exchange; if it is not known yet whether the host speaks TLS, the second guess follows the first. */
async function speak(request: HttpRequest, parts: Parts): Promise<StreamedAnswer> {
  const { schemes } = parts;
  const other = schemes.alternativeOf(request.url);
  if (other === undefined) return exchange(request, parts);
  const first = await exchange(request, parts).catch((error: unknown) => noAnswer(error));
  if (!(first instanceof NoAnswerError) && !suspectsTls(first)) {
    schemes.settle(first.url);
    return first;
  }
  const second = await exchange({ ...request, url: other }, parts).catch((error: unknown) => noAnswer(error));
  if (!(second instanceof NoAnswerError)) {
    schemes.settle(second.url);
    return second;
  }
  // That a certificate is not trusted says more than that plain HTTP was not understood.
  if (second.failure.kind === "certificate") throw second;
  if (first instanceof NoAnswerError) throw first;
  schemes.settle(first.url);
  return first;
}

/** Servers that speak TLS answer plain HTTP with 400, if at all. */
function suspectsTls({ status, url }: HttpAnswer): boolean {
  return status === 400 && url.protocol === "http:";
}

function noAnswer(error: unknown): NoAnswerError {
  if (error instanceof NoAnswerError) return error;
  throw error;
}
