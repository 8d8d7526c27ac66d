// SPDX-License-Identifier: Apache-2.0
import { randomFillSync } from "node:crypto";
import { mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { installPackages } from "layerwise-lab";
import type { Memory } from "./results.ts";
import { buildWithLayerwise } from "./run-layerwise.ts";
import type { BenchSite } from "./site.ts";

/** Bytes that are made at a time. */
const chunkBytes = 1024 * 1024;

/** Assembles a layer of one large file that does not compress, and looks at the peak of the process's memory. */
export async function measureMemory(site: BenchSite, layerBytes: number): Promise<Memory> {
  await installPackages(["time"]);
  const context = join(site.work, "large");
  await mkdir(context);
  await writeFile(join(context, "Dockerfile"), "FROM scratch\nCOPY large /large\n");
  await writeNoise(join(context, "large"), layerBytes);
  const peak = join(site.work, "peak");
  const { seconds } = await buildWithLayerwise(site, {
    place: site.places.direct,
    repository: `large-${layerBytes}`,
    tags: ["1"],
    context,
    route: "assemble",
    under: ["/usr/bin/time", "--format", "%M", "--output", peak],
  });
  const peakBytes = Number((await readFile(peak, "utf8")).trim()) * 1024;
  await rm(context, { recursive: true });
  return { layerBytes, peakBytes, seconds };
}

async function writeNoise(path: string, bytes: number): Promise<void> {
  const file = await open(path, "w");
  const chunk = Buffer.alloc(chunkBytes);
  for (let written = 0; written < bytes; written += chunk.length) await file.write(randomFillSync(chunk));
  await file.close();
}
