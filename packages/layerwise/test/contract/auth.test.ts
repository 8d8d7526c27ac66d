// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Blob } from "../../src/ports.ts";
import { digestOf } from "../../src/spec/digest.ts";
import { openTestRepositories, type TestOptions } from "../open-repositories.ts";
import { type ScriptedRequest, type ScriptedServer, startScriptedServer } from "../scripted-server.ts";

const manifest = "{}";
const blobDigest = digestOf("blob");
const password = { username: "me", password: "pass:word" };
const basic = `Basic ${base64("me:pass:word")}`;

describe("Basic", () => {
  it("sends user and password once the registry asks, and from then on at once", async () => {
    const { server, repository } = await start({ credentials: { auth: base64("me:pass:word") } });
    server.expect(
      { ...getManifest(), headers: { authorization: undefined }, answer: asks('Basic realm="registry"') },
      { ...getManifest(), headers: { authorization: basic } },
      { ...getManifest(), headers: { authorization: basic } },
    );

    await repository.fetchManifest("latest");
    await repository.fetchManifest("latest");
  });

  it("says UNAUTHORIZED, and whose credentials were sent, when they are refused", async () => {
    const { server, repository } = await start({ credentials: password });
    server.expect(
      { ...getManifest(), answer: asks('Basic realm="registry"') },
      { ...getManifest(), answer: asks('Basic realm="registry"') },
    );

    const fetching = repository.fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
      message: `could not fetch manifest ${repository.name}:latest: 401`,
      hint: expect.stringMatching(/^check the credentials for .*; those of the entry .* of .*config\.json were sent$/),
    });
  });

  it("says where it looked when there are no credentials", async () => {
    const { server, repository } = await start({});
    server.expect({ ...getManifest(), answer: asks('Basic realm="registry"') });

    const fetching = repository.fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
      hint: expect.stringMatching(
        /^log in with "docker login 127\.0\.0\.1:\d+"; no credentials were found in .*config\.json$/,
      ),
    });
  });
});

