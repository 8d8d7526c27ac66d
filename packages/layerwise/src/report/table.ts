// SPDX-License-Identifier: Apache-2.0

/** Escapes that colour a terminal take no room. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const colour = /\u001b\[[0-9;]*m/g;

/**
 * Lines up cells in columns.
 *
 * @param right columns that are lined up at their right edge, from 0
 */
export function renderTable(
  rows: readonly (readonly string[])[],
  { right }: { right: readonly number[] },
): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const space = " ".repeat((widths[column] ?? 0) - widthOf(cell));
        return right.includes(column) ? `${space}${cell}` : `${cell}${space}`;
      })
      .join("  ")
      .trimEnd(),
  );
}

function widthOf(text: string): number {
  return text.replace(colour, "").length;
}
