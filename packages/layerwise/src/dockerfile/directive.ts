// SPDX-License-Identifier: Apache-2.0
import type { SourceRange } from "../error.ts";
import { type Escape, splitLines } from "./lines.ts";
import { rangeOfLines, withoutEnding } from "./position.ts";
import { trimSpaceStart } from "./space.ts";
import { syntaxError } from "./syntax-error.ts";

/** The front end that a file asks for. */
export interface Syntax {
  /** An image reference, as a rule. */
  readonly reference: string;
  readonly at: SourceRange;
}

/**
 * The front end that a file asks for, whether or not the file is a Dockerfile: `# syntax=…`, `// syntax=…` or
 * `{"syntax": "…"}`, after a `#!` line too.
 * https://github.com/moby/buildkit/blob/v0.33.0/frontend/dockerfile/parser/directives.go (DetectSyntax)
 */
export function detectSyntax(text: string, file: string): Syntax | undefined {
  const lines = splitLines(text);
  const start = firstLine(lines);
  for (const comment of ["#", "//"]) {
    const found = directivesFrom(lines, { start, comment }).find(({ name }) => name === "syntax");
    if (found !== undefined) return syntaxOf(found.value, { lines, line: found.line, file });
  }
  const value = jsonSyntax(lines.slice(start).join(""));
  return value === undefined ? undefined : syntaxOf(value, { lines, line: start, file });
}

/** The value of `# check=…`; undefined if it is not there. */
export function detectCheck(text: string): string | undefined {
  const lines = splitLines(text);
  const directives = directivesFrom(lines, { start: firstLine(lines), comment: "#" });
  return directives.find(({ name }) => name === "check")?.value;
}

/**
 * The escape character that a Dockerfile asks for, a backslash as a rule.
 *
 * @throws DOCKERFILE_SYNTAX for another character, or a directive given twice
 */
export function parseEscape(lines: readonly string[], file: string): Escape {
  // Here spaces may stand before a directive, and a `#!` line is a comment like all others.
  const trimmed = lines.map(trimSpaceStart);
  let mark: Escape = "\\";
  const seen = new Set<string>();
  for (const { name, value, line } of directivesFrom(trimmed, { start: 0, comment: "#" })) {
    const at = rangeOfLines(lines, { span: { start: line, end: line + 1 }, file });
    if (seen.has(name)) {
      throw syntaxError(`could not read the ${name} directive: there is one before it`, { hint: "remove one", at });
    }
    seen.add(name);
    if (name !== "escape") continue;
    if (value !== "\\" && value !== "`") {
      throw syntaxError(`could not read the escape directive: ${value} cannot be the escape character`, {
        hint: "write \\ or `",
        at,
      });
    }
    mark = value;
  }
  return mark;
}

interface Directive {
  readonly name: string;
  readonly value: string;
  /** Counted from 0. */
  readonly line: number;
}

const names: ReadonlySet<string> = new Set(["syntax", "escape", "check"]);

/** Directives stand at the top; the first line that is none ends them. */
function directivesFrom(
  lines: readonly string[],
  { start, comment }: { start: number; comment: string },
): readonly Directive[] {
  const found: Directive[] = [];
  for (let line = start; line < lines.length; line++) {
    const text = withoutEnding(lines[line] as string);
    if (!text.startsWith(comment)) break;
    const content = trimSpaceStart(text.slice(comment.length));
    const [, key, value] = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*$/s.exec(content) ?? [];
    const name = key?.toLowerCase() ?? "";
    if (value === undefined || !names.has(name)) break;
    found.push({ name, value, line });
  }
  return found;
}

function firstLine(lines: readonly string[]): number {
  return lines[0]?.startsWith("#!") ? 1 : 0;
}

function syntaxOf(
  value: string,
  { lines, line, file }: { lines: readonly string[]; line: number; file: string },
): Syntax {
  const [reference] = value.split(" ", 1) as [string];
  return { reference, at: rangeOfLines(lines, { span: { start: line, end: line + 1 }, file }) };
}

function jsonSyntax(text: string): string | undefined {
  if (!/^[\t\n\r ]*\{/.test(text)) return undefined;
  try {
    const document: unknown = JSON.parse(text);
    const value = (document as { readonly syntax?: unknown }).syntax;
    return typeof value === "string" && value !== "" ? value : undefined;
  } catch {
    return undefined;
  }
}