describe("Bearer", () => {
  it("fetches an anonymous token and keeps it for the same scope", async () => {
    const { server, repository, bearer } = await start({});
    server.expect(
      { ...getManifest(), headers: { authorization: undefined }, answer: asks(bearer) },
      token({ scopes: ["pull"], token: "t1", authorization: undefined }),
      { ...getManifest(), headers: { authorization: "Bearer t1" } },
      { ...hasBlob(), headers: { authorization: "Bearer t1" } },
    );

    await repository.fetchManifest("latest");
    await repository.hasBlob(blobDigest);
  });

  it("asks for another token when it has to push, and uses that for reading as well", async () => {
    const { server, repository, bearer } = await start({ credentials: password });
    server.expect(
      { ...getManifest(), answer: asks(bearer) },
      token({ scopes: ["pull"], token: "t1", authorization: basic }),
      { ...getManifest(), headers: { authorization: "Bearer t1" } },
      token({ scopes: ["pull,push"], token: "t2", authorization: basic }),
      { ...putManifest(), headers: { authorization: "Bearer t2" } },
    );

    await repository.fetchManifest("latest");
    await repository.pushManifest("latest", stored());
  });

  it("asks for the right to push at once for a repository that is opened for writing", async () => {
    const { server, repositories, name, bearer } = await start({ credentials: password });
    const repository = repositories.inRegistry(name, { access: "write" });
    server.expect(
      { ...getManifest(), answer: asks(bearer) },
      token({ scopes: ["pull,push"], token: "t1" }),
      { ...getManifest(), headers: { authorization: "Bearer t1" } },
      { ...putManifest(), headers: { authorization: "Bearer t1" } },
    );

    await repository.fetchManifest("latest");
    await repository.pushManifest("latest", stored());
  });

  it("asks for the right to pull from the source of a mount", async () => {
    const { server, repositories, repository, name, bearer } = await start({});
    const source = repositories.inRegistry({ ...name, path: "team/base" });
    server.expect(
      { request: mountPath(), answer: asks(bearer) },
      {
        request: /^GET \/token\?.*scope=repository%3Ateam%2Fapp%3Apull%2Cpush&scope=repository%3Ateam%2Fbase%3Apull&/,
        answer: { status: 200, body: JSON.stringify({ token: "t1" }) },
      },
      { request: mountPath(), headers: { authorization: "Bearer t1" }, answer: { status: 201 } },
    );

    const mounted = await repository.mountBlob(blob().descriptor, source);

    expect(mounted).toBe(true);
  });

  it("asks for the scope that a challenge names besides its own", async () => {
    const { server, repository, bearer } = await start({});
    server.expect(
      { ...getManifest(), answer: asks(`${bearer},scope="repository:team/app:pull aws"`) },
      {
        request: /^GET \/token\?.*scope=repository%3Ateam%2Fapp%3Apull&scope=aws&/,
        answer: { status: 200, body: JSON.stringify({ access_token: "t1" }) },
      },
      { ...getManifest(), headers: { authorization: "Bearer t1" } },
    );

    await repository.fetchManifest("latest");
  });

  it("prefers tokens to a password when a registry offers both", async () => {
    const { server, repository, bearer } = await start({ credentials: password });
    server.expect(
      { ...getManifest(), answer: { status: 401, headers: { "www-authenticate": ['Basic realm="r"', bearer] } } },
      token({ scopes: ["pull"], token: "t1", authorization: basic }),
      { ...getManifest(), headers: { authorization: "Bearer t1" } },
    );

    await repository.fetchManifest("latest");
  });

  it("exchanges an identity token with POST, and uses the next one that it gets", async () => {
    const { server, repository, bearer } = await start({ credentials: { identitytoken: "id+1" } });
    const answer = { access_token: "t1", refresh_token: "id+2" };
    server.expect(
      { ...getManifest(), answer: asks(bearer) },
      {
        request: "POST /token",
        headers: { authorization: undefined, "content-type": "application/x-www-form-urlencoded" },
        body: /^grant_type=refresh_token&service=registry&client_id=layerwise&scope=repository%3Ateam%2Fapp%3Apull&refresh_token=id%2B1$/,
        answer: { status: 200, body: JSON.stringify(answer) },
      },
      { ...getManifest(), headers: { authorization: "Bearer t1" } },
      {
        request: "POST /token",
        body: /pull%2Cpush.*refresh_token=id%2B2$/,
        answer: { status: 200, body: '{"access_token":"t2"}' },
      },
      { ...putManifest(), headers: { authorization: "Bearer t2" } },
    );

    await repository.fetchManifest("latest");
    await repository.pushManifest("latest", stored());
  });

  it("sends a registry token as it is", async () => {
    const { server, repository, bearer } = await start({ credentials: { registrytoken: "direct" } });
    server.expect(
      { ...getManifest(), answer: asks(bearer) },
      { ...getManifest(), headers: { authorization: "Bearer direct" } },
    );

    await repository.fetchManifest("latest");
  });

  it("asks for one token when requests run at the same time", async () => {
    const { server, repository, bearer } = await start({});
    server.expect(
      { ...getManifest(), answer: asks(bearer) },
      token({ scopes: ["pull"], token: "t1", lifetime: 300 }),
      { ...getManifest(), headers: { authorization: "Bearer t1" } },
      token({ scopes: ["pull"], token: "t2" }),
      { ...getManifest(), headers: { authorization: "Bearer t2" } },
      { ...getManifest(), headers: { authorization: "Bearer t2" } },
      { ...getManifest(), headers: { authorization: "Bearer t2" } },
    );
    await repository.fetchManifest("latest");
    repository.advance(300_000);

    await Promise.all([1, 2, 3].map(() => repository.fetchManifest("latest")));
  });

  it.each([
    { lifetime: undefined, early: 49_000, late: 51_000 },
    { lifetime: 300, early: 289_000, late: 291_000 },
    { lifetime: 10, early: 7_000, late: 9_000 },
  ])("renews a token of $lifetime seconds shortly before its end", async ({ lifetime, early, late }) => {
    const { server, repository, bearer } = await start({});
    server.expect(
      { ...getManifest(), answer: asks(bearer) },
      token({ scopes: ["pull"], token: "t1", lifetime }),
      { ...getManifest(), headers: { authorization: "Bearer t1" } },
      { ...getManifest(), headers: { authorization: "Bearer t1" } },
      token({ scopes: ["pull"], token: "t2", lifetime }),
      { ...getManifest(), headers: { authorization: "Bearer t2" } },
    );

    await repository.fetchManifest("latest");
    repository.advance(early);
    await repository.fetchManifest("latest");
    repository.advance(late - early);
    await repository.fetchManifest("latest");
  });

  it("gets a fresh token and opens the blob again when a token ends in the middle of an upload", async () => {
    const { server, repository, bearer } = await start({});
    const location = "/v2/team/app/blobs/uploads/1?_state=s";
    const put = `PUT ${location}&digest=${encodeURIComponent(blobDigest)}`;
    server.expect(
      { request: "POST /v2/team/app/blobs/uploads/", answer: asks(bearer) },
      token({ scopes: ["pull,push"], token: "t1" }),
      { request: "POST /v2/team/app/blobs/uploads/", answer: { status: 202, headers: { location } } },
      { request: put, body: "blob", headers: { authorization: "Bearer t1" }, answer: asks(bearer) },
      token({ scopes: ["pull,push"], token: "t2" }),
      { request: put, body: "blob", headers: { authorization: "Bearer t2" }, answer: { status: 201 } },
    );

    await repository.pushBlob(blob());
  });

  it("gives up when a fresh token is refused", async () => {
    const { server, repository, bearer } = await start({ credentials: password });
    const refusal = { errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] };
    server.expect({ ...getManifest(), answer: asks(bearer) }, token({ scopes: ["pull"], token: "t1" }), {
      ...getManifest(),
      answer: { ...asks(bearer), body: JSON.stringify(refusal) },
    });

    const fetching = repository.fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
      message: expect.stringContaining("401 UNAUTHORIZED: authentication required"),
      details: { registryCodes: ["UNAUTHORIZED"] },
    });
  });

  it.each([400, 401, 403])("says UNAUTHORIZED when the token server answers %s", async (status) => {
    const { server, repository, bearer } = await start({ credentials: password });
    server.expect(
      { ...getManifest(), answer: asks(bearer) },
      { request: /^GET \/token/, answer: { status, body: '{"details":"incorrect username or password"}' } },
    );

    const fetching = repository.fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
      message: expect.stringMatching(/^could not log in to .* at .*: \d+ incorrect username or password$/),
    });
  });

  it.each(["{}", '{"token":""}', '{"token":"two\\nlines"}', "<html>", '{"token":5}'])(
    "says PROTOCOL when the token server answers %s",
    async (body) => {
      const { server, repository, bearer } = await start({});
      server.expect(
        { ...getManifest(), answer: asks(bearer) },
        { request: /^GET \/token/, answer: { status: 200, body } },
      );

      const fetching = repository.fetchManifest("latest");

      await expect(fetching).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL" });
    },
  );

  it("never sends credentials to a token server over plain HTTP", async () => {
    const { server, repository } = await start({ credentials: password });
    server.expect({ ...getManifest(), answer: asks('Bearer realm="http://auth.example/token",service="registry"') });

    const fetching = repository.fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
      message: expect.stringContaining("over plain HTTP"),
    });
  });
});

