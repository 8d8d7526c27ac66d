// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { LayerwiseError } from "../error.ts";
import type { CallOptions, Clock } from "../ports.ts";
import type { Credentials } from "./docker-config.ts";
import { type EcrHost, parseEcrHost } from "./ecr-host.ts";
import { readJson } from "./json.ts";
import { excerptOf } from "./redact.ts";
import { readErrorDocument } from "./registry/error-document.ts";
import { bodyOf, type HttpAnswer } from "./registry/http-message.ts";
import type { Transport } from "./registry/transport.ts";

/** What ECR's credentials depend on. */
export interface EcrOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly transport: Transport;
  /** Receives AWS's secrets as they are used, for `redactText`. */
  readonly secrets: Set<string>;
}

/** Milliseconds before a token's end at which another one is asked for; an upload must not outlive its token. */
const renewalMargin = 5 * 60_000;

/** Milliseconds that an answer without an end is used: a token that does not say, or that there are no credentials. */
const unknownLifetime = 10 * 60_000;

const source = "Amazon ECR, with AWS's own credentials";

/** Longest message of AWS that is repeated, in characters. */
const maxMessage = 400;

/** Names the API and the call. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html */
const target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";

const answerSchema = v.object({
  authorizationData: v.array(v.object({ authorizationToken: v.string(), expiresAt: v.optional(v.number()) })),
});

interface EcrToken {
  readonly credentials: Credentials;
  /** On the clock's ticks. */
  readonly until: number;
}

/**
 * Makes a source of credentials for private registries of Amazon ECR, from AWS's default chain of credentials.
 *
 * It answers undefined for other hosts. Tokens are valid for 12 hours and kept, one for each region. Without AWS
 * credentials it answers anonymous; CREDENTIALS_UNREADABLE if AWS refuses those that there are.
 */
export function createEcrCredentials(
  options: EcrOptions,
): (host: string, call: CallOptions) => Promise<Credentials> | undefined {
  const tokens = new Map<string, Promise<EcrToken>>();
  return (host, call) => {
    const ecr = parseEcrHost(host);
    if (ecr === undefined) return undefined;
    return keepToken(tokens, {
      key: ecr.endpoint,
      now: options.clock.ticks,
      ask: () => askToken(ecr, { ...options, ...call }),
    });
  };
}

async function keepToken(
  tokens: Map<string, Promise<EcrToken>>,
  { key, now, ask }: { key: string; now: () => number; ask: () => Promise<EcrToken> },
): Promise<Credentials> {
  const known = tokens.get(key);
  if (known !== undefined) {
    const token = await known.catch(() => undefined);
    if (token !== undefined && now() < token.until) return token.credentials;
    if (tokens.get(key) === known) tokens.delete(key);
  }
  const asked = tokens.get(key) ?? ask();
  tokens.set(key, asked);
  return (await asked).credentials;
}

async function askToken(host: EcrHost, options: EcrOptions & CallOptions): Promise<EcrToken> {
  const { environment, transport, clock, secrets, signal } = options;
  const endpoint = environment["AWS_ENDPOINT_URL_ECR"] || environment["AWS_ENDPOINT_URL"] || host.endpoint;
  const action = `get a token for the ECR registry ${host.account} in ${host.region}`;
  if (!URL.canParse(endpoint)) throw refused(action, "AWS_ENDPOINT_URL_ECR or AWS_ENDPOINT_URL is no URL");
  const url = new URL(endpoint);
  if (url.pathname === "") url.pathname = "/";
  const body = Buffer.from("{}");
  const headers = { host: url.host, "content-type": "application/x-amz-json-1.1", "x-amz-target": target };
  const { signEcrRequest } = await import("./ecr-signer.ts");
  const signed = await signEcrRequest({ url, headers, body, region: host.region, secrets });
  if (signed === undefined) {
    const until = clock.ticks() + unknownLifetime;
    return { credentials: { kind: "anonymous", source: "Docker's config, and no AWS credentials either" }, until };
  }
  const { host: _, ...sent } = signed;
  const answer = await transport.send({
    method: "POST",
    url,
    action,
    headers: sent,
    body: bodyOf(body),
    plain: endpoint !== host.endpoint,
    signal,
  });
  if (answer.status !== 200) {
    const { message } = readErrorDocument(answer.bytes);
    throw refused(action, `${answer.status} ${excerptOf(message, { secrets, length: maxMessage })}`);
  }
  return readToken(answer, { action, now: clock.ticks() });
}

function readToken(answer: HttpAnswer, { action, now }: { action: string; now: number }): EcrToken {
  const parsed = v.safeParse(answerSchema, readJson(answer.bytes));
  const [data] = parsed.success ? parsed.output.authorizationData : [];
  const pair = Buffer.from(data?.authorizationToken ?? "", "base64").toString("utf8");
  const colon = pair.indexOf(":");
  if (data === undefined || colon < 1) throw refused(action, "AWS answered without a token");
  // AWS counts in seconds since 1970.
  const lifetime = data.expiresAt === undefined ? unknownLifetime : data.expiresAt * 1000 - Date.now() - renewalMargin;
  return {
    credentials: { kind: "password", username: pair.slice(0, colon), password: pair.slice(colon + 1), source },
    until: now + lifetime,
  };
}

function refused(action: string, why: string): LayerwiseError {
  return new LayerwiseError("CREDENTIALS_UNREADABLE", `could not ${action}: ${why}`, {
    hint: "check AWS's credentials on this machine, and that they allow ecr:GetAuthorizationToken",
  });
}
