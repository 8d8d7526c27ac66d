// SPDX-License-Identifier: Apache-2.0
import { advise } from "./advise/advise.ts";
import { applyEdits, type Edit } from "./advise/edit.ts";
import { type AnalyzeOptions, lookUpOf, type Proposal, placedCommits } from "./analyze.ts";
import { hasCode, isLayerwiseError } from "./error.ts";
import { type ExplainedRevisions, explainRevisions, type RevisionSurroundings } from "./explain-revisions.ts";

/** How many of the newest commits are looked at for advice. */
const advisedCommits = 10;

/**
 * What advice says to change, as files to try on a history: of the newest commits, as far as they had the files that the
 * newest one has. Advice that several commits give is one proposal; commits that cannot be explained give none.
 */
export async function proposalsFromAdvice(
  history: AnalyzeOptions,
  surroundings: Omit<RevisionSurroundings, "lookUp">,
): Promise<readonly Proposal[]> {
  const { placed } = await placedCommits({ ...history, last: Math.min(history.last, advisedCommits + 1) });
  const { repositories } = surroundings.ports;
  const { lookUp } = lookUpOf(history, { repositories, emit: surroundings.emit });
  const { revisions, hasGitDirectory, umask } = history;
  const proposals = new Map<string, Proposal>();
  let newest: ExplainedRevisions["files"] | undefined;
  for (const [index, { commit, place }] of [...placed].reverse().entries()) {
    const older = placed.at(-index - 2);
    if (older?.place === undefined || place === undefined) continue;
    const { directory, dockerfile: file } = place;
    const pair = { revisions, from: older.commit.id, to: commit.id, directory, file };
    const checkout = { hasGitDirectory, umask };
    const explained = await unlessRefused(explainRevisions({ ...pair, checkout }, { ...surroundings, lookUp }));
    if (explained === undefined) continue;
    const { files } = explained;
    newest ??= files;
    if (files.dockerfile.text !== newest.dockerfile.text || files.ignore !== newest.ignore) break;
    for (const { rule, line, edits } of advise({ ...explained, ...files, earlier: [] })) {
      const proposal = { name: `${rule} (line ${line})`, ...edited(files, edits) };
      proposals.set(JSON.stringify([rule, edits]), proposal);
    }
  }
  return [...proposals.values()];
}

async function unlessRefused<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!isLayerwiseError(error) || hasCode(error, "CANCELLED")) throw error;
    return undefined;
  }
}

/** The files as edits leave them; undefined for one that they leave as it is. */
function edited({ dockerfile, ignore }: ExplainedRevisions["files"], edits: readonly Edit[]): Omit<Proposal, "name"> {
  const of = (file: Edit["file"]) => edits.filter((edit) => edit.file === file);
  const [inDockerfile, inIgnore] = [of("dockerfile"), of("ignore")];
  return {
    dockerfile: inDockerfile.length === 0 ? undefined : applyEdits(dockerfile.text, inDockerfile),
    ignoreFile: inIgnore.length === 0 ? undefined : applyEdits(ignore, inIgnore),
  };
}
