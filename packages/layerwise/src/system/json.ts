// SPDX-License-Identifier: Apache-2.0

/**
 * What a JSON text from outside holds; undefined if it is no JSON. The error of `JSON.parse` quotes the text, which may
 * be secret, and is therefore not passed on.
 */
export function readJson(text: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof text === "string" ? text : Buffer.from(text).toString("utf8"));
  } catch {
    return undefined;
  }
}
