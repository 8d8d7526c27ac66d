// SPDX-License-Identifier: Apache-2.0
import { LabError } from "../host/lab-error.ts";
import { type TarHeader, textOf } from "./tar-entry.ts";

/** Records of an extended header; values are bytes, because extended attributes are. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

const xattrPrefix = "SCHILY.xattr.";

/** Reads `length key=value` records. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_03 */
export function parsePax(body: Buffer): PaxRecords {
  const records = new Map<string, Buffer>();
  for (let start = 0; start < body.length; ) {
    const blank = body.indexOf(0x20, start);
    const length = Number(body.toString("latin1", start, blank));
    const equals = body.indexOf(0x3d, blank);
    const end = start + length;
    if (blank < 0 || !(length > 0) || equals < 0 || equals >= end || end > body.length || body[end - 1] !== 0x0a) {
      throw new LabError("could not read a tar: an extended header is damaged");
    }
    records.set(body.toString("utf8", blank + 1, equals), body.subarray(equals + 1, end - 1));
    start = end;
  }
  return records;
}

/** What an entry is with its extended header. */
export function applyPax(header: TarHeader, records: PaxRecords): TarHeader {
  if ([...records.keys()].some((key) => key.startsWith("GNU.sparse."))) {
    throw new LabError(`could not read a tar: ${header.path} is a sparse file`);
  }
  const text = (key: string) => {
    const value = records.get(key);
    return value && textOf(value);
  };
  const number = (key: string) => {
    const value = records.get(key);
    return value && Number(value.toString("latin1"));
  };
  const xattrs = [...records].filter(([key]) => key.startsWith(xattrPrefix));
  return {
    ...header,
    path: text("path") ?? header.path,
    linkPath: text("linkpath") ?? header.linkPath,
    uid: number("uid") ?? header.uid,
    gid: number("gid") ?? header.gid,
    mtime: Math.floor(number("mtime") ?? header.mtime),
    size: header.type === "file" ? (number("size") ?? header.size) : 0,
    xattrs: new Map(xattrs.map(([key, value]) => [key.slice(xattrPrefix.length), value])),
  };
}
