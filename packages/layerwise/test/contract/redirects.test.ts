// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { readAll } from "../../src/spec/verified.ts";
import { openTestRepositories } from "../open-repositories.ts";
import { type ScriptedRequest, startScriptedServer } from "../scripted-server.ts";
import { blobOf, uploadOf } from "./sample-blob.ts";

const path = "team/app";
const blob = blobOf("content");
const { digest } = blob.descriptor;
const getBlob = `GET /v2/${path}/blobs/${digest}`;
const authorization = `Basic ${Buffer.from("me:secret").toString("base64")}`;

describe("a download", () => {
  it.each([301, 302, 303, 307, 308])("follows %s to another host and leaves the credentials behind", async (status) => {
    const { registry, storage, repository } = await start();
    registry.expect(asksFor(getBlob), {
      request: getBlob,
      headers: { authorization },
      answer: { status, headers: { location: `${storage.origin}/bucket/blob?X-Amz-Signature=signed` } },
    });
    storage.expect({
      request: "GET /bucket/blob?X-Amz-Signature=signed",
      headers: { authorization: undefined },
      answer: { status: 200, body: "content" },
    });

    const bytes = await readAll(repository.fetchBlob(blob.descriptor), 100);

    expect(Buffer.from(bytes).toString()).toBe("content");
  });

  it("takes the credentials along on the same host", async () => {
    const { registry, repository } = await start();
    registry.expect(
      asksFor(getBlob),
      { request: getBlob, headers: { authorization }, answer: { status: 307, headers: { location: "/moved" } } },
      { request: "GET /moved", headers: { authorization }, answer: { status: 200, body: "content" } },
    );

    const bytes = await readAll(repository.fetchBlob(blob.descriptor), 100);

    expect(bytes.length).toBe(7);
  });

  it("does not give the credentials to the registry when a storage sends back to it", async () => {
    const { registry, storage, repository } = await start();
    registry.expect(
      asksFor(getBlob),
      {
        request: getBlob,
        headers: { authorization },
        answer: { status: 307, headers: { location: `${storage.origin}/a` } },
      },
      { request: "GET /b", headers: { authorization: undefined }, answer: { status: 200, body: "content" } },
    );
    storage.expect({ request: "GET /a", answer: { status: 307, headers: { location: `${registry.origin}/b` } } });

    const bytes = await readAll(repository.fetchBlob(blob.descriptor), 100);

    expect(bytes.length).toBe(7);
  });

  it("gives up after five redirects", async () => {
    const { registry, repository } = await start();
    const onward = { status: 307, headers: { location: getBlob.slice(4) } };
    registry.expect(...Array.from({ length: 6 }, () => ({ request: getBlob, answer: onward })));

    const fetching = readAll(repository.fetchBlob(blob.descriptor), 100);

    await expect(fetching).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL", message: /more than 5 redirects$/ });
  });

  it.each([
    { location: "http://storage.example/blob", why: /the way leads to storage\.example over plain HTTP/ },
    { location: "ftp://storage.example/blob", why: /ftp: is no scheme of a registry/ },
    { location: "http://[", why: /points to something that is no URL/ },
  ])("refuses to follow to $location", async ({ location, why }) => {
    const { registry, repository } = await start();
    registry.expect({ request: getBlob, answer: { status: 307, headers: { location } } });

    const fetching = readAll(repository.fetchBlob(blob.descriptor), 100);

    await expect(fetching).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL", message: why });
  });

  it("names the storage's answer when that refuses", async () => {
    const { registry, storage, repository } = await start();
    const page = "<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    registry.expect({
      request: getBlob,
      answer: { status: 307, headers: { location: `${storage.origin}/b?token=abc` } },
    });
    storage.expect({ request: "GET /b?token=abc", answer: { status: 403, body: page } });

    const fetching = readAll(repository.fetchBlob(blob.descriptor), 100);

    await expect(fetching).rejects.toMatchObject({
      code: "REGISTRY_DENIED",
      message: `could not fetch blob ${digest} from ${repository.name}: 403 AccessDenied Request has expired`,
      details: { url: `${storage.origin}/b?token=***` },
    });
  });
});

