// SPDX-License-Identifier: Apache-2.0

const nanoseconds: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["\u00b5s", 1_000n],
  ["\u03bcs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

const limit = 1n << 63n;

/**
 * Reads a duration such as `1m30s` or `1.5h` as Go's `time.ParseDuration`, in nanoseconds; undefined if it is none.
 * Above 104 days the result is rounded to what a number can hold.
 * https://pkg.go.dev/time#ParseDuration
 */
export function parseGoDuration(text: string): number | undefined {
  const [sign] = /^[+-]/.exec(text) ?? [""];
  let rest = text.slice(sign.length);
  if (rest === "0") return 0;
  if (rest === "") return undefined;
  let total = 0n;
  while (rest !== "") {
    const [whole, integer = "", fraction = "", unit = ""] = /^([0-9]*)(?:\.([0-9]*))?([^.0-9]+)/.exec(rest) ?? [];
    const factor = nanoseconds.get(unit);
    if (whole === undefined || factor === undefined || (integer === "" && fraction === "")) return undefined;
    if (BigInt(integer) > limit / factor) return undefined;
    total += BigInt(integer) * factor + partOf(factor, fraction);
    if (total > limit) return undefined;
    rest = rest.slice(whole.length);
  }
  if (total === limit && sign !== "-") return undefined;
  return total === 0n ? 0 : Number(sign === "-" ? -total : total);
}

/** A decimal fraction of a unit, rounded as Go rounds it: through floating point. */
function partOf(factor: bigint, fraction: string): bigint {
  let digits = 0n;
  let scale = 1;
  for (const digit of fraction) {
    const next = digits * 10n + BigInt(digit);
    // Go stops at the digit that does not fit.
    if (digits > (limit - 1n) / 10n || next > limit) break;
    digits = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(digits) * (Number(factor) / scale)));
}
