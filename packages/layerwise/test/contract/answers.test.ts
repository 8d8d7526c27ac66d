// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/spec/digest.ts";
import { manifestAccept, mediaTypes } from "../../src/spec/media-type.ts";
import { readAll } from "../../src/spec/verified.ts";
import { openTestRepositories } from "../open-repositories.ts";
import { type ScriptedAnswer, type ScriptedServer, startScriptedServer } from "../scripted-server.ts";
import { blobOf, uploadOf } from "./sample-blob.ts";

const path = "app";
const manifestText = '{"schemaVersion":2,"layers":[]}';
const digest = digestOf(manifestText);
const getManifest = "GET /v2/app/manifests/latest";

describe("a manifest", () => {
  it("is asked for in all four media types", async () => {
    const { server, repository } = await start();
    server.expect({ request: getManifest, headers: { accept: manifestAccept }, answer: { status: 404 } });

    const found = await repository.fetchManifest("latest");

    expect(found).toBeUndefined();
  });

  it.each<{ what: string; headers: Record<string, string>; mediaType: string }>([
    {
      what: "the field",
      headers: { "content-type": `${mediaTypes.docker.manifest}; charset=utf-8` },
      mediaType: mediaTypes.docker.manifest,
    },
    { what: "the document", headers: { "content-type": "application/json" }, mediaType: mediaTypes.oci.manifest },
    { what: "the document", headers: {}, mediaType: mediaTypes.oci.manifest },
  ])("gets its media type from $what, also without a digest field", async ({ headers, mediaType }) => {
    const { server, repository } = await start();
    server.expect({ request: getManifest, answer: { status: 200, headers, body: manifestText } });

    const found = await repository.fetchManifest("latest");

    expect(found).toMatchObject({ mediaType, digest });
  });

  it("is refused when it is not what the registry announces", async () => {
    const { server, repository } = await start();
    const headers = { "docker-content-digest": digestOf("another") };
    server.expect({ request: getManifest, answer: { status: 200, headers, body: manifestText } });

    const fetching = repository.fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({ code: "DIGEST_MISMATCH", details: { digest: digestOf("another") } });
  });

  it("is refused when it is not what was asked for by digest", async () => {
    const { server, repository } = await start();
    const wanted = digestOf("wanted");
    server.expect({ request: `GET /v2/app/manifests/${wanted}`, answer: { status: 200, body: manifestText } });

    const fetching = repository.fetchManifest(wanted);

    await expect(fetching).rejects.toMatchObject({
      code: "DIGEST_MISMATCH",
      message: `could not fetch manifest ${repository.name}@${wanted}: its digest is ${digest}, not ${wanted}`,
    });
  });

  it("is not checked against a digest of another algorithm", async () => {
    const { server, repository } = await start();
    const headers = { "docker-content-digest": "sha512:00" };
    server.expect({ request: getManifest, answer: { status: 200, headers, body: manifestText } });

    const found = await repository.fetchManifest("latest");

    expect(found?.digest).toBe(digest);
  });

  it("is refused when it is longer than manifests may be", async () => {
    const { server, repository } = await start();
    server.expect({ request: getManifest, answer: { status: 200, body: Buffer.alloc(4 * 1024 * 1024 + 1, " ") } });

    const fetching = repository.fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL", message: /longer than 4194304 bytes$/ });
  });

  it("is not taken for pushed when the registry stored another one", async () => {
    const { server, repository } = await start();
    const headers = { "docker-content-digest": digestOf("rewritten") };
    server.expect({ request: "PUT /v2/app/manifests/latest", body: manifestText, answer: { status: 201, headers } });

    const pushing = repository.pushManifest("latest", stored());

    await expect(pushing).rejects.toMatchObject({ code: "DIGEST_MISMATCH", message: /the registry stored it as/ });
  });
});

