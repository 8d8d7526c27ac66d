// SPDX-License-Identifier: Apache-2.0

// The set differs from \s of JavaScript in U+0085, which is in it, and U+FEFF, which is not.
const space = /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

/** Whether one character is a space as Go's `unicode.IsSpace` has it; BuildKit trims and splits by it. */
export function isSpace(character: string): boolean {
  return space.test(character);
}

/** Removes spaces before the text, as Go's `strings.TrimLeftFunc(unicode.IsSpace)`. */
export function trimSpaceStart(text: string): string {
  let start = 0;
  while (start < text.length && isSpace(text.charAt(start))) start += 1;
  return text.slice(start);
}

/** Removes spaces on both sides, as Go's `strings.TrimSpace`. */
export function trimSpace(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charAt(end - 1))) end -= 1;
  return trimSpaceStart(text.slice(0, end));
}

/** Splits at blanks, which are fewer than spaces: tab, vertical tab, form feed, carriage return, space. */
export function splitBlanks(text: string): readonly string[] {
  return text.split(/[\t\v\f\r ]+/);
}

/** Splits at the first run of blanks; the second part is undefined if there is none. */
export function splitAtBlank(text: string): readonly [string, string | undefined] {
  const blanks = /[\t\v\f\r ]+/.exec(text);
  if (blanks === null) return [text, undefined];
  return [text.slice(0, blanks.index), text.slice(blanks.index + blanks[0].length)];
}
