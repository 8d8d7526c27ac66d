// SPDX-License-Identifier: Apache-2.0

/** One way to authenticate that a registry offers. */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Reads a WWW-Authenticate field, which may hold several challenges and may be the union of several fields.
 * https://www.rfc-editor.org/rfc/rfc9110#name-www-authenticate
 *
 * What cannot be read ends the list; what was read before it stays.
 */
export function parseChallenges(field: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let rest = field;
  while (rest !== "") {
    const [all, name = "", quoted, bare] = parameterForm.exec(rest) ?? [];
    if (all !== undefined) {
      const current = challenges.at(-1);
      if (current === undefined) break;
      current.parameters[name.toLowerCase()] ??= quoted === undefined ? (bare ?? "") : quoted.replace(/\\(.)/gs, "$1");
      rest = rest.slice(all.length);
      continue;
    }
    const [head, scheme = ""] = schemeForm.exec(rest) ?? [];
    if (head === undefined) break;
    challenges.push({ scheme: scheme.toLowerCase(), parameters: {} });
    rest = rest.slice(head.length);
  }
  return challenges;
}

/** `name=token` or `name="quoted"`, with the comma after it. */
const parameterForm = /^[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",=]+))\s*(?:,|$)/s;

/** A scheme, and the credentials in one word that it may have instead of parameters, which no registry uses. */
const schemeForm = /^[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s+[A-Za-z0-9._~+/-]+=*\s*(?=,|$)|(?=[\s,]|$))\s*/;
