// SPDX-License-Identifier: Apache-2.0

/*
 * Patterns of ${name#pattern} and its relatives: * stands for any text, ? for any character, both without newlines;
 * a backslash makes *, ? and itself ordinary. All functions return undefined for a pattern that is none.
 * https://github.com/moby/buildkit/blob/v0.33.0/frontend/dockerfile/shell/lex.go (convertShellPatternToRegex)
 */

interface Removal {
  readonly pattern: string;
  /** Take away as much as possible. */
  readonly isGreedy: boolean;
}

interface Replacement {
  readonly pattern: string;
  readonly replacement: string;
}

/** The value without the start that matches. */
export function removePrefix(value: string, { pattern, isGreedy }: Removal): string | undefined {
  const source = regexOf([...pattern], isGreedy);
  if (source === undefined) return undefined;
  const match = new RegExp(`^${source}`, "u").exec(value);
  return match === null ? value : value.slice(match[0].length);
}

/** The value without the end that matches. */
export function removeSuffix(value: string, { pattern, isGreedy }: Removal): string | undefined {
  // The shortest end is found from the back: both are turned round.
  const rest = removePrefix(reversed([...value]), { pattern: reversedPattern([...pattern]), isGreedy });
  return rest === undefined ? undefined : reversed([...rest]);
}

/** The value with the first match replaced; the replacement is taken literally. */
export function replaceFirst(value: string, { pattern, replacement }: Replacement): string | undefined {
  const source = regexOf([...pattern], true);
  if (source === undefined) return undefined;
  const match = new RegExp(source, "u").exec(value);
  if (match === null) return value;
  return value.slice(0, match.index) + replacement + value.slice(match.index + match[0].length);
}

/**
 * The value with all matches replaced, as Go's `ReplaceAllString`: no empty match right behind another match, and `$0`
 * in the replacement is the match, other names after a dollar are empty.
 */
export function replaceAll(value: string, { pattern, replacement }: Replacement): string | undefined {
  const source = regexOf([...pattern], true);
  if (source === undefined) return undefined;
  const regex = new RegExp(source, "gu");
  let result = "";
  let copied = 0;
  for (let from = 0; from <= value.length; ) {
    regex.lastIndex = from;
    const match = regex.exec(value);
    if (match === null) break;
    const end = match.index + match[0].length;
    result += value.slice(copied, match.index);
    if (end > copied || match.index === 0) result += fillTemplate(replacement, match[0]);
    copied = end;
    from = Math.max(end, from + widthAt(value, from));
  }
  return result + value.slice(copied);
}

function regexOf(characters: readonly string[], isGreedy: boolean): string | undefined {
  let source = "";
  // Go's text scanner drops a byte order mark at the start.
  for (let index = characters[0] === "\ufeff" ? 1 : 0; index < characters.length; index++) {
    const character = characters[index] as string;
    if (character === "*") source += isGreedy ? "[^\\n]*" : "[^\\n]*?";
    else if (character === "?") source += "[^\\n]";
    else if (character !== "\\") source += literal(character);
    else {
      const escaped = characters[index + 1] ?? "";
      if (escaped === "}" || escaped === "/") continue;
      if (escaped !== "*" && escaped !== "?" && escaped !== "\\") return undefined;
      source += literal(escaped);
      index += 1;
    }
  }
  return source;
}

function literal(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function reversed(characters: readonly string[]): string {
  return characters.toReversed().join("");
}

/** Turns a pattern round; a backslash stays before the character that it escapes. */
function reversedPattern(characters: readonly string[]): string {
  let result = "";
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] as string;
    const escaped = character === "\\" ? characters[index + 1] : undefined;
    if (escaped !== undefined) index += 1;
    result = character + (escaped ?? "") + result;
  }
  return result;
}

/** https://pkg.go.dev/regexp#Regexp.Expand */
function fillTemplate(template: string, match: string): string {
  return template.replace(/\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu, (whole, braced, bare) => {
    if (whole === "$$") return "$";
    return (braced ?? bare) === "0" ? match : "";
  });
}

function widthAt(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
}
