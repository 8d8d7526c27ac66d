// SPDX-License-Identifier: Apache-2.0
import { nextCommit, ourRepository } from "./measure-deploys.ts";
import type { Change, LinkName, Traffic } from "./results.ts";
import { buildWithLayerwise } from "./run-layerwise.ts";
import type { BenchSite } from "./site.ts";

/** Counts what one deploy of layerwise moves, three times over: by its report, the registry's log and the network. */
export async function measureTraffic(site: BenchSite, link: LinkName): Promise<readonly Traffic[]> {
  const all: Traffic[] = [];
  for (const change of ["source", "nothing"] as const) all.push(await countDeploy(site, { link, change }));
  return all;
}

async function countDeploy(
  site: BenchSite,
  { link, change }: { readonly link: LinkName; readonly change: Change },
): Promise<Traffic> {
  const place = site.places[link];
  const commit = nextCommit();
  if (change === "source") await place.app.touch(commit);
  const [mark, before] = [await site.registry.mark(), await site.current.bytes()];
  const route = change === "source" ? "assemble" : "reuse";
  const tags = ["latest", `c${commit}`];
  const { report } = await buildWithLayerwise(site, { place, repository: ourRepository, tags, route });
  const [requests, after] = [await site.registry.requests(mark), await site.current.bytes()];
  const made = report.steps.filter(({ state }) => state === "made");
  return {
    link,
    change,
    route: report.route,
    requests: report.requests.count,
    logged: requests.length,
    sent: report.requests.sent,
    received: report.requests.received,
    wireSent: after.sent - before.sent,
    wireReceived: after.received - before.received,
    newLayers: made.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
  };
}
