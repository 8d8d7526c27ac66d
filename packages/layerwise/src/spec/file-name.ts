// SPDX-License-Identifier: Apache-2.0

/*
 * File names are bytes. Inside layerwise they are strings: valid UTF-8 as itself, every other byte as a lone low
 * surrogate U+DC80…U+DCFF (as Python's "surrogateescape" does), so that no two names become one.
 */

const firstEscape = 0xdc00;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** In Unicode mode a pair is one character, so only lone surrogates match. */
const escaped = /[\udc80-\udcff]/u;

/** The string form of a file name's bytes. */
export function decodeFileName(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return decodeWithEscapes(bytes);
  }
}

/** The bytes of a file name's string form; the inverse of {@link decodeFileName}. */
export function encodeFileName(name: string): Buffer {
  if (!escaped.test(name)) return Buffer.from(name, "utf8");
  const parts: Buffer[] = [];
  for (const character of name) {
    const code = character.codePointAt(0) as number;
    const isEscape = code >= firstEscape + 0x80 && code <= firstEscape + 0xff;
    parts.push(isEscape ? Buffer.of(code - firstEscape) : Buffer.from(character, "utf8"));
  }
  return Buffer.concat(parts);
}

/** Whether a name's bytes are valid UTF-8. */
export function isUtf8Name(name: string): boolean {
  return !escaped.test(name);
}

/** Orders names by their bytes, as Go sorts strings and as BuildKit walks directories. */
export function compareFileNames(one: string, other: string): number {
  if (one === other) return 0;
  // UTF-16 order equals byte order except where surrogates meet the code points above them.
  if (!/[\ud800-\uffff]/.test(one) && !/[\ud800-\uffff]/.test(other)) return one < other ? -1 : 1;
  return Buffer.compare(encodeFileName(one), encodeFileName(other));
}

function decodeWithEscapes(bytes: Uint8Array): string {
  let name = "";
  for (let index = 0; index < bytes.length; ) {
    const length = validSequenceAt(bytes, index);
    if (length === 0) {
      name += String.fromCharCode(firstEscape + (bytes[index] as number));
      index += 1;
    } else {
      name += utf8.decode(bytes.subarray(index, index + length));
      index += length;
    }
  }
  return name;
}

function validSequenceAt(bytes: Uint8Array, index: number): number {
  for (let length = 1; length <= 4 && index + length <= bytes.length; length++) {
    try {
      utf8.decode(bytes.subarray(index, index + length));
      return length;
    } catch {
      // longer sequences may still be valid
    }
  }
  return 0;
}
