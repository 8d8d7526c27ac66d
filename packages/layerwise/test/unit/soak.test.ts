// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Entry, parseCase } from "../e2e/corpus-case.ts";
import { type RenderedSeries, renderSeries } from "../soak/render.ts";
import type { JudgedBuild } from "../soak/run-series.ts";
import { seriesModel } from "../soak/series-arbitrary.ts";
import { seedsFrom } from "../soak/soak.ts";
import { caseOf } from "../soak/write-case.ts";

const rendered = seriesModel(28).map((model) => renderSeries(model, "name"));

const built: JudgedBuild = {
  route: "assemble",
  why: [],
  code: undefined,
  isEngineBuilt: true,
  findings: ["/x: mode 0755, and not 0700"],
};

describe("a random series", () => {
  it("has edits that a build context can take", () => {
    fc.assert(
      fc.property(rendered, ({ first, edits }) => {
        const there = new Map<string, Entry["type"]>();
        write(there, first.context);
        for (const { remove, context, touch } of edits) {
          for (const path of remove) removeFrom(there, path);
          write(there, context);
          for (const path of touch) expect(there.has(path), path).toBe(true);
        }
      }),
    );
  });

  it("changes a Dockerfile into the next one by a text that is there once", () => {
    fc.assert(
      fc.property(rendered, ({ first, edits }) => {
        let dockerfile = first.dockerfile;
        for (const [from, to] of edits.flatMap((edit) => edit.dockerfile)) {
          expect(dockerfile.split(from)).toHaveLength(2);
          dockerfile = dockerfile.replace(from, () => to);
        }
      }),
    );
  });

  it("is the same whenever it follows from the same seed", () => {
    const [one, other] = [0, 1].map(() => fc.sample(rendered, { seed: 7, numRuns: 20 }));

    expect(one).toEqual(other);
  });

  it("can be written as a case of the corpus and read again", () => {
    fc.assert(
      fc.property(rendered, (series: RenderedSeries) => {
        const builds = [built, ...series.edits.map(() => built)];

        const text = JSON.stringify(caseOf({ generation: 28, seed: -1, series, builds }));

        const read = parseCase(text, "soak");
        expect(read.context).toEqual(series.first.context);
        expect(read.steps.map(({ edit }) => edit?.context ?? [])).toEqual([
          [],
          ...series.edits.map(({ context }) => context),
        ]);
      }),
    );
  });
});

describe("the seeds of a soak", () => {
  it("follow from one seed, and differ", () => {
    const [one, other] = [seedsFrom(1), seedsFrom(1)];
    const some = Array.from({ length: 100 }, () => one.next().value);

    expect(Array.from({ length: 100 }, () => other.next().value)).toEqual(some);
    expect(new Set(some).size).toBe(100);
    expect(seedsFrom(2).next().value).not.toBe(some[0]);
  });
});

/** As a disk would: no file above another, no link to nothing. */
function write(there: Map<string, Entry["type"]>, entries: readonly Entry[]): void {
  for (const { path, type, target = "" } of entries) {
    const names = path.split("/").slice(0, -1);
    for (let length = 1; length <= names.length; length++) {
      const above = names.slice(0, length).join("/");
      expect(there.get(above) ?? "directory", `${above} above ${path}`).toBe("directory");
      there.set(above, "directory");
    }
    if (type === "hardlink") expect(there.get(target), `${target} of ${path}`).toBe("file");
    if (type === "directory") expect(there.get(path) ?? "directory", path).toBe("directory");
    else if (there.has(path)) removeFrom(there, path);
    there.set(path, type);
  }
}

function removeFrom(there: Map<string, Entry["type"]>, path: string): void {
  expect(there.has(path), `${path} to remove`).toBe(true);
  for (const other of [...there.keys()]) if (other === path || other.startsWith(`${path}/`)) there.delete(other);
}