describe("a storage that asks for credentials", () => {
  it("does not get them", async () => {
    const { registry, storage, repository } = await start();
    registry.expect({ request: getBlob, answer: { status: 307, headers: { location: `${storage.origin}/b` } } });
    const challenge = `Bearer realm="${storage.origin}/token",service="s"`;
    storage.expect({ request: "GET /b", answer: { status: 401, headers: { "www-authenticate": challenge } } });

    const fetching = readAll(repository.fetchBlob(blob.descriptor), 100);

    await expect(fetching).rejects.toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
  });
});

describe("a look for a blob", () => {
  it("follows as well", async () => {
    const { registry, storage, repository } = await start();
    registry.expect({
      request: `HEAD /v2/${path}/blobs/${digest}`,
      answer: { status: 307, headers: { location: `${storage.origin}/b` } },
    });
    storage.expect({ request: "HEAD /b", answer: { status: 200, headers: { "content-length": "7" } } });

    const has = await repository.hasBlob(digest);

    expect(has).toBe(true);
  });
});

describe("an upload", () => {
  const { post, put } = uploadOf(path, digest);

  it("goes to a location on another host, without credentials", async () => {
    const { registry, storage, repository } = await start();
    registry.expect(asksFor(post), {
      request: post,
      headers: { authorization },
      answer: { status: 202, headers: { location: `${storage.origin}/put?_state=a%2Fb` } },
    });
    storage.expect({
      request: `PUT /put?_state=a%2Fb&digest=${encodeURIComponent(digest)}`,
      headers: { authorization: undefined, "content-length": "7", "content-type": "application/octet-stream" },
      body: "content",
      answer: { status: 201 },
    });

    await repository.pushBlob(blob);
  });

  it.each([
    { location: "/up/1", target: `/up/1?digest=${encodeURIComponent(digest)}` },
    { location: "1?x=y", target: `/v2/${path}/blobs/uploads/1?x=y&digest=${encodeURIComponent(digest)}` },
    { location: "/up/1#part", target: `/up/1?digest=${encodeURIComponent(digest)}` },
  ])("goes to the relative location $location", async ({ location, target }) => {
    const { registry, repository } = await start();
    registry.expect(
      { request: post, answer: { status: 202, headers: { location } } },
      { request: `PUT ${target}`, body: "content", answer: { status: 201 } },
    );

    await repository.pushBlob(blob);
  });

  it("opens the blob again when it is redirected", async () => {
    const { registry, storage, repository } = await start();
    registry.expect(
      { request: post, answer: { status: 202, headers: { location: "/up" } } },
      { request: put("/up"), answer: { status: 307, headers: { location: `${storage.origin}/store` } } },
    );
    storage.expect({ request: "PUT /store", body: "content", answer: { status: 201 } });

    await repository.pushBlob(blob);
  });

  it("follows when the opening of the upload is redirected", async () => {
    const { registry, storage, repository } = await start();
    registry.expect({ request: post, answer: { status: 307, headers: { location: `${storage.origin}/open` } } });
    storage.expect(
      { request: "POST /open", answer: { status: 202, headers: { location: "/up" } } },
      { request: put("/up"), body: "content", answer: { status: 201 } },
    );

    await repository.pushBlob(blob);
  });

  it("says PROTOCOL when the registry does not say where to", async () => {
    const { registry, repository } = await start();
    registry.expect({ request: post, answer: { status: 202 } });

    const pushing = repository.pushBlob(blob);

    await expect(pushing).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL", message: /does not say where to$/ });
  });
});

async function start() {
  const registry = await startScriptedServer();
  const storage = await startScriptedServer();
  const auth = { auth: Buffer.from("me:secret").toString("base64") };
  const repositories = await openTestRepositories({ dockerConfig: { auths: { [registry.host]: auth } } });
  return { registry, storage, repository: repositories.inRegistry({ host: registry.host, path }) };
}

function asksFor(request: string): ScriptedRequest {
  return { request, answer: { status: 401, headers: { "www-authenticate": 'Basic realm="r"' } } };
}
