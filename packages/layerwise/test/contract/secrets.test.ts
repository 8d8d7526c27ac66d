// SPDX-License-Identifier: Apache-2.0
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { Repository } from "../../src/ports.ts";
import { digestOf } from "../../src/spec/digest.ts";
import { readAll } from "../../src/spec/verified.ts";
import { writeCredentialHelper } from "../credential-helper.ts";
import { openTestRepositories, type TestRepositories } from "../open-repositories.ts";
import { startProxyServer } from "../proxy-server.ts";
import { type ScriptedAnswer, type ScriptedRequest, startScriptedServer } from "../scripted-server.ts";
import { blobOf } from "./sample-blob.ts";

/** Odd characters, so that encoded forms differ from it. */
const secret = 'hunter2 "&/+ü';
const pair = Buffer.from(`me:${secret}`).toString("base64");
const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64(secret), pair];
/** A part of it that is in most forms. */
const part = "hunter2";

/** What a malicious or careless server says. */
const echo = (status: number): ScriptedAnswer => ({
  status,
  body: JSON.stringify({
    errors: [{ code: `CODE ${secret}`, message: forms.join(" "), detail: { password: secret } }],
  }),
});
const echoText = (status: number): ScriptedAnswer => ({ status, body: forms.join(" ") });

const operations: readonly (readonly [string, (repository: Repository) => Promise<unknown>])[] = [
  ["fetchManifest", (repository) => repository.fetchManifest("latest")],
  ["hasBlob", (repository) => repository.hasBlob(digestOf("blob"))],
  ["fetchBlob", (repository) => readAll(repository.fetchBlob(blobOf("blob").descriptor), 100)],
  ["pushBlob", (repository) => repository.pushBlob(blobOf("blob"))],
  ["pushManifest", (repository) => repository.pushManifest("latest", stored())],
  [
    "mountBlob",
    (repository) =>
      repository.mountBlob(blobOf("blob").descriptor, { ...repository, name: `${repository.registry}/b` }),
  ],
];

const answers: readonly ScriptedAnswer[] = [
  ...[400, 404, 409, 413, 418, 429, 500].flatMap((status) => [echo(status), echoText(status)]),
  { status: 0 },
  { status: 307, headers: { location: `http://me:${encodeURIComponent(secret)}@storage.example/?token=hunter2` } },
  { status: 307, headers: { location: `ftp://me:hunter2@storage.example/?token=hunter2` } },
  { status: 307, headers: { location: `http://hunter2[` } },
  { status: 202, headers: { location: `http://storage.example/?token=hunter2` } },
];

describe("a secret never occurs in errors and events", () => {
  it.each(operations)("of %s", async (_, operate) => {
    const texts: string[] = [];

    for (const answer of answers) {
      for (const challenge of ["Basic", "Bearer"] as const) texts.push(await outcomeOf(operate, { challenge, answer }));
    }

    expect(texts.join("\n")).toContain("could not ");
    expect(leaksIn(texts.join("\n"))).toEqual([]);
  });

  it("when a token server repeats it", async () => {
    const texts: string[] = [];

    for (const answer of [echo(401), echo(403), echoText(400), echoText(500), echoText(200), { status: 0 }]) {
      const { server, repositories, repository } = await start();
      server.expect(asks(`Bearer realm="${server.origin}/token?key=hunter2",service="s"`));
      server.expect(...repeated({ request: /^GET \/token/, answer }));
      texts.push(await textOf(repositories, repository.fetchManifest("latest")));
      server.forget();
    }

    expect(texts.join("\n")).toContain("could not log in");
    expect(leaksIn(texts.join("\n"))).toEqual([]);
  });

  it("when a token is the secret", async () => {
    const { server, repositories, repository } = await start();
    server.expect(
      asks(`Bearer realm="${server.origin}/token",service="s"`),
      { request: /^GET \/token/, answer: { status: 200, body: JSON.stringify({ token: "t0ken-hunter2" }) } },
      { request: /^GET/, answer: { status: 403, body: "not with t0ken-hunter2" } },
    );

    const text = await textOf(repositories, repository.fetchManifest("latest"));

    expect(text).toContain("403 not with ***");
    expect(leaksIn(text)).toEqual([]);
  });

  it("when a helper repeats what another one has given", async () => {
    const answer = JSON.stringify({ Username: "me", Secret: secret });
    const PATH = await writeCredentialHelper(
      "leaky",
      `read server; case $server in *:*) printf '%s' '${answer}';; *) printf '%s' 'no: ${secret}'; exit 1;; esac`,
    );
    const server = await startScriptedServer();
    const repositories = await openTestRepositories({ dockerConfig: { credsStore: "leaky" }, environment: { PATH } });
    server.expect(asks('Basic realm="r"'), { request: /^GET/, answer: echo(403) });
    const first = repositories.inRegistry({ host: server.host, path: "a" }).fetchManifest("latest");
    const text = await textOf(repositories, first);
    server.expect(asks('Basic realm="r"'));
    const second = repositories.inRegistry({ host: "localhost", path: "a" });

    const other = await textOf(repositories, second.fetchManifest("latest"));
    server.forget();

    expect(text).toContain("could not fetch");
    expect(leaksIn(text + other)).toEqual([]);
  });

  it("when a proxy wants a password", async () => {
    const proxy = await startProxyServer({ destination: "127.0.0.1:9", refuses: 403 });
    const HTTPS_PROXY = proxy.origin.replace("http://", `http://me:${encodeURIComponent(secret)}@`);
    const repositories = await openTestRepositories({ environment: { HTTPS_PROXY } });
    const repository = repositories.inRegistry({ host: "registry.example", path: "a" });

    const text = await textOf(repositories, repository.fetchManifest("latest"));

    expect(text).toContain("the proxy answered 403");
    expect(leaksIn(text)).toEqual([]);
  });
});

async function outcomeOf(
  operate: (repository: Repository) => Promise<unknown>,
  { challenge, answer }: { challenge: "Basic" | "Bearer"; answer: ScriptedAnswer },
): Promise<string> {
  const { server, repositories, repository } = await start();
  if (challenge === "Basic") server.expect(asks('Basic realm="r"'));
  else {
    server.expect(asks(`Bearer realm="${server.origin}/token",service="s"`));
    server.expect({ request: /^GET \/token/, answer: { status: 200, body: '{"token":"hunter2-token"}' } });
  }
  server.expect(...repeated({ request: /./, answer }));
  const text = await textOf(repositories, operate(repository));
  server.forget();
  return text;
}

async function start() {
  const server = await startScriptedServer();
  const auths = { [server.host]: { auth: pair } };
  const repositories = await openTestRepositories({ dockerConfig: { auths } });
  return { server, repositories, repository: repositories.inRegistry({ host: server.host, path: "a" }) };
}

/** Everything that a caller can see of a call: the error with all that hangs on it, and the events. */
async function textOf(repositories: TestRepositories, call: Promise<unknown>): Promise<string> {
  const outcome = await call.catch((error: unknown) => error);
  return inspect([outcome, repositories.events], { depth: 20, showHidden: true, maxStringLength: null });
}

function leaksIn(text: string): string[] {
  return [...forms, part].filter((form) => text.includes(form));
}

function asks(challenge: string): ScriptedRequest {
  return { request: /./, answer: { status: 401, headers: { "www-authenticate": challenge } } };
}

/** More often than anything is tried. */
function repeated(request: ScriptedRequest): ScriptedRequest[] {
  return Array.from({ length: 40 }, () => request);
}

function stored() {
  return { mediaType: "application/json", digest: digestOf("{}"), bytes: Buffer.from("{}") };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
