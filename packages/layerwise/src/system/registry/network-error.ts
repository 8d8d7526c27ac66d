// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";
import { redactUrl } from "../redact.ts";
import type { HttpRequest } from "./http-message.ts";

/** Why no answer came, or only a part of one. */
export interface NetworkFailure {
  readonly kind: "name" | "refused" | "timeout" | "broken" | "certificate" | "tls" | "proxy";
  /** For people, with the system's own code. */
  readonly why: string;
  /** How often it is worth trying in all; undefined if as often as anything else. */
  readonly attempts: number | undefined;
}

/** Tries when nothing listens: a service that is just starting gets a second, a wrong port fails soon. */
const refusedAttempts = 3;

const certificateCodes: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REVOKED",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** What took too long. */
type Silence = "connect" | "answer" | "body";

const silences: Readonly<Record<Silence, string>> = {
  connect: "the connection took too long",
  answer: "no answer came in time",
  body: "the answer stopped in the middle",
};

/** Nothing came for longer than is waited for. */
export class SilenceError extends Error {
  constructor(silence: Silence) {
    super(silences[silence]);
  }
}

/** A proxy does not open the tunnel that it was asked for. */
export class ProxyRefusal extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`the proxy answered ${status}`);
    this.status = status;
  }
}

/** Says what an error of the HTTP stack means. */
export function networkFailureOf(error: unknown): NetworkFailure {
  const { code = "", message = String(error) } = error as { code?: string; message?: string };
  if (error instanceof ProxyRefusal) return proxyFailure(error.status);
  if (error instanceof SilenceError) return { kind: "timeout", why: message, attempts: undefined };
  if (code === "ENOTFOUND") return { kind: "name", why: "the host name is unknown (ENOTFOUND)", attempts: 1 };
  if (code === "EAI_AGAIN") return { kind: "name", why: "the name service failed (EAI_AGAIN)", attempts: undefined };
  if (code === "ECONNREFUSED") {
    return { kind: "refused", why: "the connection was refused (ECONNREFUSED)", attempts: refusedAttempts };
  }
  if (code === "ETIMEDOUT") return { kind: "timeout", why: `${silences.connect} (${code})`, attempts: undefined };
  if (certificateCodes.has(code)) {
    return { kind: "certificate", why: `its certificate is not trusted (${code})`, attempts: 1 };
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_")) {
    return { kind: "tls", why: `it does not speak TLS as expected (${code})`, attempts: 1 };
  }
  return { kind: "broken", why: `the connection broke (${code === "" ? message : code})`, attempts: undefined };
}

/** A request got no answer, or only a part of one: REGISTRY_UNREACHABLE. Carries what decides about another attempt. */
export class NoAnswerError extends LayerwiseError {
  readonly failure: NetworkFailure;

  constructor(request: HttpRequest, cause: unknown, { proxy }: { readonly proxy: string | undefined }) {
    const failure = networkFailureOf(cause);
    const { host } = request.url;
    const way = proxy === undefined ? host : `${host} through the proxy ${proxy}`;
    super("REGISTRY_UNREACHABLE", `could not ${request.action}: ${way}: ${failure.why}`, {
      hint: hintFor(failure, host),
      details: { method: request.method, url: redactUrl(request.url), reason: failure.kind },
      cause,
    });
    this.failure = failure;
  }
}

function proxyFailure(status: number): NetworkFailure {
  return {
    kind: "proxy",
    why: `the proxy answered ${status}`,
    // What a proxy refuses, it refuses again; what it cannot reach, it may reach later.
    attempts: status < 500 ? 1 : undefined,
  };
}

function hintFor({ kind, why }: NetworkFailure, host: string): string {
  switch (kind) {
    case "name":
      return `check the name ${host} and this machine's name service`;
    case "certificate":
      return `add the authority of ${host} with --registry-ca FILE or SSL_CERT_FILE, or name it with --insecure-registry ${host}`;
    case "tls":
      return `check the port; if ${host} speaks plain HTTP, name it with --insecure-registry ${host}`;
    case "proxy":
      return why.endsWith("407")
        ? "put user and password into the proxy's URL in HTTPS_PROXY or HTTP_PROXY"
        : `let the proxy connect to ${host}, or list it in NO_PROXY`;
    default:
      return `check that ${host} runs and can be reached from this machine`;
  }
}
