// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { type Engine, type Registry, run, startEngine, startRegistry, tinyBase } from "../src/index.ts";
import { engineKinds } from "./engine-kinds.ts";
import { belongingsOf, leftoversOf } from "./leftovers.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

let registry: Registry;
let base: string;

beforeAll(async () => {
  registry = await startRegistry();
  base = await tinyBase(registry);
});
afterAll(() => registry.stop());

describe.each(engineKinds)("Docker $generation with its $store store", (kind) => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await startEngine({ ...kind, insecureRegistries: [registry.name] });
  });
  afterAll(() => engine.stop());

  it("is the generation that was asked for", async () => {
    const { stdout } = await engine.exec(["docker", "version", "--format", "{{.Server.Version}} {{.Client.Version}}"]);

    expect(stdout.split(" ").map((version) => version.split(".")[0])).toEqual([
      `${kind.generation}`,
      `${kind.generation}`,
    ]);
  });

  it("keeps images in the store that was asked for", async () => {
    const { stdout } = await engine.exec(["docker", "info", "--format", "{{.Driver}}"]);

    expect(stdout.trim()).toBe(kind.store === "classic" ? "overlay2" : "overlayfs");
  });

  it("keeps the limit of its network over a wipe, at both ends", async () => {
    await engine.limitRate(500);
    await engine.wipe();

    const { stdout: inside } = await run(engine.entering(["tc", "-json", "qdisc", "show", "dev", "eth0"]));
    const { stdout: route } = await run(engine.entering(["ip", "-json", "route", "show", "default"]));
    const [{ gateway }] = JSON.parse(route) as [{ gateway: string }];
    const { stdout: devices } = await run(["ip", "-json", "address", "show", "to", gateway]);
    const device = (JSON.parse(devices) as { ifname?: string }[]).find(({ ifname }) => ifname !== undefined)?.ifname;
    const { stdout: outside } = await run(["tc", "-json", "qdisc", "show", "dev", device ?? ""]);

    for (const text of [inside, outside]) {
      // Bytes a second.
      expect(JSON.parse(text)).toMatchObject([{ kind: "tbf", root: true, options: { rate: 500_000_000 / 8 } }]);
    }
  });

  it("answers on its socket from outside", async () => {
    const socketPath = engine.dockerHost.slice("unix://".length);

    const status = await new Promise((resolve, reject) => {
      get({ socketPath, path: "/_ping" }, (response) => resolve(response.resume().statusCode)).once("error", reject);
    });

    expect(status).toBe(200);
  });

  it("builds from a base in the registry and pushes the result there", async () => {
    const repository = `built-${kind.generation}-${kind.store}`;
    await writeFile(join(engine.work, "Dockerfile"), `FROM ${base}\nRUN whoami > /srv/data/who\n`);
    const mark = await registry.mark();
    const before = await engine.bytes();

    await engine.exec(["docker", "build", "--tag", `${registry.name}/${repository}:1`, engine.work]);
    await engine.exec(["docker", "push", `${registry.name}/${repository}:1`]);

    const put = (await registry.requests(mark)).find(
      ({ method, path }) => method === "PUT" && path === `/v2/${repository}/manifests/1`,
    );
    expect(put?.status).toBe(201);
    const after = await engine.bytes();
    // The base's first layer alone has a megabyte.
    expect(after.received - before.received).toBeGreaterThan(1_000_000);
    expect(after.sent - before.sent).toBeGreaterThan(1_000);
  });

  it("does not wait for name servers that it cannot have", async () => {
    const started = performance.now();

    const { code } = await engine.exec(["docker", "pull", "registry.example/image"], { allowFailure: true });

    expect(code).not.toBe(0);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it("has forgotten everything after a wipe but the shared folder", async () => {
    await writeFile(join(engine.work, "kept"), "kept");
    await engine.exec(["docker", "pull", base]);
    await engine.exec(["sh", "-c", "touch ~/mine /tmp/mine"]);
    const bytes = await engine.bytes();

    await engine.wipe();

    const images = await engine.exec(["docker", "images", "--quiet"]);
    const found = await engine.exec(["sh", "-c", 'ls ~ /tmp; cat "$1/kept"', "sh", engine.work]);
    expect(images.stdout).toBe("");
    expect(found.stdout).not.toContain("mine");
    expect(found.stdout).toContain("kept");
    expect((await engine.bytes()).received).toBeGreaterThanOrEqual(bytes.received);
  });
});

describe("an engine", () => {
  const engines: Engine[] = [];

  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  });

  it("leaves nothing when it is stopped with a container running", async () => {
    const engine = await startEngine({ generation: 28, insecureRegistries: [registry.name] });
    await engine.exec(["docker", "run", "--detach", "--publish", "8080:80", base, "sleep", "1000"]);
    const belongings = await belongingsOf(engine.shim);

    await engine.stop();

    expect(await leftoversOf(belongings, { folder: true })).toEqual([]);
  });

  it("has no more space on a disk of its own than it was given, also after a wipe", async () => {
    const [megabyte, wanted] = [1024 * 1024, 64];
    const engine = await startEngine({ generation: 20, diskBytes: wanted * megabyte });
    engines.push(engine);
    const sizes: string[] = [];

    for (const wipe of [false, true]) {
      if (wipe) await engine.wipe();
      const { stdout: folder } = await engine.exec(["docker", "info", "--format", "{{.DockerRootDir}}"]);
      sizes.push((await engine.exec(["df", "--block-size=1M", "--output=size", folder.trim()])).stdout);
    }

    expect(sizes.map((size) => Number(size.trim().split(/\s+/).at(-1)))).toEqual([wanted, wanted]);
  });

  it("does not meet another one that runs at the same time", async () => {
    engines.push(
      ...(await Promise.all(
        [20, 28].map((generation) =>
          startEngine({ generation: generation as 20 | 28, insecureRegistries: [registry.name] }),
        ),
      )),
    );
    const [first, second] = engines;

    // The same port of both machines, in their own networks.
    const run = ["docker", "run", "--detach", "--publish", "8080:80", base, "sleep", "1000"];
    await Promise.all(engines.map((engine) => engine.exec(run)));

    const counts = await Promise.all([first, second].map((engine) => engine?.exec(["docker", "ps", "--quiet"])));
    expect(counts.map((output) => output?.stdout.trim().split("\n").length)).toEqual([1, 1]);
  });

  it("shares a folder that is named to it at the same path", async () => {
    const work = await mkdtemp(join(tmpdir(), "layerwise-lab-work-"));
    await writeFile(join(work, "note"), "from outside");
    const engine = await startEngine({ generation: 28, work });
    engines.push(engine);

    const { stdout } = await engine.exec(["sh", "-c", "cat note; echo inside > reply; pwd"], { cwd: work });

    expect(stdout).toBe(`from outside${work}\n`);
    await engine.stop();
    expect((await run(["cat", join(work, "reply")])).stdout).toBe("inside\n");
    await rm(work, { recursive: true });
  });

  it("says so if a generation lacks a store", async () => {
    const starting = startEngine({ generation: 20, store: "containerd" });

    await expect(starting).rejects.toThrow("could not start Docker 20: it has no containerd image store");
  });
});
