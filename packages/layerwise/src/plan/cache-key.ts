// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf, hexOf } from "../spec/digest.ts";

/** One named contribution to a cache key. */
export interface KeyInput {
  /** For example `parent`, `command` or `environment PATH`. */
  readonly name: string;
  readonly value: string;
  /** Set if the value may be secret: it is part of the key and is never shown. */
  readonly isPrivate?: boolean | undefined;
}

/** A digest over named inputs; the inputs stay with it, so that two keys can be compared. */
export interface CacheKey {
  readonly digest: Digest;
  readonly inputs: readonly KeyInput[];
}

/** Version of the encoding and of what the inputs mean. Changing it abandons every checkpoint there is. */
export const keyVersion = "layerwise-key-2";

/** Makes a key. The order of inputs counts; each is framed by its length, so that no two lists have one encoding. */
export function cacheKeyOf(inputs: readonly KeyInput[]): CacheKey {
  const parts = [keyVersion, "\n"];
  for (const { name, value } of inputs) parts.push(framed(name), framed(value));
  return { digest: digestOf(parts.join("")), inputs };
}

/** A list as one value; framed like the inputs of a key. */
export function listValue(values: readonly string[]): string {
  let list = "";
  for (const value of values) list += framed(value);
  return list;
}

/** How an input may be shown: a private value as a digest keyed by the step it belongs to. */
export function shownInput({ name, value, isPrivate }: KeyInput, key: Digest): { name: string; value: string } {
  return {
    name,
    value: isPrivate === true ? `keyed ${hexOf(digestOf(`${key}\n${name}\n${value}`)).slice(0, 16)}` : value,
  };
}

/**
 * Length in UTF-16 units. Lone surrogates, which stand for bytes of file names, would all become one character in
 * UTF-8, so each is written as its number behind a NUL, and so is a NUL itself: no other text looks like that.
 */
function framed(text: string): string {
  const safe = suspicious.test(text) ? text.replace(unsafe, escapeUnit) : text;
  return `${safe.length}:${safe}`;
}

function escapeUnit(unit: string): string {
  return `\u0000${unit.charCodeAt(0).toString(16)}`;
}

/** Without Unicode mode each half of a pair matches too; nearly no text has any, and this is the faster question. */
const suspicious = /[\0\ud800-\udfff]/;

/** In Unicode mode a pair is one character, so only lone ones match. */
const unsafe = /[\0\p{Surrogate}]/gu;
