// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { pipeline, Readable } from "node:stream";
import { pipeline as piped } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { installPackages } from "../debian/install-packages.ts";
import { LabError } from "../host/lab-error.ts";
import { hostEnvironment } from "../host/lab-home.ts";

/** How a layer is compressed. */
export type Compression = "none" | "gzip" | "zstd";

/** A layer's tar, and how it came. */
export interface Decompressed {
  readonly compression: Compression;
  readonly tar: AsyncIterable<Uint8Array>;
}

/** Decompresses a layer by its first bytes, whatever its media type says. */
export async function decompressed(bytes: AsyncIterable<Uint8Array>): Promise<Decompressed> {
  const chunks = bytes[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  while (start.length < 4) {
    const next = await chunks.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  const whole = startingWith(start, { [Symbol.asyncIterator]: () => chunks });
  const compression = compressionOf(start);
  return {
    compression,
    tar: { none: () => whole, gzip: () => gunzipped(whole), zstd: () => unzstd(whole) }[compression](),
  };
}

async function* startingWith(start: Buffer, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield start;
  yield* rest;
}

/** https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1 and https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1 */
function compressionOf(start: Buffer): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  return start.length >= 4 && start.readUInt32LE() === 0xfd2fb528 ? "zstd" : "none";
}

function gunzipped(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // An error on the way destroys the decoder, and so reaches whoever reads from it.
  return pipeline(Readable.from(bytes), createGunzip(), () => {});
}

/** Node has zstd of its own only since 22.15. */
async function* unzstd(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  await installPackages(["zstd"]);
  const decoder = spawn("zstd", ["--decompress", "--stdout", "--quiet"], {
    env: hostEnvironment(),
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = new Promise<number | null>((resolve) => decoder.once("exit", resolve));
  const fed = piped(Readable.from(bytes), decoder.stdin).then(
    () => undefined,
    (error: unknown) => error,
  );
  yield* decoder.stdout;
  const [error, code] = await Promise.all([fed, ended]);
  if (error !== undefined || code !== 0)
    throw new LabError("could not read a layer: its zstd is damaged", { cause: error });
}
