// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import { isMatrix, oldestKind } from "../../../lab/test/engine-kinds.ts";
import { expectFailure } from "./expect-failure.ts";
import { type Gate, openGate } from "./gate.ts";
import { digestOf, uploads } from "./registry-traffic.ts";
import { type Outcome, openSite, type Site, type Started } from "./site.ts";

const signals = ["SIGINT", "SIGTERM", "SIGKILL"] as const;
type Signal = (typeof signals)[number];

/** With an engine each moment has a signal of its own; with LAYERWISE_ENGINES=all every one. */
const only = (signal: Signal): readonly Signal[] => (isMatrix ? signals : [signal]);

const megabyte = 1024 * 1024;

/** A request that saves a checkpoint; what an engine pushes to has no key in its tag. */
const savesCheckpoint = ({ method, path }: { method: string; path: string }) =>
  method === "PUT" && /\/manifests\/lwcache-[0-9a-f]{40}$/.test(path);

const looksForCheckpoint = ({ method, path }: { method: string; path: string }) =>
  method === "GET" && path.includes("/manifests/lwcache-");

let count = 0;

/** An application whose first version is published through the proxy. */
async function publishedApp(site: Site, files: Readonly<Record<string, string | Uint8Array>>) {
  count += 1;
  const name = `app-${count}`;
  const { proxy, registry } = site;
  await proxy.mend();
  await site.context(name, files);
  const flags = ["--push", "--insecure-registry", proxy.name, "--tag", `${proxy.name}/${name}:1`];
  const args = ["build", ...flags, name];
  const build = async () => {
    const outcome = await site.layerwise(args);
    expect(outcome, outcome.stderr).toMatchObject({ exitCode: 0 });
    return outcome;
  };
  await build();
  const digest = async () => await digestOf(registry, `${name}/manifests/1`);
  const published = await digest();
  proxy.requests.length = 0;
  return { name, published, digest, build, start: () => site.start(args), reference: `${registry.name}/${name}:1` };
}

/** Sends the signal and waits for the end, which must be as clean as the signal allows. */
async function interrupt(started: Started, signal: Signal): Promise<Outcome> {
  started.process.kill(signal);
  const outcome = await started.ended;
  if (signal === "SIGKILL") expect(outcome).toMatchObject({ exitCode: null, signal });
  else expectFailure(outcome, { code: "CANCELLED", says: ["could not finish the build: it was interrupted"] });
  return outcome;
}

describe.each(signals)("%s without an engine", (signal) => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite(undefined, { isProxied: true });
    await tinyBase(site.registry);
  });
  afterAll(async () => await site.close());

  const app = async () => {
    const dockerfile = `FROM ${site.proxy.name}/tiny:1\nCOPY small /small\nCOPY large /large\n`;
    const published = await publishedApp(site, { Dockerfile: dockerfile, small: "0", large: "0" });
    await site.context(published.name, { small: randomBytes(megabyte), large: randomBytes(12 * megabyte) });
    return published;
  };

  it("while it plans moves no tag, and the next run completes", async () => {
    const { start, build, digest, published, reference } = await app();
    const held = site.proxy.hold(looksForCheckpoint);
    const started = start();
    await held;

    await interrupt(started, signal);

    expect(await digest()).toBe(published);
    expect(await readdir(site.scratch)).toEqual([]);
    await site.proxy.mend();
    await build();
    expect(await digest()).not.toBe(published);
    expect(await site.flaws(reference)).toEqual([]);
  });

  it("in the middle of an upload moves no tag, and the next run goes on from there", async () => {
    const { start, build, digest, published, reference } = await app();
    const struck = site.proxy.strike("hold", { blobs: 1, bytes: 4 * megabyte });
    const started = start();
    await struck;

    await interrupt(started, signal);

    expect(await digest()).toBe(published);
    // Who is killed cannot clear up; the next run does.
    expect(await readdir(site.scratch)).toHaveLength(signal === "SIGKILL" ? 1 : 0);
    const uploaded = uploads(site.proxy);
    expect(uploaded).not.toEqual([]);
    await site.proxy.mend();
    await build();
    expect(uploads(site.proxy).filter((blob) => uploaded.includes(blob))).toEqual([]);
    expect(await digest()).not.toBe(published);
    expect(await site.flaws(reference)).toEqual([]);
    expect(await readdir(site.scratch)).toEqual([]);
  });

  it("while checkpoints are saved leaves the image complete, and the next run sends no layer again", async () => {
    const { start, build, digest, published, reference } = await app();
    const held = site.proxy.hold(savesCheckpoint);
    const started = start();
    await held;

    const { stderr } = await interrupt(started, signal);

    expect(stderr).toMatch(/^tagged +/m);
    expect(await digest()).not.toBe(published);
    expect(await site.flaws(reference)).toEqual([]);
    await site.proxy.mend();
    await build();
    const sent = site.proxy.requests.reduce((sum, { received }) => sum + received, 0);
    expect(sent).toBeLessThan(megabyte);
    expect(await site.flaws(reference)).toEqual([]);
    expect(await readdir(site.scratch)).toEqual([]);
  });
});

