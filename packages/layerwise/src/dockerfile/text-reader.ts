// SPDX-License-Identifier: Apache-2.0
import { isSpace } from "./space.ts";

/** A text being read character by character. */
export interface TextReader {
  readonly characters: readonly string[];
  position: number;
  /** The word being collected; shared by all levels of nesting. */
  word: string;
}

/** The character to come; undefined at the end. */
export function peek(reader: TextReader): string | undefined {
  return reader.characters[reader.position];
}

/** Takes the character to come; undefined at the end. */
export function next(reader: TextReader): string | undefined {
  const character = reader.characters[reader.position];
  if (character !== undefined) reader.position += 1;
  return character;
}

/** Takes a variable's name: a number, one of the shell's special parameters, or letters, digits and underscores. */
export function readName(reader: TextReader): string {
  const first = peek(reader) ?? "";
  if (/^\p{Nd}$/u.test(first)) return readWhile(reader, /^\p{Nd}$/u);
  if (/^[@*#?\-$!]$/.test(first)) return next(reader) as string;
  return readWhile(reader, /^[\p{L}\p{Nd}_]$/u);
}

/** Takes characters of a form. */
export function readWhile(reader: TextReader, form: RegExp): string {
  let text = "";
  for (let character = peek(reader); character !== undefined && form.test(character); character = peek(reader)) {
    text += next(reader);
  }
  return text;
}

/** Collects the words of a text while it is read. */
export interface Words {
  /** Adds text that ends words at its spaces; returns it. */
  split(text: string): string;
  /** Adds text whose spaces belong to the word; returns it. */
  append(text: string): string;
  finish(): readonly string[];
}

/** Starts collecting words; what another collection has of its last word is lost. */
export function startWords(reader: TextReader): Words {
  reader.word = "";
  const found: string[] = [];
  const end = () => {
    if (reader.word !== "") found.push(reader.word);
    reader.word = "";
  };
  return {
    split(text) {
      for (const character of text) {
        if (isSpace(character)) end();
        else reader.word += character;
      }
      return text;
    },
    append(text) {
      reader.word += text;
      return text;
    },
    finish() {
      end();
      return found;
    },
  };
}
