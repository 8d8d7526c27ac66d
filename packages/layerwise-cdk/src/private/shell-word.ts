// SPDX-License-Identifier: Apache-2.0

/** A word for a shell, in single quotes if it needs any: nothing in it is expanded. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
