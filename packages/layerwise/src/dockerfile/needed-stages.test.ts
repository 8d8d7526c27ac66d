// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Stage } from "./instruction.ts";
import { neededStages } from "./needed-stages.ts";
import { parseDockerfile } from "./parse.ts";
import { targetStage } from "./stage.ts";

describe("neededStages", () => {
  it("follows FROM, COPY --from and mounts, and nothing else", () => {
    const text = `FROM x AS a
FROM x AS unused
COPY --from=later / /
FROM x AS b
FROM a AS c
RUN --mount=from=b,target=/b --mount=type=cache,target=/c --mount=type=bind,target=/d,from=busybox true
FROM c
COPY --from=0 / /
COPY --from=alpine / /
FROM x AS later
`;

    expect(neededBy(text, "c")).toEqual([0, 2, 3]);
    expect(neededBy(text, "later")).toEqual([5]);
  });

  it("expands what follows FROM", () => {
    const text = "ARG BASE=a\nFROM x AS a\nFROM x AS b\nFROM $BASE AS c\n";

    expect(neededBy(text, "c", (base) => base.replace("$BASE", "a"))).toEqual([0, 2]);
  });

  it("follows what ONBUILD of another stage adds, once", () => {
    const text = `FROM x AS files
FROM x AS base
ONBUILD COPY --from=files / /
FROM base AS child
FROM child AS grandchild
`;

    expect(neededBy(text, "base")).toEqual([1]);
    expect(neededBy(text, "child")).toEqual([0, 1, 2]);
    expect(neededBy(text, "grandchild")).toEqual([0, 1, 2, 3]);
  });

  it("takes a stage named scratch for the files of mounts that name nothing", () => {
    expect(neededBy("FROM x AS scratch\nFROM y AS b\nRUN --mount=type=cache,target=/c true\n", "b")).toEqual([0, 1]);
  });

  it("refuses a stage that comes later, but only if it is needed", () => {
    const text = "FROM x AS a\nCOPY --from=b / /\nFROM x AS b\n";

    expect(neededBy(text, "b")).toEqual([1]);
    expect(() => neededBy(text, "a")).toThrow(
      expect.objectContaining({
        message: "could not copy from stage b: it comes later",
        at: expect.objectContaining({ start: { line: 2, column: 1 } }),
      }),
    );
  });
});

function neededBy(text: string, target: string, expand: (base: string) => string = (base) => base): readonly number[] {
  const dockerfile = parseDockerfile(text, "Dockerfile");
  const expandBase = ({ base }: Stage) => expand(base);
  const stages = neededStages(dockerfile, { target: targetStage(dockerfile, target), expandBase });
  return stages.map(({ index }) => index);
}
