// SPDX-License-Identifier: Apache-2.0
import { splitFlags } from "./flags.ts";
import type { Heredoc, InstructionBase } from "./instruction.ts";
import { readJsonArray } from "./json-array.ts";
import type { Escape } from "./lines.ts";
import { splitAtBlank, trimSpace } from "./space.ts";

/** An instruction's line, split into its parts. */
export interface StatementParts {
  /** In lower case. */
  readonly keyword: string;
  readonly flags: readonly string[];
  /** What follows the flags, without spaces around it. */
  readonly rest: string;
  /** Whether older front ends read the flags differently: BuildKit 0.13 always escaped with a backslash. */
  readonly hasDisputedFlags: boolean;
}

/** An instruction before its arguments are read. */
export interface Statement extends StatementParts, Pick<InstructionBase, "at" | "text" | "source"> {
  /** The line with the spaces at its end. */
  readonly line: string;
  readonly heredocs: readonly Heredoc[];
  readonly hasDisputedHeredocs: boolean;
  readonly escape: Escape;
}

/** Splits an instruction's line into its keyword, its flags and the rest. */
export function splitStatement(line: string, mark: Escape): StatementParts {
  const [keyword, after = ""] = splitAtBlank(trimSpace(line));
  const { flags, rest } = splitFlags(after, mark);
  const older = mark === "\\" ? undefined : splitFlags(after, "\\");
  const hasDisputedFlags = older !== undefined && (older.rest !== rest || older.flags.join("\0") !== flags.join("\0"));
  return { keyword: keyword.toLowerCase(), flags, rest: trimSpace(rest), hasDisputedFlags };
}

/** Whether here-documents can belong to an instruction: RUN, COPY and ADD, also behind ONBUILD, not in exec form. */
export function canHoldHeredocs({ keyword, rest }: StatementParts, mark: Escape): boolean {
  const inner = keyword === "onbuild" && rest !== "" ? splitStatement(rest, mark) : { keyword, rest };
  if (!["run", "copy", "add"].includes(inner.keyword)) return false;
  try {
    return readJsonArray(inner.rest).strings === undefined;
  } catch {
    return false;
  }
}

/** What all instructions have in common. */
export function baseOf(
  statement: Statement,
  { unknownFlags = [], disputes = [] }: Partial<Pick<InstructionBase, "unknownFlags" | "disputes">>,
): InstructionBase {
  const { at, text, source, hasDisputedFlags, hasDisputedHeredocs } = statement;
  const own = [
    ...(hasDisputedFlags ? ["the escape character in a flag"] : []),
    ...(hasDisputedHeredocs ? ["blanks between << and a name"] : []),
  ];
  return { at, text, source, unknownFlags, disputes: [...own, ...disputes] };
}
