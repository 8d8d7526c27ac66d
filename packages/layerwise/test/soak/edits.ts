// SPDX-License-Identifier: Apache-2.0
import type { Entry } from "../e2e/corpus-case.ts";
import { contextEntries } from "./entries.ts";
import type { BuildModel, EditKind, EditModel, StageModel } from "./model.ts";

type Apply = (build: BuildModel, edit: EditModel) => BuildModel;

const edits: Readonly<Record<EditKind, Apply>> = {
  nothing: (build) => build,
  // The times of files are no part of a model: whoever writes the build context sees to it.
  touch: (build) => build,
  write: (build, { which, text }) =>
    withEntry(build, which, (entry) => (entry.type === "file" ? { ...entry, content: text } : entry)),
  chmod: (build, { which, text }) =>
    withEntry(build, which, (entry) =>
      entry.type === "symlink" || entry.type === "hardlink" ? entry : { ...entry, mode: modeOf(text) },
    ),
  rename: (build, { which, entry }) => {
    const all = contextEntries(build.entries);
    const moved = chosen(all, which);
    const rest = all.filter(({ path }) => path !== moved.path && !path.startsWith(`${moved.path}/`));
    return { ...build, entries: [...rest, { ...moved, path: entry.path }] };
  },
  delete: (build, { which }) => {
    const all = contextEntries(build.entries);
    const { path } = chosen(all, which);
    return { ...build, entries: all.filter((one) => one.path !== path && !one.path.startsWith(`${path}/`)) };
  },
  add: (build, { entry }) => ({ ...build, entries: [...build.entries, entry] }),
  retype: (build, { which, entry }) => {
    const all = contextEntries(build.entries);
    const { path } = chosen(all, which);
    const rest = entry.type === "directory" ? all : all.filter((one) => !one.path.startsWith(`${path}/`));
    return { ...build, entries: [...rest, { ...entry, path }] };
  },
  ignore: (build, { which, entry }) => {
    const lines = build.ignore?.lines ?? [];
    const line = which % 3 === 0 ? `!${entry.path}` : entry.path.replace(/[^/]+$/, which % 3 === 1 ? "*" : "$&");
    return { ...build, ignore: { file: build.ignore?.file ?? ".dockerignore", lines: [...lines, line].slice(-4) } };
  },
  "write the ignore file": (build, { lines }) => ({ ...build, ignore: { file: ".dockerignore", lines } }),
  "pass an argument": (build, { which, text }) => {
    const name = ["A", "B", "NONE"][which % 3] as string;
    return { ...build, buildArgs: { ...build.buildArgs, [name]: text.trim() } };
  },
  label: (build, { text }) => ({ ...build, labels: { edited: text.trim() } }),
  "insert an instruction": (build, { which, instruction }) =>
    withStage(build, which, (list) => list.toSpliced(which % (list.length + 1), 0, instruction)),
  "replace an instruction": (build, { which, instruction }) =>
    withStage(build, which, (list) => list.with(which % list.length, instruction)),
  "drop an instruction": (build, { which }) =>
    withStage(build, which, (list) => (list.length === 1 ? list : list.toSpliced(which % list.length, 1))),
  "swap instructions": (build, { which }) => withStage(build, which, (list) => swapped(list, which)),
  "write it otherwise": (build) => ({ ...build, style: build.style + 1 }),
  "choose a target": (build, { which }) => ({ ...build, target: which % build.stages.length }),
  "add to the base": ({ base, ...build }, { layer }) => ({
    ...build,
    base: { ...base, layers: [...base.layers, layer].slice(-4) },
  }),
  "configure the base": ({ base, ...build }, { text }) => ({
    ...build,
    base: { ...base, config: { ...base.config, Labels: { edited: text }, Env: ["PATH=/usr/bin:/bin", `A=${text}`] } },
  }),
};

/** All kinds of edits, those that are common more than once. */
export const editKinds: readonly [EditKind, ...EditKind[]] = [
  "write",
  "write",
  "write",
  ...(Object.keys(edits) as EditKind[]),
  "chmod",
  "add",
  "add",
  "rename",
  "retype",
  "replace an instruction",
];

/** Makes one change. */
export function applyEditModel(build: BuildModel, edit: EditModel): BuildModel {
  return edits[edit.kind](build, edit);
}

function modeOf(text: string): string {
  return /^[0-7]{4}$/.test(text) ? text : "0711";
}

/** The entry of the build context that an edit means. */
export function chosen(entries: readonly Entry[], which: number): Entry {
  return entries[which % entries.length] as Entry;
}

function withEntry(build: BuildModel, which: number, change: (entry: Entry) => Entry): BuildModel {
  const all = contextEntries(build.entries);
  const entry = chosen(all, which);
  return { ...build, entries: all.map((one) => (one === entry ? change(one) : one)) };
}

function withStage(
  build: BuildModel,
  which: number,
  change: (list: readonly string[]) => readonly string[],
): BuildModel {
  // Often the last stage, whose end is what most edits concern.
  const index = which % 2 === 0 ? build.stages.length - 1 : which % build.stages.length;
  const stage = build.stages[index] as StageModel;
  return { ...build, stages: build.stages.with(index, { ...stage, instructions: change(stage.instructions) }) };
}

function swapped(list: readonly string[], which: number): readonly string[] {
  const first = which % list.length;
  const second = (first + 1) % list.length;
  return list.with(first, list[second] as string).with(second, list[first] as string);
}
