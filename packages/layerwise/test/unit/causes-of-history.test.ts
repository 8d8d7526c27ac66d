// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { matchSteps, type WrittenStep } from "../../src/analyze/align-steps.ts";
import { type CausedStep, causeOf } from "../../src/analyze/cause.ts";
import { causeWords } from "../../src/report/cause-words.ts";
import { type DraftInput, draft } from "../draft.ts";
import { type ExplainCase, loadExplainCases } from "../explain-case.ts";

/** What a history calls a cause that it cannot tell from another one. */
const coarser: Readonly<Record<string, string>> = { ignore: "files", platform: "base" };

/** A step as a replay has it. */
interface Replayed {
  readonly written: WrittenStep;
  readonly caused: CausedStep;
}

function stepsOf(input: DraftInput): readonly Replayed[] {
  const { chains, evaluated } = draft(input);
  return [...chains.values()].flatMap((chain) => {
    const stage = evaluated.stages.get(chain.stage)?.name ?? String(chain.stage);
    return chain.steps.slice(chain.inherited).map((step, index): Replayed => {
      const { kind, text, at } = step.step;
      const isFirst = index === 0 && chain.inherited === 0;
      const caused = { step, content: evaluated.content.get(step.step), root: chain.root, isFirst };
      return { written: { stage, kind, text, line: at.start.line }, caused };
    });
  });
}

/** What a history says of each line whose cause it has a word for. */
function namedCauses({ from, to, causes }: ExplainCase): readonly { line: number; found: string; wanted: string }[] {
  const [before, after] = [stepsOf(from), stepsOf(to)];
  const written = ({ written: step }: Replayed) => step;
  const matched = matchSteps(before.map(written), after.map(written));
  return causes.flatMap(({ line, kind }) => {
    const wanted = coarser[kind] ?? kind;
    const index = after.findIndex(({ written: step }) => step.line === line);
    const step = after[index];
    if (step === undefined || !Object.hasOwn(causeWords, wanted)) return [];
    return [{ line, wanted, found: causeOf(before[matched[index] ?? -1]?.caused, step.caused).name }];
  });
}

const cases = loadExplainCases().filter(({ made }) => made === undefined);

describe("a history", () => {
  it("has words for what most cases of explain are about", () => {
    expect(cases.flatMap(namedCauses).length).toBeGreaterThan(90);
  });

  it.each(cases.map((one) => [one.name, one] as const))("names the cause that explain names: %s", (_, one) => {
    const named = namedCauses(one);

    expect(named.map(({ line, found }) => ({ line, found }))).toEqual(
      named.map(({ line, wanted }) => ({ line, found: wanted })),
    );
  });
});
