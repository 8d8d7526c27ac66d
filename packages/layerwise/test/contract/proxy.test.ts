// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { defaultRetryPolicy } from "../../src/system/registry/retry.ts";
import { createTransport } from "../../src/system/registry/transport.ts";
import { type Certificates, makeCertificates } from "../certificates.ts";
import { openTestRepositories } from "../open-repositories.ts";
import { startProxyServer } from "../proxy-server.ts";
import { startScriptedServer } from "../scripted-server.ts";
import { blobOf, uploadOf } from "./sample-blob.ts";

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates({ names: ["registry.example"] });
});
afterAll(() => certificates.remove());

const name = { host: "registry.example", path: "app" };
const request = "GET /v2/app/manifests/latest";
const answer = { status: 200, body: "{}" };

it("reaches a registry over TLS through a tunnel", async () => {
  const server = await startScriptedServer(certificates);
  const proxy = await startProxyServer({ destination: server.address });
  const repositories = await openTestRepositories({
    caFiles: [certificates.caFile],
    environment: { HTTPS_PROXY: proxy.origin },
  });
  const blob = blobOf(Buffer.alloc(1_000_000, "through the tunnel"));
  const { post, put } = uploadOf("app", blob.descriptor.digest);
  server.expect(
    { request, headers: { "proxy-authorization": undefined }, answer },
    { request: post, answer: { status: 202, headers: { location: "/up" } } },
    { request: put("/up"), headers: { host: "registry.example" }, answer: { status: 201 } },
  );
  const repository = repositories.inRegistry(name);

  await repository.fetchManifest("latest");
  await repository.pushBlob(blob);

  expect(new Set(proxy.asked)).toEqual(new Set(["CONNECT registry.example:443"]));
});

it("gives up a tunnel that it waits for when it is closed", async () => {
  const proxy = await startProxyServer({ destination: "127.0.0.1:1", isSilent: true });
  const repositories = await openTestRepositories({ environment: { HTTPS_PROXY: proxy.origin } });
  const cancelling = new AbortController();
  const fetching = repositories.inRegistry(name).fetchManifest("latest", { signal: cancelling.signal });
  await vi.waitUntil(() => proxy.waiting() > 0);

  cancelling.abort();
  await expect(fetching).rejects.toMatchObject({ code: "CANCELLED" });
  await repositories.close();

  await vi.waitUntil(() => proxy.waiting() === 0, { timeout: 5_000 });
});

it("asks the proxy itself for a registry over plain HTTP", async () => {
  const server = await startScriptedServer();
  const proxy = await startProxyServer({ destination: server.address });
  const repositories = await openTestRepositories({
    insecureRegistries: ["plain.example:5000"],
    environment: { HTTP_PROXY: proxy.origin, HTTPS_PROXY: proxy.origin },
  });
  const blob = blobOf("content");
  const { head, post, put } = uploadOf("app", blob.descriptor.digest);
  server.expect(
    { request: head, headers: { host: "plain.example:5000" }, answer: { status: 404 } },
    { request: post, answer: { status: 202, headers: { location: "/up" } } },
    { request: put("/up"), body: "content", answer: { status: 201 } },
  );
  const repository = repositories.inRegistry({ host: "plain.example:5000", path: "app" });

  const has = await repository.hasBlob(blob.descriptor.digest);
  await repository.pushBlob(blob);

  expect(has).toBe(false);
  expect(proxy.asked).toContain("POST http://plain.example:5000/v2/app/blobs/uploads/");
});

it.each(["p%40ss", "p@ss", "p%ss"])("tells the proxy user and password, written as %s", async (written) => {
  const server = await startScriptedServer(certificates);
  const authorization = `Basic ${Buffer.from(`me:${written === "p%ss" ? written : "p@ss"}`).toString("base64")}`;
  const proxy = await startProxyServer({ destination: server.address, authorization });
  const repositories = await openTestRepositories({
    caFiles: [certificates.caFile],
    environment: { HTTPS_PROXY: proxy.origin.replace("http://", `http://me:${written}@`) },
  });
  server.expect({ request, answer });

  const found = await repositories.inRegistry(name).fetchManifest("latest");

  expect(found).toBeDefined();
});

it.each([
  { status: 407, attempts: 1, hint: /^put user and password into the proxy's URL/ },
  { status: 403, attempts: 1, hint: /^let the proxy connect to registry\.example, or list it in NO_PROXY$/ },
  { status: 502, attempts: 6, hint: /^let the proxy connect/ },
])("says that it was the proxy who answered $status", async ({ status, attempts, hint }) => {
  const proxy = await startProxyServer({ destination: "127.0.0.1:9", refuses: status });
  const environment = { HTTPS_PROXY: proxy.origin.replace("http://", "http://me:hunter2@") };
  const repositories = await openTestRepositories({ environment });

  const fetching = repositories.inRegistry(name).fetchManifest("latest");

  await expect(fetching).rejects.toMatchObject({
    code: "REGISTRY_UNREACHABLE",
    message: `could not fetch manifest registry.example/app:latest: registry.example through the proxy ${proxy.host}: the proxy answered ${status}`,
    hint: expect.stringMatching(hint),
  });
  expect(proxy.asked).toHaveLength(attempts);
});

it("says that it was the proxy who refused a request over plain HTTP", async () => {
  const proxy = await startProxyServer({ destination: "127.0.0.1:9", refuses: 407 });
  const transport = createTransport({
    environment: { HTTP_PROXY: proxy.origin },
    emit: () => undefined,
    wait: async () => undefined,
    retry: defaultRetryPolicy,
    userAgent: "test",
    insecureRegistries: [],
    caFiles: [],
  });
  const url = new URL("http://plain.example/");

  const sending = transport.send({ method: "GET", url, action: "ask", plain: true });

  await expect(sending).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE", message: /the proxy answered 407$/ });
  expect(proxy.asked).toEqual(["GET http://plain.example/"]);
  await transport.close();
});

it("does not use the proxy for loopback", async () => {
  const server = await startScriptedServer();
  const proxy = await startProxyServer({ destination: server.address });
  const repositories = await openTestRepositories({
    environment: { HTTP_PROXY: proxy.origin, HTTPS_PROXY: proxy.origin },
  });
  server.expect({ request, answer });

  await repositories.inRegistry({ host: server.host, path: "app" }).fetchManifest("latest");

  expect(proxy.asked).toEqual([]);
});
