// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { LayerwiseError } from "../../error.ts";
import type { RepositoryName } from "../../spec/reference.ts";
import type { Credentials } from "../docker-config.ts";
import { readJson } from "../json.ts";
import type { Challenge } from "./challenge.ts";
import { bodyOf, type HttpAnswer, type HttpRequest, isSuccess } from "./http-message.ts";
import { answerError } from "./protocol-error.ts";
import { formatScope, type Scope } from "./scope.ts";
import type { Transport } from "./transport.ts";

/** A bearer token, and how long it may be used. */
export interface Token {
  readonly value: string;
  /** Milliseconds since the answer came. */
  readonly lifetime: number;
  /** An identity token that replaces the one that was sent. */
  readonly successor: string | undefined;
}

/** What a token is asked for with. */
export interface TokenRequest {
  readonly transport: Transport;
  readonly repository: RepositoryName;
  readonly scopes: readonly Scope[];
  readonly credentials: Credentials;
  readonly secrets: ReadonlySet<string>;
  readonly signal: AbortSignal | undefined;
}

/** Seconds, if the answer does not say. https://distribution.github.io/distribution/spec/auth/token/ */
const defaultLifetime = 60;

/** Name under which token servers know us. */
const clientId = "layerwise";

/** Tokens of some registries list every right of a user. */
const maxTokenAnswer = 1024 * 1024;

const answerSchema = v.object({
  token: v.nullish(v.string(), ""),
  access_token: v.nullish(v.string(), ""),
  expires_in: v.nullish(v.number(), defaultLifetime),
  refresh_token: v.nullish(v.string()),
});

/**
 * Asks the token server that a challenge names: with GET, or with OAuth 2's POST if an identity token is to be
 * exchanged. REGISTRY_UNAUTHORIZED if it refuses.
 * https://distribution.github.io/distribution/spec/auth/token/ and …/oauth/
 */
export async function requestToken(challenge: Challenge, options: TokenRequest): Promise<Token> {
  const { transport, repository, credentials, secrets } = options;
  const realm = realmOf(challenge, repository);
  const action = `log in to ${repository.host} at ${realm.host}`;
  const exchanges = credentials.kind === "identity-token";
  const draft = exchanges ? exchangeRequest(realm, challenge, options) : plainRequest(realm, challenge, options);
  const answer = await transport.send({ ...draft, action });
  if (isSuccess(answer.status)) return readToken(answer, action);
  throw asLoginError(answerError(answer, { action, repository, writes: false, credentials, secrets }), answer);
}

function realmOf({ parameters }: Challenge, { host }: RepositoryName): URL {
  const { realm = "" } = parameters;
  if (URL.canParse(realm)) return new URL(realm);
  throw new LayerwiseError("REGISTRY_PROTOCOL", `could not log in to ${host}: the realm of its token server is no URL`);
}

type Draft = Omit<HttpRequest, "action">;

function plainRequest(realm: URL, { parameters }: Challenge, { scopes, credentials, signal }: TokenRequest): Draft {
  const url = new URL(realm);
  if (parameters["service"] !== undefined) url.searchParams.set("service", parameters["service"]);
  for (const scope of scopes) url.searchParams.append("scope", formatScope(scope));
  url.searchParams.set("client_id", clientId);
  const common = { method: "GET", maxBytes: maxTokenAnswer, signal } as const;
  if (credentials.kind !== "password") return { ...common, url };
  url.searchParams.set("account", credentials.username);
  return { ...common, url, headers: { authorization: basicHeader(credentials) } };
}

function exchangeRequest(url: URL, { parameters }: Challenge, { scopes, credentials, signal }: TokenRequest): Draft {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    service: parameters["service"] ?? url.host,
    client_id: clientId,
    scope: scopes.map(formatScope).join(" "),
    refresh_token: credentials.kind === "identity-token" ? credentials.token : "",
  });
  return {
    method: "POST",
    url,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: bodyOf(Buffer.from(form.toString())),
    isSecret: true,
    maxBytes: maxTokenAnswer,
    signal,
  };
}

/** The Authorization field for a user and a password. */
export function basicHeader({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function readToken(answer: HttpAnswer, action: string): Token {
  const parsed = v.safeParse(answerSchema, readJson(answer.bytes));
  const value = parsed.success ? parsed.output.token || parsed.output.access_token : "";
  if (!parsed.success || value === "" || /[^\x21-\x7e]/.test(value)) {
    throw new LayerwiseError("REGISTRY_PROTOCOL", `could not ${action}: ${answer.url.host} answered without a token`);
  }
  const { expires_in: seconds, refresh_token: successor } = parsed.output;
  return { value, lifetime: (seconds > 0 ? seconds : defaultLifetime) * 1000, successor: successor ?? undefined };
}

/** Token servers refuse credentials with 400, 401 and 403 alike. */
function asLoginError(error: LayerwiseError, { status }: HttpAnswer): LayerwiseError {
  if (![400, 401, 403].includes(status) || error.code === "REGISTRY_UNAUTHORIZED") return error;
  return new LayerwiseError("REGISTRY_UNAUTHORIZED", error.message, { hint: error.hint, details: error.details });
}
