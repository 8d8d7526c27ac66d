// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import type { Blob } from "../../src/ports.ts";
import { readAll } from "../../src/spec/verified.ts";
import { defaultRetryPolicy } from "../../src/system/registry/retry.ts";
import { createTransport } from "../../src/system/registry/transport.ts";
import { openTestRepositories } from "../open-repositories.ts";
import { startRegistryServer } from "../registry-server.ts";
import { type ScriptedAnswer, startScriptedServer } from "../scripted-server.ts";
import { blobOf, uploadOf } from "./sample-blob.ts";

const path = "app";
const manifest = "GET /v2/app/manifests/latest";
const ok: ScriptedAnswer = { status: 200, body: "{}" };

describe("a request", () => {
  it("is sent again as often as needed, after the waits that the registry asks for", async () => {
    const { server, repository, waits } = await start();
    const busy = (after: string) => ({ request: manifest, answer: { status: 429, headers: { "retry-after": after } } });
    server.expect(busy("2"), busy("0"), busy("100000"), { request: manifest, answer: ok });

    const found = await repository.fetchManifest("latest");

    expect(found).toBeDefined();
    expect(waits).toEqual([2_000, 0, 60_000]);
  });

  it.each([408, 500, 502, 503, 504])("is sent again after %s", async (status) => {
    const { server, repository, waits } = await start();
    server.expect({ request: manifest, answer: { status } }, { request: manifest, answer: ok });

    await repository.fetchManifest("latest");

    expect(waits).toHaveLength(1);
  });

  it("is sent six times before it fails with BUSY", async () => {
    const { server, repository, waits } = await start();
    const body = '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}';
    server.expect(...Array.from({ length: 6 }, () => ({ request: manifest, answer: { status: 429, body } })));

    const fetching = repository.fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({
      code: "REGISTRY_BUSY",
      message: `could not fetch manifest ${repository.name}:latest: 429 TOOMANYREQUESTS: slow down`,
      hint: expect.stringMatching(/^wait a while, or log in/),
    });
    expect(waits).toHaveLength(5);
  });

  it.each([{ status: 0 }, { status: 200, body: "{ }", breakAfter: 2 }])(
    "is sent again when the connection breaks: %o",
    async (broken) => {
      const { server, repository } = await start();
      server.expect({ request: manifest, answer: broken }, { request: manifest, answer: ok });

      const found = await repository.fetchManifest("latest");

      expect(Buffer.from(found?.bytes ?? []).toString()).toBe("{}");
    },
  );

  it("fails with UNREACHABLE when nothing listens", async () => {
    const repositories = await openTestRepositories();
    const host = await closedHost();

    const fetching = repositories.inRegistry({ host, path }).fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      message: `could not fetch manifest ${host}/app:latest: ${host}: the connection was refused (ECONNREFUSED)`,
    });
    expect(repositories.waits).toHaveLength(2);
  });

  it("fails with UNREACHABLE at once when the name is unknown", async () => {
    const repositories = await openTestRepositories();

    const fetching = repositories.inRegistry({ host: "registry.invalid", path }).fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE", details: { reason: "name" } });
    expect(repositories.waits.length).toBeLessThanOrEqual(5);
  });

  it("ends with CANCELLED while it waits for the next attempt", async () => {
    const controller = new AbortController();
    const server = await startScriptedServer();
    const wait = async () => controller.abort();
    const repositories = await openTestRepositories({ wait });
    server.expect({ request: manifest, answer: { status: 503 } });

    const fetching = repositories.inRegistry({ host: server.host, path }).fetchManifest("latest", controller);

    await expect(fetching).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("fails with UNREACHABLE when no answer comes in time", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    const { port } = silent.address() as { port: number };
    const transport = createTransport({
      environment: {},
      emit: () => undefined,
      wait: async () => undefined,
      retry: { ...defaultRetryPolicy, attempts: 2 },
      userAgent: "test",
      insecureRegistries: [],
      caFiles: [],
    });
    const url = new URL(`http://127.0.0.1:${port}/`);
    transport.schemes.settle(url);

    const sending = transport.send({ method: "GET", url, action: "ask", answerTimeout: 10 });

    await expect(sending).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      message: /no answer came in time$/,
    });
    await transport.close();
    silent.close();
  });

  it("can be one of many with one signal, without a warning", async () => {
    const warnings: Error[] = [];
    const listener = (warning: Error) => void warnings.push(warning);
    process.on("warning", listener);
    const server = await startRegistryServer();
    const repositories = await openTestRepositories();
    const repository = repositories.inRegistry({ host: server.host, path });
    const { signal } = new AbortController();

    await Promise.all(Array.from({ length: 30 }, (_, index) => repository.fetchManifest(`t${index}`, { signal })));
    await new Promise((resolve) => setImmediate(resolve));

    process.off("warning", listener);
    expect(warnings).toEqual([]);
    await server.close();
  });

  it("reports every attempt as an event, failed ones with status 0", async () => {
    const { server, repository, events } = await start();
    server.expect({ request: manifest, answer: { status: 0 } }, { request: manifest, answer: ok });

    await repository.fetchManifest("latest");

    const url = `${server.origin}/v2/app/manifests/latest`;
    const attempts = events.filter((event) => event.kind === "request" && event.url === url);
    expect(attempts.at(0)).toMatchObject({ method: "GET", status: 0, sent: 0, received: 0 });
    expect(attempts.at(-1)).toEqual({ kind: "request", method: "GET", url, status: 200, sent: 0, received: 2 });
  });
});

