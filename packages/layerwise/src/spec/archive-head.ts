// SPDX-License-Identifier: Apache-2.0
import { hasTarChecksum } from "./tar-reader.ts";

/** How many bytes of a file are needed to tell whether ADD might unpack it. */
export const archiveHeadBytes = 512;

/** How a file that ADD might unpack is compressed. */
export type ArchiveCompression = "none" | "gzip" | "bzip2" | "xz" | "zstd";

/** First bytes of the compressions that BuildKit looks into (docker/pkg/archive, `DetectCompression`). */
const compressions: readonly (readonly [ArchiveCompression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
];

/**
 * How a file is compressed that ADD might unpack: it begins as compressed files do, whatever is inside, or its first
 * block may be a tar header (BuildKit, solver/llbsolver/file, `isArchivePath`). Rather one too many than one too few;
 * undefined if ADD would surely copy it.
 */
export function archiveCompression(head: Uint8Array): ArchiveCompression | undefined {
  const found = compressions.find(([, magic]) => magic.every((byte, index) => head[index] === byte));
  if (found !== undefined) return found[0];
  // Skippable zstd frames: 0x184D2A50 to 0x184D2A5F, little endian.
  if (((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18) return "zstd";
  return mayBeTar(head) ? "none" : undefined;
}

/** Whether a file that begins with these bytes, uncompressed, may be a tar archive. */
export function mayBeTar(head: Uint8Array): boolean {
  return head.length >= archiveHeadBytes && hasTarChecksum(head);
}
