// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import type { DraftFile, DraftInput } from "../draft.ts";
import { applyEdit, type BuildModel, type Edit, editKinds, renderBuild, type StageModel } from "./keys-model.ts";

/** Builds that follow from one another by one edit each, as inputs for an engine. */
export function buildSeries(): fc.Arbitrary<readonly DraftInput[]> {
  return fc
    .record({ build: buildModel(), edits: fc.array(editModel(), { minLength: 2, maxLength: 4 }) })
    .map(({ build, edits }) => {
      const builds = [build];
      for (const edit of edits) builds.push(applyEdit(builds.at(-1) as BuildModel, edit));
      return builds.map(renderBuild);
    });
}

function buildModel(): fc.Arbitrary<BuildModel> {
  return fc.record({
    stages: fc.array(stageModel(), { minLength: 1, maxLength: 3 }),
    files: fc.constantFrom(...trees),
    ignore: fc.option(fc.constantFrom(...ignoreFiles), { nil: undefined }),
    buildArgs: fc.dictionary(name, value, { maxKeys: 2 }),
    base: fc.constant(0),
    style: fc.constant(0),
  });
}

const trees: readonly Readonly<Record<string, DraftFile>>[] = [
  { "src/a": "1", "src/b": { text: "2", mode: 0o755 }, "src/d/c": "3", "one.txt": "4", other: "5" },
  { "src/a": "1", "src/l": { target: "a" }, "src/e": { directory: true }, "one.txt": "1", "two.txt": "1", other: "5" },
  {
    "src/a": { text: "1", hardLink: "i" },
    "src/b": { text: "1", hardLink: "i" },
    "s/x": "1",
    "one.txt": "1",
    other: "5",
  },
];

const ignoreFiles = ["other\n", "*.log\n", "src/b\n", "**/c\n", "*\n!src\n!one.txt\n"];

const name = fc.constantFrom("A", "B", "C");
const value = fc.constantFrom("1", "2", "x y");

/** A stage; `from` counts back to an earlier one, modulo how many there are, or is an image. */
function stageModel(): fc.Arbitrary<StageModel> {
  return fc.record({
    from: fc.constantFrom<StageModel["from"][]>("base", "base", "other", 0, 1),
    instructions: fc.array(fc.oneof(command(), command(), setting(), copying()), { minLength: 1, maxLength: 5 }),
  });
}

/** `#` stands for a number that no other instruction of the file has, `@` for an earlier stage or an image. */
function command(): fc.Arbitrary<string> {
  return fc.constantFrom(
    "RUN echo 1 > /tmp/r#",
    "RUN echo $A$B > /tmp/r#",
    'RUN ["/bin/sh", "-c", "echo exec > /tmp/r#"]',
    "RUN --mount=type=bind,source=src,target=/mnt cat /mnt/a > /tmp/r#",
    "RUN --mount=type=bind,target=/mnt ls /mnt/src > /tmp/r#",
    "RUN --mount=type=bind,source=src,target=/mnt,rw ls /mnt > /tmp/r#",
    "RUN --mount=type=cache,target=/cache true",
    "RUN --mount=type=tmpfs,target=/scratch echo 1 > /tmp/r#",
    "RUN --mount=type=secret,id=none true",
    "RUN --mount=from=@,source=/etc,target=/mnt ls /mnt > /tmp/r#",
  );
}

function setting(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.tuple(name, value).map(([one, text]) => `ENV ${one}="${text}"`),
    fc.tuple(name, name, value).map(([one, two, text]) => `ENV ${one}="${text}" ${two}="${text}"`),
    fc.tuple(name, value).map(([one, text]) => `ARG ${one}="${text}"`),
    name.map((one) => `ARG ${one}`),
    fc.constantFrom(
      "USER 1",
      "USER root",
      "WORKDIR /w#",
      "WORKDIR sub",
      "WORKDIR /w$A",
      'SHELL ["/bin/sh", "-ec"]',
      "LABEL a=b",
      'CMD ["x"]',
      "EXPOSE 80",
    ),
  );
}

function copying(): fc.Arbitrary<string> {
  const flags = fc.constantFrom("", "", "--chown=1:2 ", "--chmod=700 ");
  const sources = fc.constantFrom("src", "src/", "./src/a", ".", "one.txt", "*.txt", "s*", "src one.txt", "src/[a-b]");
  return fc.oneof(
    fc.tuple(fc.constantFrom("COPY", "ADD"), flags, sources).map(([word, flag, from]) => `${word} ${flag}${from} /c#/`),
    fc.constantFrom("COPY one.txt /t$A/", "COPY --from=@ /etc/passwd /f#", "COPY --from=@ /etc /f#/", "COPY src dir#"),
  );
}

function editModel(): fc.Arbitrary<Edit> {
  return fc.record({
    kind: fc.constantFrom(...editKinds),
    which: fc.nat(),
    text: value,
    command: fc.oneof(command(), setting(), copying()),
  });
}
