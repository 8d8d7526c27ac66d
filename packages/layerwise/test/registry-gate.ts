// SPDX-License-Identifier: Apache-2.0
import { type Answer, type Call, type Login, refusal } from "./registry-call.ts";

/** Who may come in. */
export const user: { readonly name: string; readonly password: string; readonly identityToken: string } = {
  name: "me",
  password: "secret",
  identityToken: "identity",
};

/** The answer for who may not come in, or asks for a token, or comes too often; undefined for all others. */
export function answerAtGate(call: Call): Answer | undefined {
  const { busyEvery, login, others } = call.registry.switches;
  if (login?.realm === call.url.pathname) return answerOfTokenServer(call, login);
  if (busyEvery > 0 && call.registry.count % busyEvery === 0) {
    return { ...refusal(429, "TOOMANYREQUESTS"), headers: { "retry-after": "0" } };
  }
  const refused = login === undefined ? undefined : refuseStranger(call, login);
  if (refused !== undefined) return refused;
  const isOthers = nameOf(call).startsWith("others/");
  if (!isOthers || others === undefined) return undefined;
  return refusal(others, others === 404 ? "NAME_UNKNOWN" : others === 403 ? "DENIED" : "UNAUTHORIZED");
}

function refuseStranger(call: Call, login: Login): Answer | undefined {
  const sent = call.request.headers.authorization;
  if (login.scheme === "basic") {
    const expected = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString("base64")}`;
    return sent === expected ? undefined : challenged('Basic realm="registry",service="test"');
  }
  const granted = call.registry.tokens.get(sent?.replace(/^Bearer /, "") ?? "");
  const needed = scopesOf(call);
  if (granted !== undefined && needed.every((scope) => granted.has(scope))) return undefined;
  const why = granted === undefined ? "" : ',error="insufficient_scope"';
  const realm = new URL(login.realm ?? "/", call.url).href;
  return challenged(`Bearer realm="${realm}",service="test",scope="${needed[0]}"${why}`);
}

function challenged(challenge: string): Answer {
  return { ...refusal(401, "UNAUTHORIZED"), headers: { "www-authenticate": challenge } };
}

const actions: Readonly<Record<string, string>> = { GET: "pull", HEAD: "pull", DELETE: "delete" };

/** What a request needs, one action a scope. */
function scopesOf(call: Call): readonly string[] {
  const own = `repository:${nameOf(call)}:${actions[call.method] ?? "push"}`;
  const from = call.url.searchParams.get("from");
  return from === null ? [own] : [own, `repository:${from}:pull`];
}

function nameOf({ url }: Call): string {
  return /^\/(?:v2|uploads)\/(.+?)(?:\/(?:blobs|manifests|tags|referrers)\/.*|\/\d+)$/.exec(url.pathname)?.[1] ?? "";
}

/** https://distribution.github.io/distribution/spec/auth/token/ and …/oauth/ */
function answerOfTokenServer(call: Call, { grant, field = "token", lifetime = 300 }: Login): Answer {
  const scopes = grant === "identity-token" ? scopesOfForm(call) : scopesOfQuery(call);
  if (scopes === undefined) return refusal(401, "UNAUTHORIZED");
  const token = `token-${call.registry.count}`;
  const granted = scopes.flatMap((scope) => {
    const colon = scope.lastIndexOf(":");
    return scope
      .slice(colon + 1)
      .split(",")
      .map((action) => `${scope.slice(0, colon)}:${action}`);
  });
  call.registry.tokens.set(token, new Set(granted));
  if (lifetime === 0) setTimeout(() => call.registry.tokens.delete(token), 200).unref();
  return { status: 200, body: Buffer.from(JSON.stringify({ [field]: token, expires_in: lifetime })) };
}

function scopesOfQuery({ method, url, request }: Call): readonly string[] | undefined {
  const expected = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString("base64")}`;
  return method === "GET" && request.headers.authorization === expected ? url.searchParams.getAll("scope") : undefined;
}

function scopesOfForm({ method, body }: Call): readonly string[] | undefined {
  const form = new URLSearchParams(body.bytes?.toString("utf8"));
  const isKnown = form.get("grant_type") === "refresh_token" && form.get("refresh_token") === user.identityToken;
  return method === "POST" && isKnown ? (form.get("scope") ?? "").split(" ") : undefined;
}
