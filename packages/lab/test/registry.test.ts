// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  layerOf,
  openRegistryImage,
  pushImage,
  type Registry,
  startCraneRegistry,
  startRegistry,
  validateImage,
} from "../src/index.ts";
import { parseAccessLog } from "../src/registry/access-log.ts";
import { httpRequest } from "../src/registry/http.ts";

vi.setConfig({ testTimeout: 120_000 });

const contents = { layers: [layerOf([{ path: "file", type: "file", content: "text" }])], config: { Cmd: ["x"] } };
const registries: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(registries.splice(0).map((registry) => registry.stop()));
});

async function start(options?: Parameters<typeof startRegistry>[0]): Promise<Registry> {
  const registry = await startRegistry(options);
  registries.push(registry);
  return registry;
}

describe("a registry", () => {
  it("counts requests since a mark, with status and bytes", async () => {
    const registry = await start();
    await pushImage(contents, { registry, repository: "app" });
    const mark = await registry.mark();

    await httpRequest(`http://${registry.name}/v2/app/tags/list?n=5`);
    await httpRequest(`http://${registry.name}/v2/app/blobs/${contents.layers[0]?.digest}`, { method: "HEAD" });
    await httpRequest(`http://${registry.name}/v2/app/manifests/none`);

    expect(await registry.requests(mark)).toEqual([
      { method: "GET", path: "/v2/app/tags/list?n=5", status: 200, bytes: '{"name":"app","tags":["1"]}\n'.length },
      { method: "HEAD", path: `/v2/app/blobs/${contents.layers[0]?.digest}`, status: 200, bytes: 0 },
      { method: "GET", path: "/v2/app/manifests/none", status: 404, bytes: expect.any(Number) },
    ]);
  });

  it("has every request of a push in its log, and none of its own", async () => {
    const registry = await start();

    await pushImage(contents, { registry, repository: "app" });

    const methods = (await registry.requests()).map(({ method, status }) => `${method} ${status}`);
    expect(methods).toEqual([
      ...["HEAD 404", "POST 202", "PUT 201"],
      ...["HEAD 404", "POST 202", "PUT 201"],
      "PUT 201",
    ]);
  });

  it("misses no request that was answered before it is asked, of many at once", async () => {
    const registry = await start();
    const mark = await registry.mark();

    await Promise.all(Array.from({ length: 100 }, () => httpRequest(`http://${registry.name}/v2/`)));

    expect(await registry.requests(mark)).toHaveLength(100);
  });

  it("is empty after a wipe, and goes on under its name", async () => {
    const registry = await start();
    const reference = await pushImage(contents, { registry, repository: "app" });

    await registry.wipe();

    await expect(openRegistryImage(reference)).rejects.toThrow("status 404");
    await pushImage(contents, { registry, repository: "app" });
    expect(await validateImage(await openRegistryImage(reference))).toEqual([]);
  });

  it("lets in only its user", async () => {
    const auth = { user: "someone", password: "pass word: $1 'ü\"" };
    const registry = await start({ auth });
    const url = `http://${registry.name}/v2/`;

    const answers = await Promise.all([
      httpRequest(url),
      httpRequest(url, { auth: { ...auth, password: "other" } }),
      httpRequest(url, { auth }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 200]);
    expect(answers[0]?.headers["www-authenticate"]).toBe('Basic realm="layerwise-lab"');
  });

  it.each([
    [true, 202],
    [false, 405],
  ])("allows deletion as it is told: %s", async (allowed, status) => {
    const registry = await start({ delete: allowed });
    const reference = await pushImage(contents, { registry, repository: "app" });
    const digest = (await openRegistryImage(reference)).documents[0]?.claims.digest;

    const answer = await httpRequest(`http://${registry.name}/v2/app/manifests/${digest}`, { method: "DELETE" });

    expect(answer.status).toBe(status);
  });

  it("listens on the address that is named to it", async () => {
    const registry = await start({ host: "127.0.0.1" });

    const { status } = await httpRequest(`http://${registry.name}/v2/`);

    expect(registry.name).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(status).toBe(200);
  });

  it("runs beside others", async () => {
    const all = await Promise.all([start(), start(), start({ host: "127.0.0.1" }), start({ host: "127.0.0.1" })]);

    await Promise.all(all.map((registry, index) => pushImage(contents, { registry, repository: `app${index}` })));

    expect(new Set(all.map(({ name }) => name)).size).toBe(4);
    const lists = await Promise.all(all.map(({ name }) => httpRequest(`http://${name}/v2/_catalog`)));
    expect(lists.map(({ body }) => JSON.parse(body.toString()).repositories)).toEqual([
      ["app0"],
      ["app1"],
      ["app2"],
      ["app3"],
    ]);
  });

  it("is gone when it is stopped", async () => {
    const registry = await startRegistry({ host: "127.0.0.1" });

    await registry.stop();

    await expect(httpRequest(`http://${registry.name}/v2/`)).rejects.toThrow("ECONNREFUSED");
  });
});

describe("crane's registry", () => {
  it("takes and gives images", async () => {
    const registry = await startCraneRegistry();
    registries.push(registry);

    const reference = await pushImage(contents, { registry, repository: "app" });

    expect(await validateImage(await openRegistryImage(reference))).toEqual([]);
  });
});

describe("the access log", () => {
  it("is read line by line, without lines of other kinds and without half lines", () => {
    const log = [
      'time="2026-11-24T02:37:07Z" level=error msg="something"',
      '10.1.2.3 - - [24/Nov/2026:02:37:07 +0000] "HEAD /v2/base/manifests/1 HTTP/1.1" 200 406 "" "a \\"client\\""',
      '10.1.2.3 - me [24/Nov/2026:02:37:07 +0000] "PATCH /v2/a/blobs/uploads/x?_state=y%3D HTTP/1.1" 202 0 "" ""',
      '10.1.2.3 - - [24/Nov/2026:02:37:07 +0000] "GET /v2/',
    ].join("\n");

    expect(parseAccessLog(log)).toEqual([
      { method: "HEAD", path: "/v2/base/manifests/1", status: 200, bytes: 0 },
      { method: "PATCH", path: "/v2/a/blobs/uploads/x?_state=y%3D", status: 202, bytes: 0 },
    ]);
  });
});
