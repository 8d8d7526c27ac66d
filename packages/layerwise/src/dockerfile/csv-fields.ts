// SPDX-License-Identifier: Apache-2.0
import { syntaxError } from "./syntax-error.ts";

/**
 * Splits one line of comma-separated values; a field may be in double quotes, and a doubled quote in it is one.
 * https://github.com/tonistiigi/go-csvvalue
 *
 * @throws DOCKERFILE_SYNTAX without a place for quotes that stand elsewhere or do not end, and for an empty line
 */
export function csvFields(line: string): readonly string[] {
  if (line === "") throw badFields(line, "it is empty");
  const fields: string[] = [];
  for (let rest: string | undefined = line; rest !== undefined; ) {
    const form: RegExp = rest.startsWith('"') ? /^"((?:[^"]|"")*)"(?:,(.*))?$/s : /^([^",]*)(?:,(.*))?$/s;
    const match: RegExpExecArray | null = form.exec(rest);
    if (match === null) throw badFields(line, "a quote in it is open or in the middle of a field");
    fields.push((match[1] ?? "").replaceAll('""', '"'));
    rest = match[2];
  }
  return fields;
}

function badFields(line: string, why: string): Error {
  return syntaxError(`could not read the list "${line}": ${why}`, {
    hint: 'write name=value, with commas between, and put a field with a comma in double quotes: "source=a,b"',
    word: line,
  });
}
