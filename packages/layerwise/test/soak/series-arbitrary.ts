// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import type { Generation } from "../../../lab/src/index.ts";
import { baseModel, contextEntry, ignoreModel, imageLayer, oddIgnoreLine } from "./context-arbitrary.ts";
import { editKinds } from "./edits.ts";
import { instruction, variableValue } from "./instruction-arbitrary.ts";
import type { BuildModel, EditModel, SeriesModel, StageModel } from "./model.ts";

/** Series of builds that an engine of a generation can make, or refuses. */
export function seriesModel(generation: Generation): fc.Arbitrary<SeriesModel> {
  return fc.oneof(
    { weight: 7, arbitrary: editedSeries(generation) },
    { weight: 1, arbitrary: ignoreSeries(generation) },
  );
}

function editedSeries(generation: Generation): fc.Arbitrary<SeriesModel> {
  return fc.record({
    build: buildModel(generation),
    edits: fc.array(fc.array(editModel(generation), { minLength: 1, maxLength: 2 }), { minLength: 3, maxLength: 9 }),
  });
}

/** One ignore file after the other, and all that each leaves. */
function ignoreSeries(generation: Generation): fc.Arbitrary<SeriesModel> {
  const stage: StageModel = { from: "scratch", instructions: ["COPY . /"] };
  const edit = editModel(generation).map((one): EditModel[] => [{ ...one, kind: "write the ignore file" }]);
  return fc.record({
    build: buildModel(generation).map((build) => ({ ...build, stages: [stage], ignore: undefined, target: 0 })),
    edits: fc.array(edit, { minLength: 5, maxLength: 9 }),
  });
}

function buildModel(generation: Generation): fc.Arbitrary<BuildModel> {
  return fc.record({
    base: baseModel(),
    entries: fc.array(contextEntry(), { maxLength: 14 }),
    ignore: ignoreModel(),
    stages: fc.oneof(
      { weight: 3, arbitrary: fc.array(stageModel(generation), { minLength: 1, maxLength: 1 }) },
      { weight: 1, arbitrary: fc.array(stageModel(generation), { minLength: 2, maxLength: 3 }) },
    ),
    buildArgs: fc.record(
      { A: variableValue("A"), D: variableValue("D"), S: variableValue("S"), U: variableValue("U") },
      { requiredKeys: [] },
    ),
    labels: fc.constant({}),
    target: fc.constant(0),
    style: fc.nat({ max: 3 }),
  });
}

function stageModel(generation: Generation): fc.Arbitrary<StageModel> {
  return fc.record({
    from: fc.constantFrom<StageModel["from"][]>("base", "base", "base", "base", "tree", "scratch", 0, 1),
    instructions: fc.array(instruction(generation), { minLength: 1, maxLength: 6 }),
  });
}

function editModel(generation: Generation): fc.Arbitrary<EditModel> {
  return fc.record({
    kind: fc.constantFrom(...editKinds),
    which: fc.nat({ max: 10_000 }),
    text: fc.constantFrom("1", "2", "edited\n", "0700", "0640", "0755", "2711"),
    entry: contextEntry(),
    instruction: instruction(generation),
    layer: imageLayer(),
    lines: fc.array(oddIgnoreLine(), { minLength: 1, maxLength: 6 }),
  });
}
