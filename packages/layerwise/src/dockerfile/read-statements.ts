// SPDX-License-Identifier: Apache-2.0
import { isLayerwiseError, type LayerwiseError } from "../error.ts";
import { type HeredocReading, readHeredocs } from "./heredoc.ts";
import { type Escape, type LogicalLine, nextLogicalLine } from "./lines.ts";
import { rangeOfLines, rangeOfText, withoutEnding } from "./position.ts";
import { splitAtBlank, trimSpace } from "./space.ts";
import { canHoldHeredocs, type Statement, splitStatement } from "./statement.ts";
import { errorAt } from "./syntax-error.ts";

/** An instruction whose arguments are not read yet, with the line that it was made from. */
export interface LocatedStatement {
  readonly statement: Statement;
  readonly line: LogicalLine;
}

/** The instructions of a file, up to one that does not end. */
export interface StatementReading {
  readonly located: readonly LocatedStatement[];
  /** The error about a here-document that does not end. */
  readonly problem: LayerwiseError | undefined;
}

/** Splits a file into instructions: continued lines joined, here-documents attached. */
export function readStatements(
  lines: readonly string[],
  { file, escape: mark }: { file: string; escape: Escape },
): StatementReading {
  const located: LocatedStatement[] = [];
  for (let from = 0; ; ) {
    const line = nextLogicalLine(lines, { from, escape: mark });
    if (line === undefined) return { located, problem: undefined };
    try {
      const statement = statementAt(line, { lines, file, mark });
      located.push({ statement, line });
      from = statement.at.end.line;
    } catch (error) {
      const at = rangeOfLines(lines, { span: line.span, file });
      return { located, problem: placeError(error, { line, at }) };
    }
  }
}

/**
 * The error with its place: the word that it is about, else the whole instruction.
 *
 * @throws what was caught, if it is no error about the file
 */
export function placeError(error: unknown, { line, at }: { line: LogicalLine; at: Statement["at"] }): LayerwiseError {
  if (!isLayerwiseError(error)) throw error;
  const { word } = error.details;
  if (typeof word !== "string" || word === "") return errorAt(error, at);
  const behindKeyword = line.text.indexOf(word, splitAtBlank(line.text)[0].length);
  const offset = behindKeyword === -1 ? line.text.indexOf(word) : behindKeyword;
  if (offset === -1) return errorAt(error, at);
  return errorAt(error, rangeOfText(line.pieces, { offset, length: word.length, file: at.file }));
}

interface Surroundings {
  readonly lines: readonly string[];
  readonly file: string;
  readonly mark: Escape;
}

function statementAt(line: LogicalLine, { lines, file, mark }: Surroundings): Statement {
  const parts = splitStatement(line.text, mark);
  const { start, end: from } = line.span;
  const none: HeredocReading = { heredocs: [], end: from, isDisputed: false };
  const { heredocs, end, isDisputed } = canHoldHeredocs(parts, mark) ? readHeredocs(line.text, { lines, from }) : none;
  const text = trimSpace(line.text);
  const written = lines.slice(start, end - 1).join("") + withoutEnding(lines[end - 1] ?? "");
  return {
    ...parts,
    at: rangeOfLines(lines, { span: { start, end }, file }),
    text,
    // An open line would swallow what someone puts behind it.
    source: line.isOpen ? text : written,
    line: line.text,
    heredocs,
    hasDisputedHeredocs: isDisputed,
    escape: mark,
  };
}