describe("a download", () => {
  const blob = blobOf(Buffer.alloc(1_000_000, "resumed "));

  it.each([true, false])("goes on where it broke; registry knows ranges: %s", async (knowsRanges) => {
    const server = await startRegistryServer({ brokenDownloads: 0, knowsRanges });
    const repositories = await openTestRepositories();
    const repository = repositories.inRegistry({ host: server.host, path });
    await repository.pushBlob(blob);
    server.switches.brokenDownloads = 2;

    const bytes = await readAll(repository.fetchBlob(blob.descriptor), 1_000_000);

    expect(bytes.length).toBe(1_000_000);
    expect(server.requests.filter(({ method }) => method === "GET").map(({ status }) => status)).toEqual(
      knowsRanges ? [200, 206, 206] : [200, 200, 200],
    );
    await server.close();
  });

  it("fails with UNREACHABLE when it breaks again and again", async () => {
    const { server, repository, waits } = await start();
    const { descriptor } = blobOf("content");
    const request = `GET /v2/app/blobs/${descriptor.digest}`;
    const part = { status: 206, headers: { "content-range": "bytes 3-6/7" }, body: "tent", breakAfter: 0 };
    server.expect({ request, answer: { status: 200, body: "content", breakAfter: 3 } });
    server.expect(...Array.from({ length: 5 }, () => ({ request, headers: { range: "bytes=3-" }, answer: part })));

    const fetching = readAll(repository.fetchBlob(descriptor), 100);

    await expect(fetching).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE", message: /the connection broke/ });
    expect(waits).toHaveLength(5);
  });

  it("is complete when only the end of the answer is lost", async () => {
    const { server, repository } = await start();
    const { descriptor } = blobOf("content");
    const answer = { status: 200, headers: { "content-length": "8" }, body: "content", breakAfter: 7 };
    server.expect({ request: `GET /v2/app/blobs/${descriptor.digest}`, answer });

    const bytes = await readAll(repository.fetchBlob(descriptor), 100);

    expect(Buffer.from(bytes).toString()).toBe("content");
  });

  it("says PROTOCOL when it gets another part than it asked for", async () => {
    const { server, repository } = await start();
    const { descriptor } = blobOf("content");
    const request = `GET /v2/app/blobs/${descriptor.digest}`;
    server.expect(
      { request, answer: { status: 200, body: "content", breakAfter: 3 } },
      { request, answer: { status: 206, headers: { "content-range": "bytes 0-6/7" }, body: "content" } },
    );

    const fetching = readAll(repository.fetchBlob(descriptor), 100);

    await expect(fetching).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL" });
  });
});

