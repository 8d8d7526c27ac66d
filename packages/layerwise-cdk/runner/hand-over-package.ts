// SPDX-License-Identifier: Apache-2.0
import { closeSync, createReadStream, createWriteStream, openSync, writeSync } from "node:fs";
import { mkdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { Zip, ZipPassThrough } from "fflate";
import { packTar, unpackTar } from "modern-tar/fs";
import { type ImagePlan, runnerFileName } from "../src/private/plan-file.ts";
import { RunnerError } from "./runner-error.ts";

/** What a fallback is told. */
export interface HandOver {
  readonly version: 1;
  readonly plan: ImagePlan;
  readonly platform: string;
}

/** Bytes of a context, packed, at most: the archive's own limit, without extensions. */
const maxContextBytes = 4 * 1024 ** 3 - 1;

const orderName = "hand-over.json";
const contextName = "context.tar.gz";

/**
 * Packs everything that a fallback needs into one ZIP archive, which is what AWS CodeBuild takes as a source: the
 * runner, the order, and the build context. The context is a tar archive inside, so that modes and links stay exact.
 */
export async function packHandOver(
  { plan, platform, directory }: { plan: ImagePlan; platform: string; directory: string },
  folder: string,
): Promise<string> {
  const architecture = platform.replaceAll("/", "-");
  const context = join(folder, `${architecture}-${contextName}`);
  await pipeline(packTar(directory), createGzip({ level: 1 }), createWriteStream(context));
  if ((await stat(context)).size > maxContextBytes) {
    throw new RunnerError(`could not hand over ${plan.path}: its build context is larger than 4 GiB`, {
      hint: "remove what no build needs from its directory, or use BuildCompute.ec2({ privileged: true })",
    });
  }
  const order: HandOver = { version: 1, plan, platform };
  const path = join(folder, `${architecture}-hand-over.zip`);
  await writeZip(path, [
    { name: runnerFileName, chunks: createReadStream(process.argv[1] as string) },
    { name: orderName, chunks: [Buffer.from(JSON.stringify(order))] },
    { name: contextName, chunks: createReadStream(context) },
  ]);
  return path;
}

interface ZipEntry {
  readonly name: string;
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Entries are stored as they are, chunk by chunk, so that memory does not grow with the context. */
async function writeZip(path: string, entries: readonly ZipEntry[]): Promise<void> {
  const file = openSync(path, "w", 0o600);
  try {
    const zip = new Zip((error, chunk) => {
      if (error !== null) throw error;
      writeSync(file, chunk);
    });
    for (const { name, chunks } of entries) {
      const entry = new ZipPassThrough(name);
      zip.add(entry);
      for await (const chunk of chunks) entry.push(chunk);
      entry.push(new Uint8Array(), true);
    }
    zip.end();
  } finally {
    closeSync(file);
  }
}

/** Reads a hand-over that AWS CodeBuild has unpacked, and unpacks the context below `folder`. */
export async function openHandOver(
  source: string,
  folder: string,
): Promise<{ readonly order: HandOver; readonly directory: string }> {
  const order = JSON.parse(await readFile(join(source, orderName), "utf8")) as HandOver;
  const directory = join(folder, `context-${basename(order.plan.directory)}`);
  await mkdir(directory);
  // Modes are inputs of cache keys: they must be those of the files that were packed.
  const before = process.umask(0);
  try {
    await pipeline(createReadStream(join(source, contextName)), createGunzip(), unpackTar(directory));
  } finally {
    process.umask(before);
  }
  return { order, directory };
}
