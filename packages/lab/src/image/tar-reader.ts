// SPDX-License-Identifier: Apache-2.0
import { LabError } from "../host/lab-error.ts";
import { ByteSource } from "./byte-source.ts";
import { applyPax, type PaxRecords, parsePax } from "./pax.ts";
import { type TarEntry, type TarHeader, type TarType, textOf } from "./tar-entry.ts";

const blockSize = 512;
const types: Readonly<Record<string, TarType>> = {
  "\0": "file",
  "0": "file",
  "1": "link",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
  "7": "file",
};

/**
 * Reads a tar in the forms that image builders write: ustar, PAX and GNU long names.
 *
 * Stricter than they are: checksums, both end blocks and the zeros behind them are checked.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13
 *
 * @throws {LabError} if it is cut off or damaged, or has sparse files
 */
export async function* readTar(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const source = new ByteSource(bytes);
  let pax: PaxRecords = new Map();
  let long: { path?: string; linkPath?: string } = {};
  for (;;) {
    const header = await source.take(blockSize);
    if (header.every((byte) => byte === 0)) return await expectEnd(source);
    const entry = parseHeader(header);
    const skipPadding = () => source.skip((blockSize - (entry.size % blockSize)) % blockSize);
    if (entry.flag === "x" || entry.flag === "g" || entry.flag === "L" || entry.flag === "K") {
      const body = await source.take(entry.size);
      await skipPadding();
      if (entry.flag === "x") pax = parsePax(body); // Global records ("g") say nothing about files; engines ignore them.
      if (entry.flag === "L") long = { ...long, path: textOf(body) };
      if (entry.flag === "K") long = { ...long, linkPath: textOf(body) };
      continue;
    }
    const named = applyPax({ ...withoutFlag(entry), ...long }, pax);
    // Before ustar, directories were files with a slash at the end of their names.
    const type = entry.flag === "\0" && named.path.endsWith("/") ? "directory" : named.type;
    const end = source.position + named.size;
    yield { ...named, type, offset: source.position, content: () => source.chunks(end) };
    await source.skip(end - source.position);
    await source.skip((blockSize - (named.size % blockSize)) % blockSize);
    [pax, long] = [new Map(), {}];
  }
}

function parseHeader(block: Buffer): TarHeader & { readonly flag: string } {
  checkSum(block);
  const flag = String.fromCharCode(block[156] ?? 0);
  const type = types[flag];
  if (type === undefined && !"xgLK".includes(flag)) {
    throw new LabError(`could not read a tar: entries of type ${JSON.stringify(flag)} are not supported`);
  }
  const isUstar = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isUstar ? textOf(block.subarray(345, 500)) : "";
  const hasContent = type === undefined || type === "file";
  return {
    flag,
    path: (prefix === "" ? "" : `${prefix}/`) + textOf(block.subarray(0, 100)),
    type: type ?? "file",
    mode: numberOf(block.subarray(100, 108)) & 0o7777,
    uid: numberOf(block.subarray(108, 116)),
    gid: numberOf(block.subarray(116, 124)),
    size: hasContent ? numberOf(block.subarray(124, 136)) : 0,
    mtime: numberOf(block.subarray(136, 148)),
    linkPath: textOf(block.subarray(157, 257)),
    device: { major: numberOf(block.subarray(329, 337)), minor: numberOf(block.subarray(337, 345)) },
    xattrs: new Map(),
  };
}

function withoutFlag({ flag: _, ...header }: TarHeader & { readonly flag: string }): TarHeader {
  return header;
}

function checkSum(block: Buffer): void {
  const expected = numberOf(block.subarray(148, 156));
  let sum = 8 * 0x20; // The checksum's own field counts as blanks.
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 0 : byte;
  if (sum !== expected) throw new LabError("could not read a tar: a header's checksum is wrong");
}

/** Octal digits, or a big-endian number if the first bit is set. https://www.gnu.org/software/tar/manual/html_node/Extensions.html */
function numberOf(field: Buffer): number {
  const first = field[0] ?? 0;
  if ((first & 0x80) === 0) {
    const digits = field
      .toString("latin1")
      .replace(/[\0 ]+$/, "")
      .trim();
    if (!/^[0-7]*$/.test(digits)) throw new LabError(`could not read a tar: ${JSON.stringify(digits)} is no number`);
    return digits === "" ? 0 : Number.parseInt(digits, 8);
  }
  return field.subarray(1).reduce((number, byte) => number * 256 + byte, first & 0x7f);
}

/** https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06 */
async function expectEnd(source: ByteSource): Promise<void> {
  const second = await source.take(blockSize);
  const rest = await source.rest();
  if (second.some((byte) => byte !== 0) || rest.nonZero) {
    throw new LabError("could not read a tar: something follows its end");
  }
}
