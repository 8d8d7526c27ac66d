// SPDX-License-Identifier: Apache-2.0
import { randomInt } from "node:crypto";
import { LabError } from "../host/lab-error.ts";
import { run } from "../host/run.ts";
import type { Cell } from "./cell.ts";

/** A virtual cable between this machine and a cell; it vanishes with the cell. */
export interface Link {
  /** The name of the device at our end. */
  readonly name: string;
  /** Our end; every cell of this machine can reach it, since the machine is the gateway of all. */
  readonly hostAddress: string;
  /** The cell's end. */
  readonly cellAddress: string;
  /** Bytes since the link was made, as seen from the cell. */
  bytes(): Promise<LinkBytes>;
}

/** What went over a link. */
export interface LinkBytes {
  readonly received: number;
  readonly sent: number;
}

interface Device {
  readonly ifname: string;
  readonly stats64?: { readonly rx: { readonly bytes: number }; readonly tx: { readonly bytes: number } };
}

/** Second bytes of 10.x.0.0/16 networks that we take addresses from; the first that this machine has no route into. */
const pools = [213, 214, 219, 233] as const;
/** A /16 holds this many networks of four addresses. */
const networksPerPool = 1 << 14;
const attempts = 50;
const devicePrefix = "lwlab";

/** Connects a cell with a network of its own to this machine. */
export async function addLink(cell: Cell): Promise<Link> {
  const pool = await freePool();
  for (let attempt = 0; attempt < attempts; attempt++) {
    const number = randomInt(networksPerPool);
    const name = `${devicePrefix}${number}`;
    // The device's name stands for its addresses. The kernel lets only one be made, whoever tries at the same time.
    const added = await run(
      ["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", String(cell.pid)],
      { allowFailure: true },
    );
    if (added.code === 0) return configure(cell, { name, ...addressesOf(pool, number) });
    if (!added.stderr.includes("File exists")) {
      throw new LabError(`could not connect a cell: ${added.stderr.trim()}`);
    }
  }
  throw new LabError(`could not connect a cell: all of ${attempts} addresses tried are taken`);
}

function addressesOf(pool: number, number: number): Pick<Link, "hostAddress" | "cellAddress"> {
  const start = `10.${pool}.${number >> 6}.`;
  const last = (number & 63) << 2;
  return { hostAddress: `${start}${last + 1}`, cellAddress: `${start}${last + 2}` };
}

async function configure(cell: Cell, link: Omit<Link, "bytes">): Promise<Link> {
  const outside = `addr add ${link.hostAddress}/30 dev ${link.name}\nlink set ${link.name} addrgenmode none up\n`;
  const inside = [
    `link set lo up`,
    `addr add ${link.cellAddress}/30 dev eth0`,
    `link set eth0 addrgenmode none up`,
    `route add default via ${link.hostAddress}`,
  ].join("\n");
  await run(["ip", "-batch", "-"], { stdin: outside });
  await run(cell.entering(["net"], ["ip", "-batch", "-"]), { stdin: inside });
  return { ...link, bytes: () => bytesOf(link.name) };
}

async function bytesOf(name: string): Promise<LinkBytes> {
  const { stdout } = await run(["ip", "-json", "-statistics", "link", "show", "dev", name]);
  const [device] = JSON.parse(stdout) as Device[];
  // What we transmit, the cell receives.
  return { received: device?.stats64?.tx.bytes ?? 0, sent: device?.stats64?.rx.bytes ?? 0 };
}

async function freePool(): Promise<number> {
  const { stdout } = await run(["ip", "-json", "-4", "route", "show"]);
  const routes = JSON.parse(stdout) as { readonly dst: string; readonly dev?: string }[];
  const foreign = routes.filter((route) => !route.dev?.startsWith(devicePrefix));
  const pool = pools.find((second) => !foreign.some((route) => overlaps(route.dst, second)));
  if (pool === undefined) throw new LabError("could not connect a cell: this machine has routes into all our networks");
  return pool;
}

/** Whether a route's destination shares an address with 10.second.0.0/16. */
function overlaps(destination: string, second: number): boolean {
  if (destination === "default") return false;
  const [address = "", length = "32"] = destination.split("/");
  const [first, other] = address.split(".").map(Number);
  const bits = Math.min(16, Number(length));
  const mask = bits === 0 ? 0 : (0xffff << (16 - bits)) & 0xffff;
  const there = (((first ?? 0) << 8) | (other ?? 0)) & mask;
  return there === (((10 << 8) | second) & mask);
}
