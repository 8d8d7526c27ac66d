// SPDX-License-Identifier: Apache-2.0

/** What a phase does when it fails; by default the transitions of phases decide. */
export type OnFailure =
  | { readonly kind: "default" }
  | { readonly kind: "abort" }
  | { readonly kind: "continue" }
  | { readonly kind: "retry"; readonly count: number; readonly pattern: RegExp };

/** Retries where none are counted. */
const defaultRetries = 3;
const maxRetries = 100;

/**
 * Reads `on-failure`: ABORT, CONTINUE, RETRY, RETRY-count, RETRY-regex or RETRY-count-regex. Undefined if it is none.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.phases.on-failure
 */
export function parseOnFailure(text: string): OnFailure | undefined {
  if (text === "ABORT") return { kind: "abort" };
  if (text === "CONTINUE") return { kind: "continue" };
  if (text === "RETRY") return { kind: "retry", count: defaultRetries, pattern: /.*/ };
  const [, counted, rest = ""] = /^RETRY-(?:(\d{1,3})(?:-|$))?(.*)$/s.exec(text) ?? [];
  if (counted === undefined && rest === "") return undefined;
  const count = Number(counted ?? defaultRetries);
  const pattern = patternOf(rest === "" ? ".*" : rest);
  if (pattern === undefined || count > maxRetries) return undefined;
  return { kind: "retry", count, pattern };
}

function patternOf(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}
