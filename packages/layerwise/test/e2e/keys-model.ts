// SPDX-License-Identifier: Apache-2.0
import { digestOf } from "../../src/spec/digest.ts";
import type { DraftFile, DraftInput } from "../draft.ts";

/** A build that an edit can change and that is always a valid one. */
export interface BuildModel {
  readonly stages: readonly StageModel[];
  readonly files: Readonly<Record<string, DraftFile>>;
  readonly ignore: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Another number is another layer in the base. */
  readonly base: number;
  /** Another number writes the same Dockerfile in another way. */
  readonly style: number;
}

/** A stage; `from` is an image, or counts stages back. */
export interface StageModel {
  readonly from: "base" | "other" | number;
  readonly instructions: readonly string[];
}

/** One change to a build; `which` chooses, modulo how many there are to choose from. */
export interface Edit {
  readonly kind: EditKind;
  readonly which: number;
  readonly text: string;
  readonly command: string;
}

/** What an edit does. */
export type EditKind = keyof typeof edits;

type Apply = (build: BuildModel, edit: Edit) => BuildModel;

const edits = {
  nothing: (build) => build,
  write: (build, { which, text }) => withFile(build, which, (file) => ({ ...file, text })),
  chmod: (build, { which }) =>
    withFile(build, which, (file) => ({ ...file, mode: file.mode === 0o700 ? 0o640 : 0o700 })),
  "add a file": (build, { text }) => ({ ...build, files: { ...build.files, [`src/${text}`]: text } }),
  "add a file elsewhere": (build, { text }) => ({ ...build, files: { ...build.files, [`${text}.log`]: text } }),
  "drop a file": (build) => ({ ...build, files: without(build.files, ["src/b", "src/d/c", "two.txt"]) }),
  "change the ignore file": (build, { which }) => ({ ...build, ignore: ignoreFiles[which % ignoreFiles.length] }),
  "pass an argument": (build, { which, text }) => ({
    ...build,
    buildArgs: { ...build.buildArgs, [["A", "B", "C", "D"][which % 4] as string]: text },
  }),
  "move the base": (build) => ({ ...build, base: build.base + 1 }),
  "write it otherwise": (build) => ({ ...build, style: build.style + 1 }),
  "insert an instruction": (build, { which, command }) =>
    withStage(build, which, (list) => list.toSpliced(which % (list.length + 1), 0, command)),
  "replace an instruction": (build, { which, command }) =>
    withStage(build, which, (list) => list.with(which % list.length, command)),
  "swap instructions": (build, { which }) => withStage(build, which, (list) => swapped(list, which)),
} satisfies Readonly<Record<string, Apply>>;

/** All kinds of edits. */
export const editKinds: readonly EditKind[] = Object.keys(edits) as EditKind[];

const ignoreFiles: readonly string[] = [
  "",
  "other\n",
  "# other\n/other\n",
  "*.log\n",
  "src/b\n",
  "src/b\n!src/b\n",
  "**/c\n",
];

/** Files that instructions name. */
const needed: ReadonlySet<string> = new Set(["src/a", "one.txt"]);

/** Makes one change. */
export function applyEdit(build: BuildModel, edit: Edit): BuildModel {
  return (edits[edit.kind] as Apply)(build, edit);
}

/** Writes a model down. */
export function renderBuild({ stages, files, ignore, buildArgs, base, style }: BuildModel): DraftInput {
  let number = 0;
  const lines = stages.flatMap(({ from, instructions }, index) => [
    `FROM ${typeof from === "number" ? earlier(index, from) : from} AS s${index}`,
    ...instructions.map((text) => {
      number += 1;
      return text.replaceAll("#", String(number)).replaceAll("@", earlier(index, number));
    }),
  ]);
  const dockerfile = `${lines.map((line) => styled(line, style)).join("\n")}\n`;
  return {
    dockerfile,
    files,
    buildArgs,
    base: { diffIds: [digestOf(String(base))] },
    ...(ignore === undefined ? {} : { ignore }),
  };
}

function earlier(index: number, back: number): string {
  return index === 0 ? "base" : `s${back % index}`;
}

function styled(line: string, style: number): string {
  if (style % 3 === 1) return `# a comment\n${line}`;
  return style % 3 === 2 ? line.replace(" ", " \\\n  ") : line;
}

type PlainFile = Exclude<DraftFile, string>;

function withFile(build: BuildModel, which: number, change: (file: PlainFile) => PlainFile): BuildModel {
  const paths = Object.keys(build.files).filter((path) => isPlain(build.files[path]));
  const path = paths[which % paths.length] as string;
  const file = build.files[path] as DraftFile;
  return { ...build, files: { ...build.files, [path]: change(typeof file === "string" ? { text: file } : file) } };
}

/** Hard-linked files change together on a disk, so they are left alone. */
function isPlain(file: DraftFile | undefined): boolean {
  return typeof file === "string" || (file?.text !== undefined && file.hardLink === undefined);
}

function without(files: BuildModel["files"], paths: readonly string[]): BuildModel["files"] {
  return Object.fromEntries(Object.entries(files).filter(([path]) => needed.has(path) || !paths.includes(path)));
}

function withStage(
  build: BuildModel,
  which: number,
  change: (list: readonly string[]) => readonly string[],
): BuildModel {
  const index = which % build.stages.length;
  const stage = build.stages[index] as StageModel;
  return { ...build, stages: build.stages.with(index, { ...stage, instructions: change(stage.instructions) }) };
}

function swapped(list: readonly string[], which: number): readonly string[] {
  const first = which % list.length;
  const second = (first + 1) % list.length;
  return list.with(first, list[second] as string).with(second, list[first] as string);
}
