// SPDX-License-Identifier: Apache-2.0

/** What stands in the log for a secret. */
const mask = "***";
/** Shorter values occur by chance; hiding them would tell more than it hides. */
const shortest = 3;

/** Hides secrets in an output that comes in pieces. */
export interface SecretMask {
  /** The text that can be shown now: all lines that are complete. */
  take(bytes: Buffer): string;
  /** The rest. */
  flush(): string;
}

/**
 * Hides values where they occur letter by letter, as CodeBuild does; what a command makes of a value is not known.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.env
 */
export function createSecretMask(values: readonly string[]): SecretMask {
  // The longest first, since one may hold another.
  const secrets = values.flatMap((value) => value.split("\n")).filter(({ length }) => length >= shortest);
  const ordered = [...new Set(secrets)].sort((one, other) => other.length - one.length);
  const hide = (text: string) => ordered.reduce((shown, secret) => shown.replaceAll(secret, mask), text);
  let rest: Buffer = Buffer.alloc(0);
  return {
    take(bytes) {
      rest = Buffer.concat([rest, bytes]);
      const end = rest.lastIndexOf("\n") + 1;
      const text = rest.subarray(0, end).toString("utf8");
      rest = rest.subarray(end);
      return hide(text);
    },
    flush() {
      const text = hide(rest.toString("utf8"));
      rest = Buffer.alloc(0);
      return text;
    },
  };
}
