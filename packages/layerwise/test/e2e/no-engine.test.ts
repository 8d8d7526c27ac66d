// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  makeWorkload,
  pythonBase,
  type RegistryRequest,
  startWheelIndex,
  type WheelIndex,
  type Workload,
} from "../../../lab/src/index.ts";
import type { Report } from "../../src/report/report.ts";
import { type Built, noEngine, openSite, type Site } from "./site.ts";
import { expectSound, firstLine } from "./sound-image.ts";

const kibibyte = 1024;
const reuseRequests = 12;
const assembleRequests = 20;

describe("on a machine without any docker, a build", () => {
  let site: Site;
  let index: WheelIndex;
  let app: Workload;
  let repository: string;
  let first: Built;

  beforeAll(async () => {
    site = await openSite({ generation: 28, store: "containerd" });
    index = await startWheelIndex({ address: site.registry.address, wheels: "small" });
    const base = await pythonBase(site.registry);
    app = await makeWorkload({ folder: join(site.work, "app"), base, index, wheels: "small" });
    repository = `${site.registry.name}/app`;
    first = await site.build(["--tag", `${repository}:c0`, app.folder]);
  });
  afterAll(async () => {
    await index.stop();
    await site.close();
  });

  /** Builds without an engine, and counts what the registry saw. */
  async function counted(tags: readonly string[]): Promise<{ built: Built; traffic: Traffic }> {
    const mark = await site.registry.mark();
    const args = tags.flatMap((tag) => ["--tag", `${repository}:${tag}`]);
    const built = await site.build([...args, app.folder], { env: noEngine });
    return { built, traffic: await trafficOf(site, await site.registry.requests(mark)) };
  }

  it("publishes a source-only change with few requests and hardly more than the new layer", async () => {
    await app.touch(2);

    const { built, traffic } = await counted(["c2", "latest"]);

    const { report } = built;
    expect(first.report.route).toBe("engine");
    expect(report.route).toBe("assemble");
    expect(report.steps.map(({ state }) => state)).toEqual(["reused", "reused", "made"]);
    expect(traffic.requests).toBeLessThanOrEqual(assembleRequests);
    expect(traffic.received).toBeLessThan(256 * kibibyte);
    const layer = report.steps.at(-1)?.bytes ?? 0;
    expect(layer).toBeGreaterThan(500 * kibibyte);
    expect(traffic.sent).toBeGreaterThanOrEqual(layer);
    expect(traffic.sent).toBeLessThanOrEqual(layer + 64 * kibibyte);
    expect(report.requests).toEqual(reported(traffic));
    await expectSound(site, `${repository}:latest`);
    const run = ["docker", "run", "--rm", `${repository}:c2`, "python3", "-B", "-c", "import app; print(app.VERSION)"];
    expect(firstLine(await site.engine?.exec(run))).toBe("2");
  });

  it("publishes an unchanged image again with few requests and no layer bytes", async () => {
    const { traffic: before } = await counted(["before"]);

    const { built, traffic } = await counted(["again", "latest"]);

    expect(built.report.route).toBe("reuse");
    expect(before.requests).toBeLessThanOrEqual(assembleRequests);
    expect(traffic.requests).toBeLessThanOrEqual(reuseRequests);
    expect(traffic.received).toBeLessThan(64 * kibibyte);
    expect(traffic.layers).toBe(0);
    expect(built.report.blobs.uploaded).toEqual({ count: 0, bytes: 0 });
    expect(built.report.requests).toEqual(reported(traffic));
    await expectSound(site, `${repository}:again`);
  });
});

/** What a registry saw; bytes are those of bodies. */
interface Traffic {
  readonly requests: number;
  readonly received: number;
  readonly sent: number;
  /** Blobs that were fetched or uploaded and are layers by their size. */
  readonly layers: number;
}

/** A report also counts the question whether an insecure registry speaks TLS, which this one does not understand. */
function reported({ requests, sent, received }: Traffic): Report["requests"] {
  return { count: requests + 1, sent, received };
}

/** Uploads are in the log only with their digests, so the registry is asked for their sizes. */
async function trafficOf({ registry }: Site, requests: readonly RegistryRequest[]): Promise<Traffic> {
  const answers = requests.filter(({ method }) => method === "GET").map(({ bytes }) => bytes);
  const sent: number[] = [];
  for (const { method, path, status } of requests) {
    if (method !== "PUT" || status !== 201) continue;
    const blob = /^\/v2\/(.+)\/blobs\/uploads\/.*[?&]digest=(sha256(?::|%3A)[0-9a-f]{64})/.exec(path);
    const place = blob === null ? path : `/v2/${blob[1]}/blobs/${decodeURIComponent(blob[2] as string)}`;
    sent.push(await sizeOf(`http://${registry.name}${place}`));
  }
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  const smallestLayer = 100 * kibibyte;
  return {
    requests: requests.length,
    received: sum(answers),
    sent: sum(sent),
    layers: [...answers, ...sent].filter((size) => size >= smallestLayer).length,
  };
}

async function sizeOf(url: string): Promise<number> {
  const accept = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
  const answer = await fetch(url, { headers: { accept: accept.join(", ") } });
  return (await answer.arrayBuffer()).byteLength;
}
