// SPDX-License-Identifier: Apache-2.0
import type { CopyInstruction, Instruction } from "../dockerfile/instruction.ts";
import {
  type Advice,
  beside,
  costFrom,
  type MadeStep,
  madeSteps,
  type Observed,
  removed,
  replaced,
  sourceLines,
} from "./advice.ts";

/*
 * Instructions in an order that makes too much again. Moving one changes what runs when: advice only, never applied.
 */

/** An ARG before RUNs that do not name it: a RUN sees every argument before it. */
export function argumentBeforeRun(observed: Observed): readonly Advice[] {
  const told = new Set<string>();
  return madeSteps(observed).flatMap((made): Advice[] => {
    const { explained, instruction, siblings } = made;
    const cause = explained.causes.find(({ kind }) => kind === "argument");
    if (cause?.kind !== "argument" || instruction.kind !== "run" || told.has(cause.name)) return [];
    const { name } = cause;
    const declared = siblings.find((one) => one.kind === "arg" && one.declarations.some((arg) => arg.name === name));
    if (declared?.kind !== "arg" || declared.declarations.length > 1) return [];
    const later = siblings.slice(siblings.indexOf(declared) + 1);
    const user = later.find((one) => mentions(one, name));
    if (user !== undefined && siblings.indexOf(user) <= siblings.indexOf(instruction)) return [];
    told.add(name);
    const last = siblings.at(-1) as Instruction;
    const moved = sourceLines(declared);
    return [
      {
        rule: "argument-before-run",
        line: declared.at.start.line,
        seen: `the value of ${name} changed, and line ${explained.line} was made again, which does not name it`,
        cost: costFrom(explained.line, observed),
        advice: `declare ${name} where it is first used`,
        edits: [removed(declared), user === undefined ? beside(last, "after", moved) : beside(user, "before", moved)],
        unknown: `whether a program that RUN starts reads ${name} from its environment`,
        isSafe: false,
      },
    ];
  });
}

function mentions({ source }: Instruction, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(source);
}

/** Installs of dependencies, and the files that say what they install. */
const installs: readonly { readonly form: RegExp; readonly files: readonly string[]; readonly needs: string }[] = [
  {
    form: /\b(?:npm (?:ci|install|i)\b|yarn(?: install)?\b|pnpm (?:install|i)\b)/,
    files: ["package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", ".npmrc"],
    needs: "package.json",
  },
  { form: /\bpip3? install\b.*-r\s+requirements\.txt/, files: ["requirements.txt"], needs: "requirements.txt" },
  { form: /\bpoetry install\b/, files: ["pyproject.toml", "poetry.lock"], needs: "pyproject.toml" },
  { form: /\bbundle install\b/, files: ["Gemfile", "Gemfile.lock"], needs: "Gemfile.lock" },
  { form: /\bcomposer install\b/, files: ["composer.json", "composer.lock"], needs: "composer.lock" },
  { form: /\bgo mod download\b/, files: ["go.mod", "go.sum"], needs: "go.mod" },
];

/** A COPY of everything before a RUN that installs what a lock file says. */
export function copyBeforeInstall(observed: Observed): readonly Advice[] {
  const steps = madeSteps(observed);
  return steps.flatMap((made): Advice[] => {
    const { explained, instruction, siblings } = made;
    const [cause] = explained.causes;
    if (cause.kind !== "files" || instruction.kind !== "copy") return [];
    const after = siblings.slice(siblings.indexOf(instruction) + 1);
    const install = after.find((one) => one.kind === "run" && installs.some(({ form }) => form.test(one.text)));
    const isMadeFor = steps.some((one) => one.instruction === install && one.explained.origin.line === explained.line);
    if (install === undefined || !isMadeFor) return [];
    const known = installs.find(({ form }) => form.test(install.text)) as (typeof installs)[number];
    const first = manifestCopy(instruction, { made, files: known.files, needs: known.needs });
    if (first === undefined || cause.changes.some(({ path }) => first.paths.includes(path))) return [];
    return [
      {
        rule: "copy-before-install",
        line: explained.line,
        seen: `${cause.changes[0]?.path ?? "a file"} changed, and line ${install.at.start.line} installed again what ${known.needs} says, which did not change`,
        cost: costFrom(explained.line, observed),
        advice: "copy the files that the install reads first, and all others after it",
        edits: [replaced(instruction, [first.line]), beside(install, "after", sourceLines(instruction))],
        unknown:
          "whether the install reads other files: scripts that run after it, packages of a workspace, local paths",
        isSafe: false,
      },
    ];
  });
}

/** A COPY of only the files that an install reads; undefined if they are not where the instruction begins. */
function manifestCopy(
  { sources, destination, from, heredocs, source }: CopyInstruction,
  { made, files, needs }: { made: MadeStep; files: readonly string[]; needs: string },
): { line: string; paths: readonly string[] } | undefined {
  const [root, ...others] = sources;
  if (root === undefined || others.length > 0 || from !== undefined || heredocs.length > 0) return undefined;
  if (/[$*?[\\]/.test(root) || !/^\S+$/.test(destination)) return undefined;
  const prefix = root.replace(/^\.?\/*/, "").replace(/\/*$/, "");
  const pathOf = (file: string) => (prefix === "" || prefix === "." ? file : `${prefix}/${file}`);
  const there = new Set(made.step.files.map(({ path }) => path));
  const paths = files.map(pathOf).filter((path) => there.has(path));
  if (!paths.includes(pathOf(needs))) return undefined;
  const flags = [...source.matchAll(/\s(--(?:chown|chmod)=\S+)/g)].map(([, flag]) => `${flag} `).join("");
  const target = destination.endsWith("/") ? destination : `${destination}/`;
  return { line: `COPY ${flags}${paths.join(" ")} ${target}`, paths };
}

/** A WORKDIR that stands behind a COPY, and is made again with it. */
export function workdirAfterCopy(observed: Observed): readonly Advice[] {
  return madeSteps(observed).flatMap(({ explained, instruction, siblings }): Advice[] => {
    const { causes, origin } = explained;
    if (instruction.kind !== "workdir" || causes[0].kind !== "parent" || origin.stage !== explained.stage) return [];
    const copy = siblings.find((one) => one.at.start.line === origin.line);
    if (copy?.kind !== "copy" && copy?.kind !== "add") return [];
    // Between the two, nothing may depend on the directory.
    const between = siblings.slice(siblings.indexOf(copy), siblings.indexOf(instruction));
    const isFree = between.every(
      (one) => (one.kind === "copy" || one.kind === "add") && one.destination.startsWith("/"),
    );
    if (!isFree || !instruction.path.startsWith("/")) return [];
    return [
      {
        rule: "workdir-after-copy",
        line: explained.line,
        seen: `this WORKDIR makes a layer, and was made again only because line ${origin.line} was`,
        cost: { steps: 1, seconds: 0 },
        advice: "set the working directory before the files are copied",
        edits: [removed(instruction), beside(copy, "before", sourceLines(instruction))],
        unknown: "whether the files that are copied hold this directory, with an owner or a mode of its own",
        isSafe: false,
      },
    ];
  });
}