async function start({ credentials, ...options }: TestOptions & { credentials?: object }) {
  const server = await startScriptedServer();
  const dockerConfig = credentials === undefined ? {} : { auths: { [server.host]: credentials } };
  const repositories = await openTestRepositories({ dockerConfig, ...options });
  const name = { host: server.host, path: "team/app" };
  const repository = { ...repositories.inRegistry(name), advance: repositories.advance };
  return { server, repositories, repository, name, bearer: challengeOf(server) };
}

function challengeOf({ origin }: ScriptedServer): string {
  return `Bearer realm="${origin}/token",service="registry"`;
}

function asks(challenge: string): ScriptedRequest["answer"] {
  return { status: 401, headers: { "www-authenticate": challenge } };
}

function getManifest(): ScriptedRequest {
  return { request: "GET /v2/team/app/manifests/latest", answer: { status: 200, body: manifest } };
}

function putManifest(): ScriptedRequest {
  return { request: "PUT /v2/team/app/manifests/latest", answer: { status: 201 } };
}

function hasBlob(): ScriptedRequest {
  return { request: `HEAD /v2/team/app/blobs/${blobDigest}`, answer: { status: 200 } };
}

function mountPath(): string {
  return `POST /v2/team/app/blobs/uploads/?mount=${encodeURIComponent(blobDigest)}&from=team%2Fbase`;
}

function token({
  scopes,
  token: value,
  lifetime,
  ...rest
}: {
  scopes: readonly string[];
  token: string;
  lifetime?: number | undefined;
  authorization?: string | undefined;
}): ScriptedRequest {
  const query = scopes.map((actions) => `scope=repository%3Ateam%2Fapp%3A${encodeURIComponent(actions)}`).join("&");
  return {
    request: new RegExp(`^GET /token\\?service=registry&${query}&client_id=layerwise(&account=me)?$`),
    headers: "authorization" in rest ? { authorization: rest.authorization } : {},
    answer: { status: 200, body: JSON.stringify({ token: value, expires_in: lifetime }) },
  };
}

function stored() {
  return {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: digestOf(manifest),
    bytes: Buffer.from(manifest),
  };
}

function blob(): Blob {
  return {
    descriptor: { mediaType: "application/octet-stream", digest: blobDigest, size: 4 },
    async *open() {
      yield Buffer.from("blob");
    },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
