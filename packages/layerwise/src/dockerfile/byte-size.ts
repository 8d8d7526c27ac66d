// SPDX-License-Identifier: Apache-2.0

const units = "kmgtp";

/**
 * Reads a size such as `64m` or `1.5 GiB` in bytes, all units being binary; undefined if it is none.
 * https://github.com/docker/go-units/blob/v0.5.0/size.go (RAMInBytes)
 */
export function parseByteSize(text: string): number | undefined {
  const [, number, unit] = /^([0-9]+(?:\.[0-9]*)?|\.[0-9]+) ?(|[kmgtp](?:i?b)?|b)$/i.exec(text) ?? [];
  if (number === undefined || unit === undefined) return undefined;
  const power = units.indexOf(unit.charAt(0).toLowerCase()) + 1;
  return Math.trunc(Number(number) * 1024 ** (unit === "" ? 0 : power));
}
