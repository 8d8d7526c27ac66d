// SPDX-License-Identifier: Apache-2.0
import { run } from "../host/run.ts";
import type { Cell } from "./cell.ts";
import type { Link } from "./link.ts";

/** Bytes that may go at once: what a network card of this speed has in its queue. */
const burst = "256kb";
/** How long a packet may wait before it is dropped. */
const longestWait = "50ms";

/** Limits what goes over a link, in both directions; a fresh link has no limit. */
export async function limitRate(
  { cell, link }: { readonly cell: Cell; readonly link: Link },
  mbit: number,
): Promise<void> {
  const limit = (device: string) => [
    ...["tc", "qdisc", "replace", "dev", device, "root", "tbf"],
    ...["rate", `${mbit}mbit`, "burst", burst, "latency", longestWait],
  ];
  await run(limit(link.name));
  await run(cell.entering(["net"], limit("eth0")));
}
