// SPDX-License-Identifier: Apache-2.0
import { expandWord } from "./expand.ts";
import { type FlagKind, type Flags, readFlags } from "./flags.ts";
import { chompHeredoc, parseHeading } from "./heredoc.ts";
import type { CopyInstruction, Heredoc } from "./instruction.ts";
import { readWordList } from "./parse-list.ts";
import { baseOf, type Statement } from "./statement.ts";
import { syntaxError } from "./syntax-error.ts";

const common = { chown: "text", chmod: "text", link: "switch", exclude: "list" } as const;

const kinds: Readonly<Record<CopyInstruction["kind"], Readonly<Record<string, FlagKind>>>> = {
  copy: { ...common, from: "text", parents: "switch" },
  add: { ...common, checksum: "text", "keep-git-dir": "switch", unpack: "switch" },
};

/**
 * Reads COPY and ADD.
 * https://github.com/moby/buildkit/blob/v0.33.0/frontend/dockerfile/instructions/parse.go (parseCopy, parseAdd)
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseCopy(statement: Statement, kind: CopyInstruction["kind"]): CopyInstruction {
  const keyword = kind.toUpperCase();
  const { words, disputes } = readWordList(statement.rest);
  const destination = words.at(-1);
  if (destination === undefined || words.length < 2) {
    throw syntaxError(`could not read ${keyword}: a source and a destination are needed`, {
      hint: `write ${keyword} source destination`,
    });
  }
  if (parseHeading(destination) !== undefined) {
    throw syntaxError(`could not read ${keyword}: the destination cannot be a here-document`, {
      hint: "put the path that it goes to at the end of the line",
      word: destination,
    });
  }
  const flags = readFlags(statement.flags, kinds[kind]);
  const { sources, heredocs } = splitSources(words.slice(0, -1), statement.heredocs);
  return {
    kind,
    ...baseOf(statement, { unknownFlags: flags.unknown, disputes }),
    sources,
    heredocs,
    destination,
    from: sourceStage(flags),
    chown: flags.text("chown"),
    chmod: flags.text("chmod"),
    link: flags.switch("link") ?? false,
    parents: flags.switch("parents") ?? false,
    excludes: flags.list("exclude"),
    checksum: flags.text("checksum"),
    keepGitDir: flags.switch("keep-git-dir") ?? false,
    unpack: flags.switch("unpack"),
  };
}

/** Of several here-documents of one name the last content counts for all; one that has none is empty. */
function splitSources(
  words: readonly string[],
  given: readonly Heredoc[],
): { readonly sources: readonly string[]; readonly heredocs: readonly Heredoc[] } {
  const sources: string[] = [];
  const heredocs: Heredoc[] = [];
  for (const word of words) {
    const heading = parseHeading(word);
    if (heading === undefined) {
      sources.push(word);
      continue;
    }
    const { isSpaced: _, ...heredoc } = heading;
    const content = given.findLast(({ name }) => name === heading.name)?.content ?? "";
    heredocs.push({ ...heredoc, content: heading.chomp ? chompHeredoc(content) : content });
  }
  return { sources, heredocs };
}

function sourceStage(flags: Flags): string | undefined {
  const from = flags.text("from");
  if (from === undefined || isPlain(from)) return from;
  throw syntaxError(`could not read the flag --from: neither variables nor quotes are expanded in ${from}`, {
    hint: "make a stage with FROM … AS, with a variable from before the first FROM, and name the stage",
    word: from,
  });
}

function isPlain(word: string): boolean {
  try {
    return expandWord(word, new Map(), { escape: "\\" }) === word;
  } catch {
    return false;
  }
}
