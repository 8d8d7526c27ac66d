// SPDX-License-Identifier: Apache-2.0
import { Agent, request } from "node:http";
import type { Place } from "./site.ts";
import { median } from "./statistics.ts";
import { timed } from "./timed.ts";

/** Requests until the figure is believed. */
const requests = 20;

/** Milliseconds that a small request takes on an open connection. */
export async function measureRoundTrip({ registry }: Place): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      const outgoing = request(`http://${registry}/v2/`, { agent }, (response) => {
        response.resume();
        response.once("end", resolve);
      });
      outgoing.once("error", reject);
      outgoing.end();
    });
  await ask();
  const times: number[] = [];
  for (let count = 0; count < requests; count++) times.push((await timed(ask)).seconds * 1000);
  agent.destroy();
  return median(times);
}
