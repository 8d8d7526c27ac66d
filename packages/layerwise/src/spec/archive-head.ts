// SPDX-License-Identifier: Apache-2.0

/** How many bytes of a file are needed to tell whether ADD might unpack it. */
export const archiveHeadBytes = 512;

/** First bytes of the compressions that BuildKit looks into (docker/pkg/archive, `DetectCompression`). */
const compressions: readonly (readonly number[])[] = [
  [0x1f, 0x8b, 0x08],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  [0x28, 0xb5, 0x2f, 0xfd],
];

/**
 * Whether ADD might unpack a file that begins with these bytes: it is compressed, whatever is inside, or its first
 * block may be a tar header (BuildKit, solver/llbsolver/file, `isArchivePath`). Rather yes than no.
 */
export function looksLikeArchive(head: Uint8Array): boolean {
  if (compressions.some((magic) => magic.every((byte, index) => head[index] === byte))) return true;
  // Skippable zstd frames: 0x184D2A50 to 0x184D2A5F, little endian.
  if (((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18) return true;
  return head.length >= archiveHeadBytes && hasHeaderChecksum(head);
}

function hasHeaderChecksum(block: Uint8Array): boolean {
  const stored = Number.parseInt(
    Buffer.from(block.subarray(148, 156)).toString("latin1").replaceAll("\0", " ").trim(),
    8,
  );
  let unsigned = 8 * 0x20;
  let signed = 8 * 0x20;
  for (const [index, byte] of block.entries()) {
    if (index >= 148 && index < 156) continue;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return stored === unsigned || stored === signed;
}
