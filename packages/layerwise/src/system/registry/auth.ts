// SPDX-License-Identifier: Apache-2.0
import type { CallOptions, Clock } from "../../ports.ts";
import type { RepositoryName } from "../../spec/reference.ts";
import type { Credentials } from "../docker-config.ts";
import { parseEcrHost } from "../ecr-host.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { HttpAnswer } from "./http-message.ts";
import { mergeScopes, parseScopes, type Scope } from "./scope.ts";
import { basicHeader, requestToken } from "./token.ts";
import { createTokenCache } from "./token-cache.ts";
import type { Transport } from "./transport.ts";

/** Authorizes requests to one repository. */
export interface Authorizer {
  /** The Authorization field for a request, or undefined as long as the registry has not asked for one. */
  headerFor(scopes: readonly Scope[], call: CallOptions): Promise<string | undefined>;
  /** Another field to try after a 401; undefined if there is none that was not tried. */
  renew(refusal: Refusal, call: CallOptions): Promise<string | undefined>;
  /** What was sent last, for error messages. */
  readonly credentials: Credentials | undefined;
}

/** A request that was answered with 401. */
export interface Refusal {
  readonly answer: HttpAnswer;
  readonly scopes: readonly Scope[];
  /** The Authorization field that was refused. */
  readonly sent: string | undefined;
}

/** What authorizers of all repositories share: how each host wants to be asked. */
export type Challenges = Map<string, Challenge>;

/** What an authorizer depends on. */
export interface AuthorizerOptions {
  readonly transport: Transport;
  readonly repository: RepositoryName;
  readonly credentialsFor: (name: RepositoryName, call: CallOptions) => Promise<Credentials>;
  readonly challenges: Challenges;
  readonly clock: Clock;
  /** Receives every token, for `redactText`. */
  readonly secrets: Set<string>;
}

/** Makes an authorizer. Credentials are looked up when the registry first asks, tokens are kept until they expire. */
export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const { repository, challenges, secrets } = options;
  const tokens = createTokenCache(options.clock);
  let used: Credentials | undefined;
  let successor: string | undefined;

  async function credentials(call: CallOptions): Promise<Credentials> {
    const found = await options.credentialsFor(repository, call);
    used = found;
    return found.kind === "identity-token" && successor !== undefined ? { ...found, token: successor } : found;
  }

  async function bearer(challenge: Challenge, scopes: readonly Scope[], call: CallOptions): Promise<string> {
    const asked = await credentials(call);
    if (asked.kind === "registry-token") return `Bearer ${asked.token}`;
    // Nothing is awaited between not finding a token and keeping the request for one: there shall be one request.
    const known = tokens.find(scopes, call);
    const value = known === undefined ? undefined : await known;
    if (value !== undefined) return `Bearer ${value}`;
    const request = requestToken(challenge, { ...options, scopes, credentials: asked, signal: call.signal });
    const token = await tokens.keep(scopes, request);
    successor = token.successor ?? successor;
    for (const secret of [token.value, token.successor]) if (secret !== undefined) secrets.add(secret);
    return `Bearer ${token.value}`;
  }

  async function headerFrom(
    challenge: Challenge,
    scopes: readonly Scope[],
    call: CallOptions,
  ): Promise<string | undefined> {
    if (challenge.scheme === "bearer") {
      return bearer(challenge, mergeScopes(scopes, parseScopes(challenge.parameters["scope"])), call);
    }
    const found = await credentials(call);
    if (found.kind === "registry-token") return `Bearer ${found.token}`;
    return found.kind === "password" ? basicHeader(found) : undefined;
  }

  return {
    get credentials() {
      return used;
    },
    async headerFor(scopes, call) {
      const challenge = challenges.get(repository.host) ?? knownChallenge(repository.host);
      // The scope of an earlier challenge was for that request alone.
      return challenge === undefined ? undefined : headerFrom(withoutScope(challenge), scopes, call);
    },
    async renew({ answer, scopes, sent }, call) {
      const challenge = chooseChallenge(answer.headers["www-authenticate"]);
      if (challenge === undefined) return undefined;
      challenges.set(repository.host, challenge);
      if (sent !== undefined) tokens.drop(sent.replace(/^Bearer /, ""));
      const header = await headerFrom(challenge, scopes, call);
      return header === sent ? undefined : header;
    },
  };
}

/** Hosts whose first answer is known beforehand, which saves a request. */
function knownChallenge(host: string): Challenge | undefined {
  return parseEcrHost(host) === undefined ? undefined : { scheme: "basic", parameters: {} };
}

/** Tokens are preferred to passwords; other schemes are not spoken. */
function chooseChallenge(field: string | undefined): Challenge | undefined {
  const offered = parseChallenges(field ?? "");
  const bearer = offered.find(({ scheme, parameters }) => scheme === "bearer" && parameters["realm"] !== undefined);
  return bearer ?? offered.find(({ scheme }) => scheme === "basic");
}

function withoutScope({ scheme, parameters }: Challenge): Challenge {
  return { scheme, parameters: Object.fromEntries(Object.entries(parameters).filter(([name]) => name !== "scope")) };
}