describe("an upload", () => {
  const content = Buffer.alloc(3_000_000, "upload ");
  const blob = blobOf(content);
  const { head, post, put } = uploadOf(path, blob.descriptor.digest);
  const opened = (location: string) => ({ request: post, answer: { status: 202, headers: { location } } });

  it("begins anew with another session when the connection breaks in its middle", async () => {
    const { server, repository } = await start();
    const counted = countOpens(blob);
    server.expect(
      opened("/up/1"),
      { request: put("/up/1"), answer: { status: 0, breakRequestAfter: 500_000 } },
      { request: head, answer: { status: 404 } },
      opened("/up/2"),
      { request: put("/up/2"), body: content.toString(), answer: { status: 201 } },
    );

    await repository.pushBlob(counted.blob);

    expect(counted.opens()).toBe(2);
  });

  it("is done when only the answer was lost", async () => {
    const { server, repository } = await start();
    server.expect(
      opened("/up/1"),
      { request: put("/up/1"), answer: { status: 0 } },
      { request: head, answer: { status: 200 } },
    );

    await repository.pushBlob(blob);
  });

  it("begins anew after 503 and after 429, at the opening and at the end", async () => {
    const { server, repository, waits } = await start();
    server.expect(
      { request: post, answer: { status: 429, headers: { "retry-after": "3" } } },
      { request: head, answer: { status: 404 } },
      opened("/up/1"),
      { request: put("/up/1"), answer: { status: 503 } },
      { request: head, answer: { status: 503 } },
      { request: head, answer: { status: 404 } },
      opened("/up/2"),
      { request: put("/up/2"), answer: { status: 201 } },
    );

    await repository.pushBlob(blob);

    expect(waits).toHaveLength(3);
    expect(waits[0]).toBe(3_000);
  });

  it("opens another session at once when the registry has lost the first", async () => {
    const { server, repository, waits } = await start();
    const lost = '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"blob upload unknown to registry"}]}';
    server.expect(opened("/up/1"), { request: put("/up/1"), answer: { status: 404, body: lost } }, opened("/up/2"), {
      request: put("/up/2"),
      answer: { status: 201 },
    });

    await repository.pushBlob(blob);

    expect(waits).toEqual([]);
  });

  it("uses the session that a registry opened instead of mounting, once", async () => {
    const { server, repositories, repository } = await start();
    const source = repositories.inRegistry({ host: server.host, path: "base" });
    server.expect(
      { request: /^POST .*mount=/, answer: { status: 202, headers: { location: "/up/mount" } } },
      { request: put("/up/mount"), answer: { status: 201 } },
    );

    const mounted = await repository.mountBlob(blob.descriptor, source);
    await repository.pushBlob(blob);

    expect(mounted).toBe(false);
    server.expect(opened("/up/2"), { request: put("/up/2"), answer: { status: 201 } });
    await repository.pushBlob(blob);
  });

  it("does without that session when it is gone", async () => {
    const { server, repositories, repository } = await start();
    const source = repositories.inRegistry({ host: server.host, path: "base" });
    server.expect(
      { request: /^POST .*mount=/, answer: { status: 202, headers: { location: "/up/mount" } } },
      { request: put("/up/mount"), answer: { status: 404 } },
      opened("/up/1"),
      { request: put("/up/1"), answer: { status: 201 } },
    );

    await repository.mountBlob(blob.descriptor, source);
    await repository.pushBlob(blob);
  });

  it("counts what was sent", async () => {
    const { server, repository, events } = await start();
    server.expect(opened("/up/1?_state=hidden"), { request: put("/up/1?_state=hidden"), answer: { status: 201 } });

    await repository.pushBlob(blob);

    const digest = encodeURIComponent(blob.descriptor.digest);
    const url = `${server.origin}/up/1?_state=***&digest=${digest}`;
    expect(events.at(-1)).toEqual({ kind: "request", method: "PUT", url, status: 201, sent: 3_000_000, received: 0 });
  });
});

async function start() {
  const server = await startScriptedServer();
  // The scheme of the host is settled by a first request, which is of no interest here.
  server.expect({ request: "HEAD /v2/app/blobs/first", answer: { status: 404 } });
  const repositories = await openTestRepositories();
  const repository = repositories.inRegistry({ host: server.host, path });
  await repository.hasBlob("first" as never);
  return { server, repositories, repository, waits: repositories.waits, events: repositories.events };
}

async function closedHost(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

function countOpens(blob: Blob): { blob: Blob; opens: () => number } {
  let opens = 0;
  const open = () => {
    opens += 1;
    return blob.open();
  };
  return { blob: { ...blob, open }, opens: () => opens };
}
