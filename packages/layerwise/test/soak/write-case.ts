// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BaseSpec, Edit, Entry } from "../e2e/corpus-case.ts";
import type { JudgedBuild } from "./run-series.ts";
import type { SoakFailure } from "./soak.ts";

/** Writes a failing series into a folder of cases; returns the case's own folder. */
export async function writeCase(failure: SoakFailure, folder: string): Promise<string> {
  const { generation, seed, series } = failure;
  const place = join(folder, `soak-${generation}-${String(seed).replace("-", "n")}`);
  await mkdir(place, { recursive: true });
  await writeFile(join(place, "Dockerfile"), series.first.dockerfile);
  await writeFile(join(place, "case.json"), `${JSON.stringify(caseOf(failure), undefined, 2)}\n`);
  return place;
}

/** A failing series as the `case.json` of the corpus, with what both builders did. */
export function caseOf({ series, builds, generation, seed }: SoakFailure): object {
  const { first, edits } = series;
  const isUsed = JSON.stringify([first.dockerfile, edits]).includes("${BASE}");
  return {
    description: `Seed ${seed} of the soak on Docker ${generation}.`,
    ...(generation === 20 ? { until: 20 } : { since: generation }),
    ...(isUsed ? { bases: { BASE: briefBase(first.bases["BASE"] as BaseSpec) } } : {}),
    ...(first.options.length === 0 ? {} : { options: first.options }),
    context: first.context.map(briefEntry),
    steps: builds.map((build, index) => {
      const edit = edits[index - 1];
      return { ...(edit === undefined ? {} : { edit: briefEdit(edit) }), ...expected(build) };
    }),
  };
}

/** What the engine did counts; by which route the image should come is for a reader to decide. */
function expected({ route, code, isEngineBuilt }: JudgedBuild): object {
  if (isEngineBuilt) return { route: route ?? "engine" };
  return { error: { code: code ?? "BUILD_FAILED", text: "" } };
}

function briefEntry({ names, ...entry }: Entry): object {
  return names === "utf8" ? entry : { ...entry, names };
}

function briefBase({ layers, config, ...rest }: BaseSpec): object {
  const { from, family } = rest;
  return {
    ...(from === "tiny" ? {} : { from }),
    ...(family === "docker" ? {} : { family }),
    layers: layers.map((entries) => entries.map(briefEntry)),
    ...(Object.keys(config).length === 0 ? {} : { config }),
  };
}

function briefEdit({ dockerfile, remove, context, touch, options, bases }: Edit): object {
  const base = bases["BASE"];
  return {
    ...(base === undefined ? {} : { bases: { BASE: briefBase(base) } }),
    ...(dockerfile.length === 0 ? {} : { dockerfile }),
    ...(options === undefined ? {} : { options }),
    ...(remove.length === 0 ? {} : { remove }),
    ...(context.length === 0 ? {} : { context: context.map(briefEntry) }),
    ...(touch.length === 0 ? {} : { touch }),
  };
}
