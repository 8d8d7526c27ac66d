// SPDX-License-Identifier: Apache-2.0
import { type Advice, costFrom, madeSteps, type Observed, removed, replaced } from "./advice.ts";

/** A list of packages that was fetched by an older layer than the one that installs from it. */
export function indexApartFromInstall(observed: Observed): readonly Advice[] {
  const steps = madeSteps(observed);
  return steps.flatMap(({ instruction, siblings, explained }): Advice[] => {
    if (instruction.kind !== "run" || !/^RUN apt(?:-get)? (?:-\S+ )*install\b/.test(instruction.text)) return [];
    const earlier = siblings.slice(0, siblings.indexOf(instruction));
    const update = earlier.findLast(
      (one) => one.kind === "run" && /^RUN apt(?:-get)? (?:-\S+ )*update$/.test(one.text),
    );
    const wasMade = steps.some((one) => one.instruction === update);
    if (update === undefined || wasMade) return [];
    const tool = instruction.text.startsWith("RUN apt-get") ? "apt-get" : "apt";
    const [first = "", ...rest] = instruction.source.split("\n");
    return [
      {
        rule: "index-apart-from-install",
        line: explained.line,
        seen: `this install was made again with the list of packages that line ${update.at.start.line} fetched in an earlier build`,
        cost: costFrom(explained.line, observed),
        advice: "fetch the list in the RUN that installs from it",
        edits: [
          removed(update),
          replaced(instruction, [first.replace(/^\s*RUN\s+/i, `RUN ${tool} update && `), ...rest]),
        ],
        unknown: "whether an older list is wanted, for example from a mirror that is kept on purpose",
        isSafe: false,
      },
    ];
  });
}

/** A RUN that only gives files an owner: it stores them a second time, and needs an engine. */
export function ownerInLayer(observed: Observed): readonly Advice[] {
  const steps = madeSteps(observed);
  return steps.flatMap(({ instruction, siblings, explained }): Advice[] => {
    const form = /^RUN chown (?:-R|--recursive) ([A-Za-z0-9_.:-]+) (\/\S+|\.)$/.exec(instruction.text);
    if (instruction.kind !== "run" || form === null || explained.causes[0].kind !== "parent") return [];
    const copy = siblings[siblings.indexOf(instruction) - 1];
    if (copy?.kind !== "copy" && copy?.kind !== "add") return [];
    const [, owner = "", path = ""] = form;
    const target = copy.destination.replace(/\/$/, "");
    const isSame = target === path.replace(/\/$/, "") || (path === "." && target === ".");
    if (!isSame || copy.chown !== undefined || explained.origin.line !== copy.at.start.line) return [];
    const [first = "", ...rest] = copy.source.split("\n");
    return [
      {
        rule: "owner-in-a-layer",
        line: explained.line,
        seen: `this RUN was made again because line ${copy.at.start.line} was, and stores the same files once more`,
        cost: costFrom(explained.origin.line, observed),
        advice: "give the files their owner while they are copied",
        edits: [
          replaced(copy, [first.replace(/^(\s*(?:COPY|ADD))\s+/i, `$1 --chown=${owner} `), ...rest]),
          removed(instruction),
        ],
        unknown: "whether files were there before, which this RUN gives the owner too, and the directory itself",
        isSafe: false,
      },
    ];
  });
}

/**
 * Files whose content is the same and whose permission bits follow from the umask of the checkout. No change to the
 * Dockerfile helps: keys hold the modes of what is copied also under --chmod, in BuildKit too.
 */
export function modeOfCheckout(observed: Observed): readonly Advice[] {
  return madeSteps(observed).flatMap(({ explained }): Advice[] => {
    const [cause, ...others] = explained.causes;
    if (cause.kind !== "files" || others.some(({ kind }) => kind !== "parent")) return [];
    const [first] = cause.changes;
    if (first === undefined || cause.count !== cause.changes.length) return [];
    if (!cause.changes.every(({ detail }) => isUmask(detail))) return [];
    return [
      {
        rule: "mode-of-checkout",
        line: explained.line,
        seen: `nothing but permission bits of group and others differs: ${first.path} has ${first.detail}${cause.count === 1 ? "" : `, and ${cause.count - 1} more like it`}`,
        cost: costFrom(explained.line, observed),
        advice:
          "set one umask before every checkout, for example umask 022; --chmod does not help, since keys hold the modes of what is copied",
        edits: [],
        unknown: "which machine or which user made the checkout with another umask",
        isSafe: false,
      },
    ];
  });
}

/** Only bits that a umask usually takes are different. */
function isUmask(detail: string | undefined): boolean {
  const [, now, was] = /^mode ([0-7]+), was ([0-7]+)$/.exec(detail ?? "") ?? [];
  if (now === undefined || was === undefined) return false;
  return ((Number.parseInt(now, 8) ^ Number.parseInt(was, 8)) & ~0o077) === 0;
}

/** A tag of a base that moves from build to build. */
export function baseMoves(observed: Observed): readonly Advice[] {
  const { explanation, dockerfile, after, earlier } = observed;
  const told = new Set<number>();
  return explanation.steps.flatMap(({ causes }): Advice[] => {
    const cause = causes.find(({ kind }) => kind === "base");
    if (cause?.kind !== "base" || cause.before?.reference !== cause.after?.reference || cause.after === undefined)
      return [];
    const { reference, digest } = cause.after;
    const { line, instruction: text } = cause.origin;
    const from = dockerfile.stages.find((stage) => stage.from.at.start.line === line && stage.from.text === text)?.from;
    if (from === undefined || reference.includes("@") || !from.source.includes(reference) || told.has(line)) return [];
    told.add(line);
    const seen = [after, ...earlier].map(
      ({ stages }) => stages.find((stage) => stage.base?.reference === reference)?.base?.digest,
    );
    const moves = seen.filter((one, index) => index > 0 && one !== undefined && one !== seen[index - 1]).length;
    const edit = { file: "dockerfile", line, remove: from.at.end.line - line + 1 } as const;
    return [
      {
        rule: "base-moves",
        line,
        seen: `${reference} moved ${moves === 1 ? "once" : `${moves} times`} in the last ${seen.length} builds, and everything on it was made again`,
        cost: costFrom(line, observed),
        advice: "name the digest, and let a bot or a monthly change move it",
        edits: [{ ...edit, insert: from.source.replace(reference, `${reference}@${digest}`).split("\n") }],
        unknown: "how soon you want the updates of the base: with a digest they come only when the line changes",
        isSafe: false,
      },
    ];
  });
}
