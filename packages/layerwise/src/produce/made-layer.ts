// SPDX-License-Identifier: Apache-2.0
import type { Spool, SpoolFile } from "../ports.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import { type Digest, startDigest } from "../spec/digest.ts";
import { mediaTypes } from "../spec/media-type.ts";
import { startGzip } from "./gzip.ts";
import type { ImageLayer } from "./image.ts";

/** Compresses a layer's tar archive into the spool, in constant memory; both digests are taken on the way. */
export async function compressedLayer(tar: AsyncIterable<Uint8Array>, spool: Spool): Promise<ImageLayer> {
  const file = await spool.create();
  try {
    return await compressInto(file, tar);
  } catch (error) {
    await file.remove();
    throw error;
  }
}

async function compressInto(file: SpoolFile, tar: AsyncIterable<Uint8Array>): Promise<ImageLayer> {
  const diff = startDigest();
  const compressed = startDigest();
  let size = 0;
  const gzip = startGzip(async (chunk) => {
    compressed.update(chunk);
    size += chunk.length;
    await file.write(chunk);
  });
  for await (const chunk of tar) {
    diff.update(chunk);
    await gzip.write(chunk);
  }
  await gzip.end();
  await file.close();
  return madeLayer(file, { diffId: diff.digest(), digest: compressed.digest(), size });
}

/** A gzip layer whose bytes lie in the spool. */
export function madeLayer(
  file: SpoolFile,
  { diffId, digest, size }: { diffId: Digest; digest: Digest; size: number },
): ImageLayer {
  const descriptor: Descriptor = { mediaType: mediaTypes.oci.layer.gzip, digest, size };
  return { diffId, descriptor, source: { kind: "made", blob: { descriptor, open: () => file.open() } } };
}
