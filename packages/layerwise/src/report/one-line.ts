// SPDX-License-Identifier: Apache-2.0

/** A text on one line, cut off where it is too long. @param width characters */
export function oneLine(text: string, width: number): string {
  const line = text.replace(/\s+/g, " ");
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}
