// SPDX-License-Identifier: Apache-2.0
import type { WordPair } from "./instruction.ts";
import type { Escape } from "./lines.ts";
import { isSpace, splitAtBlank } from "./space.ts";
import { syntaxError } from "./syntax-error.ts";

/**
 * Splits a text at spaces outside of quotes; quotes and escape characters stay.
 * https://github.com/moby/buildkit/blob/v0.33.0/frontend/dockerfile/parser/line_parsers.go (parseWords)
 */
export function splitWords(text: string, mark: Escape): readonly string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    if (quote === "" && isSpace(character)) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    if (character === mark && quote !== "'") {
      // An escape character that ends the text escapes nothing and goes.
      if (index + 1 < text.length) word += character + text.charAt(index + 1);
      index += 1;
      continue;
    }
    if (character === quote) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    word += character;
  }
  if (word !== "") words.push(word);
  return words;
}

/**
 * Reads the pairs of ENV and LABEL: `name=value …`, or `name` and then everything else as its value. Names can be empty.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parsePairs(text: string, { keyword, mark }: { keyword: string; mark: Escape }): readonly WordPair[] {
  const words = splitWords(text, mark);
  if (words[0]?.includes("=")) return words.map((word) => parsePair(word, keyword));
  const [name, value] = splitAtBlank(text);
  if (value !== undefined) return [{ name, value }];
  if (words.length === 0) return [];
  throw syntaxError(`could not read ${keyword}: "${text}" has no value`, {
    hint: `write ${keyword} name=value`,
    word: text,
  });
}

function parsePair(word: string, keyword: string): WordPair {
  const equals = word.indexOf("=");
  if (equals !== -1) return { name: word.slice(0, equals), value: word.slice(equals + 1) };
  throw syntaxError(`could not read ${keyword}: "${word}" has no equals sign`, {
    hint: 'write name=value, the value in quotes if it holds spaces: name="a b"',
    word,
  });
}