describe("a blob", () => {
  const { descriptor } = blobOf("content");
  const getBlob = `GET /v2/app/blobs/${descriptor.digest}`;

  it.each<{ what: string; answer: ScriptedAnswer }>([
    { what: "other bytes", answer: { status: 200, body: "CONTENT" } },
    { what: "too few bytes", answer: { status: 200, body: "conten" } },
    { what: "too many bytes", answer: { status: 200, body: "content!" } },
  ])("is refused when the registry sends $what", async ({ answer }) => {
    const { server, repository } = await start();
    server.expect({ request: getBlob, answer });

    const fetching = readAll(repository.fetchBlob(descriptor), 1_000);

    await expect(fetching).rejects.toMatchObject({ code: "DIGEST_MISMATCH", details: { digest: descriptor.digest } });
  });

  it("is refused when the registry stores another one", async () => {
    const { server, repository } = await start();
    const { post, put } = uploadOf(path, descriptor.digest);
    const body = '{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]}';
    server.expect(
      { request: post, answer: { status: 202, headers: { location: "/up" } } },
      { request: put("/up"), answer: { status: 400, body } },
    );

    const pushing = repository.pushBlob(blobOf("content"));

    await expect(pushing).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  it("is not taken for pushed when the registry has only accepted it", async () => {
    const { server, repository } = await start();
    const { post, put } = uploadOf(path, descriptor.digest);
    server.expect(
      { request: post, answer: { status: 202, headers: { location: "/up" } } },
      { request: put("/up"), answer: { status: 202 } },
    );

    const pushing = repository.pushBlob(blobOf("content"));

    await expect(pushing).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL" });
  });

  it.each([401, 403, 404, 405])("is not mounted when the registry answers %s", async (status) => {
    const { server, repository, repositories } = await start();
    const source = repositories.inRegistry({ host: server.host, path: "base" });
    server.expect({ request: /^POST .*mount=.*from=base$/, answer: { status } });

    const mounted = await repository.mountBlob(descriptor, source);

    expect(mounted).toBe(false);
  });
});

describe("a mount", () => {
  it("is not done when the token server refuses the source", async () => {
    const { server, repository, repositories } = await start();
    const source = repositories.inRegistry({ host: server.host, path: "secret" });
    server.expect(
      { request: /^POST .*from=secret$/, answer: asks(server) },
      { request: /^GET \/token.*secret/, answer: { status: 403 } },
    );

    const mounted = await repository.mountBlob(blobOf("content").descriptor, source);

    expect(mounted).toBe(false);
  });
});

describe("a secret body", () => {
  it("is not sent on to another host", async () => {
    const server = await startScriptedServer();
    const other = await startScriptedServer();
    const dockerConfig = { auths: { [server.host]: { identitytoken: "identity" } } };
    const repositories = await openTestRepositories({ dockerConfig });
    server.expect(
      { request: getManifest, answer: asks(server) },
      { request: "POST /token", answer: { status: 307, headers: { location: `${other.origin}/token` } } },
    );

    const fetching = repositories.inRegistry({ host: server.host, path }).fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL", message: /sends credentials on to/ });
  });
});

describe("an error", () => {
  it.each<{ what: string; answer: ScriptedAnswer; code: string; message: RegExp; hint?: RegExp }>([
    {
      what: "a missing repository",
      answer: { status: 404, body: errors("NAME_UNKNOWN", "repository name not known to registry") },
      code: "REGISTRY_NOT_FOUND",
      message: /404 NAME_UNKNOWN: repository name not known to registry$/,
      hint: /^create the repository app in 127\.0\.0\.1:\d+ first$/,
    },
    {
      what: "a missing right",
      answer: { status: 403, body: errors("DENIED", "requested access is denied") },
      code: "REGISTRY_DENIED",
      message: /403 DENIED: requested access is denied$/,
      hint: /push to app$/,
    },
    {
      what: "a tag that may not move",
      answer: { status: 400, body: errors("TAG_INVALID", "the tag is immutable") },
      code: "REGISTRY_DENIED",
      message: /400 TAG_INVALID/,
      hint: /^choose another tag/,
    },
    {
      what: "a web page",
      answer: { status: 405, body: "<!DOCTYPE html><html><body>Welcome to <b>nginx</b></body></html>" },
      code: "REGISTRY_PROTOCOL",
      message: /405 a web page instead of a registry's answer$/,
      hint: /^check that .* is a registry/,
    },
    {
      what: "a proxy's limit",
      answer: { status: 413, body: "Payload\n too   large" },
      code: "REGISTRY_PROTOCOL",
      message: /413 Payload too large$/,
      hint: /^raise the limit/,
    },
    { what: "nothing", answer: { status: 418 }, code: "REGISTRY_PROTOCOL", message: /: 418$/ },
  ])("tells of $what", async ({ answer, code, message, hint }) => {
    const { server, repository } = await start();
    server.expect({ request: "PUT /v2/app/manifests/latest", answer });

    const pushing = repository.pushManifest("latest", stored());

    const expectedHint = hint === undefined ? {} : { hint: expect.stringMatching(hint) };
    await expect(pushing).rejects.toMatchObject({ code, message: expect.stringMatching(message), ...expectedHint });
  });

  it("arrives although the registry did not read what was sent", async () => {
    const { server, repository } = await start();
    const blob = blobOf(Buffer.alloc(30_000_000));
    const { post, put } = uploadOf(path, blob.descriptor.digest);
    server.expect(
      { request: post, answer: { status: 202, headers: { location: "/up" } } },
      { request: put("/up"), answer: { status: 413, body: "too large", unread: true } },
    );

    const pushing = repository.pushBlob(blob);

    await expect(pushing).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL", message: /413 too large$/ });
  });

  it("reads only the beginning of a huge body", async () => {
    const { server, repository, events } = await start();
    server.expect({ request: getManifest, answer: { status: 403, body: Buffer.alloc(50_000_000, "error ") } });

    const fetching = repository.fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({ code: "REGISTRY_DENIED" });
    const [received] = events.flatMap((event) =>
      event.kind === "request" && event.status === 403 ? [event.received] : [],
    );
    expect(received).toBeLessThan(1_000_000);
  });
});

async function start() {
  const server = await startScriptedServer();
  // The scheme of the host is settled by a first request, which is of no interest here.
  server.expect({ request: "HEAD /v2/app/blobs/first", answer: { status: 404 } });
  const repositories = await openTestRepositories();
  const repository = repositories.inRegistry({ host: server.host, path });
  await repository.hasBlob("first" as never);
  return { server, repositories, repository, events: repositories.events };
}

function asks({ origin }: ScriptedServer): ScriptedAnswer {
  return { status: 401, headers: { "www-authenticate": `Bearer realm="${origin}/token",service="s"` } };
}

function stored() {
  return { mediaType: mediaTypes.oci.manifest, digest, bytes: Buffer.from(manifestText) };
}

function errors(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code, message, detail: {} }] });
}
