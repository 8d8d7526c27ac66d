// SPDX-License-Identifier: Apache-2.0
import { crc32, deflateRawSync } from "node:zlib";

/** A file to store in a zip. */
export interface ZipFile {
  readonly path: string;
  readonly content: Buffer;
}

/** 1 January 2023, 0:00, as MS-DOS writes a time and a date. */
const time = 0;
const date = ((2023 - 1980) << 9) | (1 << 5) | 1;
/** Deflate needs version 2.0; the upper byte of the second says that attributes are Unix's. */
const versionNeeded = 20;
const madeBy = (3 << 8) | versionNeeded;
const deflate = 8;
/** A regular file with mode 0644, in the upper half. */
const attributes = (0o100644 << 16) >>> 0;

/** Writes a zip, below 4 GiB. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
export function encodeZip(files: readonly ZipFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { path, content } of files) {
    const name = Buffer.from(path);
    const packed = deflateRawSync(content, { level: 6 });
    const common = [time, date, crc32(content), packed.length, content.length, name.length] as const;
    const local = Buffer.concat([localHeader(common), name, packed]);
    directory.push(Buffer.concat([directoryHeader(common, offset), name]));
    parts.push(local);
    offset += local.length;
  }
  const index = Buffer.concat(directory);
  return Buffer.concat([...parts, index, endRecord({ files: files.length, size: index.length, offset })]);
}

/** Time, date, CRC, packed size, size and length of the name. */
type CommonFields = readonly [number, number, number, number, number, number];

function localHeader(common: CommonFields): Buffer {
  return fields([4, 0x04034b50], [2, versionNeeded], [2, 0], [2, deflate], ...widths(common), [2, 0]);
}

function directoryHeader(common: CommonFields, offset: number): Buffer {
  return fields(
    [4, 0x02014b50],
    [2, madeBy],
    [2, versionNeeded],
    [2, 0],
    [2, deflate],
    ...widths(common),
    ...[0, 0, 0, 0].map((zero): readonly [2, number] => [2, zero]), // extra field, comment, disk, internal attributes
    [4, attributes],
    [4, offset],
  );
}

function widths([time, date, crc, packed, size, name]: CommonFields): readonly (readonly [2 | 4, number])[] {
  return [
    [2, time],
    [2, date],
    [4, crc],
    [4, packed],
    [4, size],
    [2, name],
  ];
}

function endRecord({
  files,
  size,
  offset,
}: {
  readonly files: number;
  readonly size: number;
  readonly offset: number;
}): Buffer {
  return fields([4, 0x06054b50], [2, 0], [2, 0], [2, files], [2, files], [4, size], [4, offset], [2, 0]);
}

function fields(...all: readonly (readonly [2 | 4, number])[]): Buffer {
  const bytes = Buffer.alloc(all.reduce((sum, [width]) => sum + width, 0));
  let offset = 0;
  for (const [width, value] of all) offset = bytes.writeUIntLE(value, offset, width);
  return bytes;
}