describe.each(oldestKind)("with Docker $generation and the $store store", (kind) => {
  let site: Site;
  let gate: Gate;
  beforeAll(async () => {
    site = await openSite(kind, { isProxied: true });
    gate = await openGate(site.registry);
    await tinyBase(site.registry);
  });
  beforeEach(() => gate.open());
  afterAll(async () => {
    await gate.close();
    await site.close();
  });

  const app = async () => {
    const dockerfile = [
      `FROM ${site.proxy.name}/tiny:1 AS builder`,
      "COPY a /a",
      `RUN wget -q -O /answer ${gate.url} && head -c ${6 * megabyte} /dev/urandom > /random`,
      `FROM ${site.proxy.name}/tiny:1`,
      "COPY --from=builder /answer /random /",
      "",
    ].join("\n");
    // The engine must not have built the same for another test.
    const published = await publishedApp(site, { Dockerfile: dockerfile, a: randomBytes(8) });
    await site.context(published.name, { a: randomBytes(8) });
    return published;
  };

  it.each(only("SIGINT"))(
    "%s while a RUN executes ends it, moves no tag, and the next run completes",
    async (signal) => {
      const { start, build, digest, published, reference } = await app();
      const visit = gate.shut();
      const started = start();
      const visitor = await visit;

      await interrupt(started, signal);

      await visitor.gone;
      expect(await digest()).toBe(published);
      gate.open();
      await build();
      expect(await digest()).not.toBe(published);
      expect(await site.flaws(reference)).toEqual([]);
      expect(await readdir(site.scratch)).toEqual([]);
    },
  );

  it.each(only("SIGTERM"))(
    "%s while what it made is uploaded moves no tag, and the next run completes",
    async (signal) => {
      const { start, build, digest, published, reference } = await app();
      const struck = site.proxy.strike("hold", { bytes: megabyte });
      const started = start();
      await struck;

      await interrupt(started, signal);

      expect(await digest()).toBe(published);
      await site.proxy.mend();
      await build();
      expect(await digest()).not.toBe(published);
      expect(await site.flaws(reference)).toEqual([]);
      expect(await readdir(site.scratch)).toEqual([]);
    },
  );

  it.each(only("SIGKILL"))(
    "%s while checkpoints are saved leaves the image, and the next run completes",
    async (signal) => {
      const { start, build, digest, published, reference } = await app();
      const held = site.proxy.hold(savesCheckpoint);
      const started = start();
      await held;

      await interrupt(started, signal);

      expect(await digest()).not.toBe(published);
      expect(await site.flaws(reference)).toEqual([]);
      await site.proxy.mend();
      await build();
      const again = await build();
      expect(again.stderr).toMatch(/^route +reuse$/m);
      expect(await site.flaws(reference)).toEqual([]);
      expect(await readdir(site.scratch)).toEqual([]);
    },
  );
});
