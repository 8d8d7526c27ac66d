// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EvaluationInput, evaluated } from "../../test/evaluated.ts";
import { expandWord } from "../dockerfile/expand.ts";
import { parseDockerfile } from "../dockerfile/parse.ts";
import { pinnedDockerfile, type Residual, type ResidualStart, residualOf, unchangedDockerfile } from "./residual.ts";

const pin = (name: string) => `docker.io/library/${name}@sha256:${"1".repeat(64)}`;
const begin: ResidualStart = { kind: "begin" };

describe("residualOf", () => {
  it("goes on behind the steps that are done, and keeps what files depend on", () => {
    const text = `FROM base
ENV A=1
RUN one
LABEL a=b
WORKDIR /app
USER 1000
SHELL ["/bin/bash", "-c"]
RUN two
CMD ["x"]
COPY . .
HEALTHCHECK NONE
STOPSIGNAL 9
VOLUME /v
EXPOSE 80
ENTRYPOINT ["e"]
ONBUILD RUN three
ENV B=2
`;

    const residual = residualFor(text, { 0: from("cache@sha256:1", 1) });

    expect(residual.text).toBe(`FROM cache@sha256:1 AS stage-0
WORKDIR /app
USER 1000
SHELL ["/bin/bash", "-c"]
RUN two
COPY . .
ENV B=2
`);
  });

  it("keeps numbers in --from right with stages that are empty", () => {
    const text = `FROM base AS one
RUN one
FROM base
RUN two
FROM base AS three
RUN three
FROM base
COPY --from=0 /a /a
COPY --from=1 /b /b
COPY --from=three /c /c
`;

    const residual = residualFor(text, { 1: begin, 3: from("cache@sha256:2", 1) });

    expect(residual.text).toBe(`FROM scratch AS one
FROM ${pin("base")} AS stage-1
RUN two
FROM scratch AS three
FROM cache@sha256:2 AS stage-3
COPY --from=1 /b /b
COPY --from=three /c /c
`);
    expect([...residual.names]).toEqual([
      [0, "one"],
      [1, "stage-1"],
      [2, "three"],
      [3, "stage-3"],
    ]);
  });

  it("ends with the last stage that is needed", () => {
    const residual = residualFor(
      "FROM base AS one\nRUN one\nFROM base AS two\nRUN two\n",
      { 0: begin },
      { target: "one" },
    );

    expect(residual.text).toBe(`FROM ${pin("base")} AS one\nRUN one\n`);
  });

  it("finds a name for a stage that another one does not have", () => {
    const residual = residualFor("FROM base AS stage-1\nFROM base\nRUN --mount=from=stage-1 x\n", {
      0: begin,
      1: begin,
    });

    expect(residual.text).toContain("AS stage-1-\n");
  });

  it("gives a stage that a later one takes the name of another name", () => {
    const text = `FROM base AS same
RUN one
FROM same AS same
RUN two
FROM base
COPY --from=same /x /x
`;

    const residual = residualFor(text, { 0: begin, 1: begin, 2: begin });

    expect(residual.text).toBe(`FROM ${pin("base")} AS stage-0
RUN one
FROM stage-0 AS same
RUN two
FROM ${pin("base")} AS stage-2
COPY --from=same /x /x
`);
  });

  it("starts stages from stages and from scratch", () => {
    const text = "FROM scratch AS empty\nCOPY a /a\nFROM empty\nRUN x\n";

    expect(residualFor(text, { 0: begin, 1: begin }).text).toBe(
      "FROM scratch AS empty\nCOPY a /a\nFROM empty AS stage-1\nRUN x\n",
    );
  });

  it("keeps what was said before the first FROM, and the platform of a stage", () => {
    const text = `# syntax=docker/dockerfile:1.4
# escape=\`
# check=skip=all

ARG BASE=base
ARG KIND="a b" \`
  OTHER
FROM --platform=$BUILDPLATFORM \${BASE} AS builder
ARG KIND
RUN x
`;

    expect(residualFor(text, { 0: begin }).text).toBe(`# syntax=docker/dockerfile:1.4
# escape=\`
ARG BASE=base
ARG KIND="a b" \`
  OTHER
FROM --platform=$BUILDPLATFORM ${pin("base")} AS builder
ARG KIND
RUN x
`);
  });

  it("keeps continuations, comments and here-documents of an instruction as they are", () => {
    const run = `RUN --mount=type=cache,target=/c \\
  # why
  one && \\

  two <<EOF
\ttext $A
# no comment
EOF`;

    expect(residualFor(`FROM base\nRUN first\n${run}\nCMD x\n`, { 0: from("c@sha256:3", 1) }).text).toBe(
      `FROM c@sha256:3 AS stage-0\n${run}\n`,
    );
  });

  it("does not repeat what an ONBUILD of the base does, unless it goes on in the middle of it", () => {
    const bases = { base: { config: { OnBuild: ["RUN trigger", "COPY . /t"] } } };
    const text = "FROM base\nRUN own\n";

    expect(residualFor(text, { 0: begin }, { bases }).text).toBe(`FROM ${pin("base")} AS stage-0\nRUN own\n`);
    expect(residualFor(text, { 0: from("c@sha256:4", 1) }, { bases }).text).toBe(
      "FROM c@sha256:4 AS stage-0\nCOPY . /t\nRUN own\n",
    );
  });

  it("repeats what an ONBUILD of a stage does, as that stage has none any more", () => {
    const text = "FROM base AS one\nONBUILD RUN trigger\nRUN one\nFROM one\nRUN two\n";

    expect(residualFor(text, { 0: begin, 1: begin }).text).toBe(
      `FROM ${pin("base")} AS one\nRUN one\nFROM one AS stage-1\nRUN trigger\nRUN two\n`,
    );
  });

  it("says what the engine executes of each stage, and whether the base counts", () => {
    const text = "FROM base AS one\nRUN one\nRUN two\nFROM one\nWORKDIR /w\nFROM scratch\nCOPY --from=1 / /\n";

    const { executed } = residualFor(text, { 0: from("c@sha256:5", 1), 1: begin, 2: begin });

    const shown = [...executed].map(([stage, { countsBase, first, steps }]) => ({
      stage,
      countsBase,
      first,
      steps: steps.map((step) => step.text),
    }));
    expect(shown).toEqual([
      { stage: 0, countsBase: true, first: 1, steps: ["RUN two"] },
      { stage: 1, countsBase: false, first: 0, steps: ["WORKDIR /w"] },
      { stage: 2, countsBase: false, first: 0, steps: ["COPY --from=1 / /"] },
    ]);
  });

  it("declares arguments again so that they have exactly the value that they had", () => {
    const value = fc.oneof(
      fc.string(),
      fc.string({ unit: "grapheme" }),
      fc.stringMatching(/^["'\\`$ {}=#<>a-]{0,12}$/),
      fc.constantFrom(
        "",
        " ",
        "'",
        '"',
        "\\",
        "a\\",
        "`",
        "$A",
        "$" + "{A:-b}",
        "a=b",
        "#",
        "<<EOF",
        "\t",
        "\u00a0",
        "\u0085",
        "\v",
      ),
    );
    fc.assert(
      fc.property(
        fc.array(
          value.filter((text) => !/[\r\n\0]/.test(text)),
          { minLength: 1, maxLength: 3 },
        ),
        fc.constantFrom("\\", "`"),
        (values, mark) => {
          const args = values.map((text, index) => ({ name: `ARG_${index}`, value: text }));
          const head = mark === "`" ? "# escape=`\n" : "";

          const { text } = residualFor(`${head}FROM base\nRUN one\nRUN two\n`, { 0: from("c@sha256:6", 1, args) });

          const [stage] = parseDockerfile(text, "Dockerfile").stages;
          const declared = stage?.instructions.flatMap((one) => (one.kind === "arg" ? one.declarations : [])) ?? [];
          expect(
            declared.map(({ name, value: word }) => ({
              name,
              value: expandWord(word ?? "?", new Map(), { escape: mark }),
            })),
          ).toEqual(args);
          expect(stage?.instructions.at(-1)).toMatchObject({ kind: "run", text: "RUN two" });
        },
      ),
      { numRuns: 400 },
    );
  });

  it("leaves values of the command line to the command line", () => {
    const args = [
      { name: "SECRET", value: undefined },
      { name: "OTHER", value: "it's" },
    ];

    expect(residualFor("FROM base\nRUN one\nRUN two\n", { 0: from("c@sha256:7", 1, args) }).text).toBe(
      `FROM c@sha256:7 AS stage-0\nARG SECRET\nARG OTHER='it'"'"'s'\nRUN two\n`,
    );
  });

  it("can be read again, and says the same then", () => {
    const text = `FROM base AS one\nARG A=1\nRUN echo $A \\\n && x\nFROM base\nCOPY --from=one --chown=1:2 /a /b\nRUN <<EOF\nx\nEOF\n`;

    const residual = residualFor(text, { 0: begin, 1: begin });
    const again = residualFor(residual.text.replaceAll(pin("base"), "base"), { 0: begin, 1: begin });

    expect(again.text).toBe(residual.text);
  });
});

describe("pins in what is left", () => {
  const mounts =
    "RUN --mount=type=bind,from=alpine,target=/a --mount=from=alpine:3.18,target=/b echo from=alpine --mount=from=alpine";

  it.each([
    {
      what: "COPY --from",
      source: "COPY --from=alpine /from=alpine /b",
      pinned: `COPY --from=${pin("alpine")} /from=alpine /b`,
    },
    {
      what: "COPY --from in quotes",
      source: 'COPY --from="alpine" /a /b',
      pinned: `COPY --from="${pin("alpine")}" /a /b`,
    },
    {
      what: "COPY --from behind other flags",
      source: "COPY --link --chown=a:b  --from=alpine /a /b",
      pinned: `COPY --link --chown=a:b  --from=${pin("alpine")} /a /b`,
    },
    {
      what: "mounts, and not the command",
      source: mounts,
      pinned: `RUN --mount=type=bind,from=${pin("alpine")},target=/a --mount=from=${pin("alpine:3.18")},target=/b echo from=alpine --mount=from=alpine`,
    },
    {
      what: "mounts with names of which one begins the other",
      source: "RUN --mount=from=alpine:3.18,target=/b --mount=from=alpine,target=/a x",
      pinned: `RUN --mount=from=${pin("alpine:3.18")},target=/b --mount=from=${pin("alpine")},target=/a x`,
    },
    {
      what: "the same image twice",
      source: "RUN --mount=from=alpine,target=/a --mount=from=alpine,target=/b x",
      pinned: `RUN --mount=from=${pin("alpine")},target=/a --mount=from=${pin("alpine")},target=/b x`,
    },
    {
      what: "the last field of a mount",
      source: "RUN --mount=target=/a,from=alpine x",
      pinned: `RUN --mount=target=/a,from=${pin("alpine")} x`,
    },
    {
      what: "a mount in quotes",
      source: 'RUN --mount="type=bind,from=alpine,target=/a b" x',
      pinned: `RUN --mount="type=bind,from=${pin("alpine")},target=/a b" x`,
    },
    {
      what: "mounts on lines of their own, with comments",
      source:
        "RUN --mount=from=alpine,target=/a \\\n  # it's from=alpine\n\n  --mount=type=bind,\\\nfrom=alpine,target=/b \\\n  x from=alpine",
      pinned: `RUN --mount=from=${pin("alpine")},target=/a \\\n  # it's from=alpine\n\n  --mount=type=bind,\\\nfrom=${pin("alpine")},target=/b \\\n  x from=alpine`,
    },
    {
      what: "a path that reads like a field",
      source: "RUN --mount=type=bind,source=/from=alpine,from=alpine x",
      pinned: `RUN --mount=type=bind,source=/from=alpine,from=${pin("alpine")} x`,
    },
    {
      what: "no command that has no mount",
      source: "RUN echo --mount=from=alpine",
      pinned: "RUN echo --mount=from=alpine",
    },
    {
      what: "no here-document",
      source: "RUN --mount=from=alpine,target=/a <<EOF\n--mount=from=alpine\nEOF",
      pinned: `RUN --mount=from=${pin("alpine")},target=/a <<EOF\n--mount=from=alpine\nEOF`,
    },
    {
      what: "no image that was not looked up",
      source: "COPY --from=busybox /a /b",
      pinned: "COPY --from=busybox /a /b",
    },
  ])("concern $what", ({ source, pinned }) => {
    const text = `FROM base\n${source}\n`;

    // A comment between flags may be pinned too; it says nothing to the engine.
    const comments = (residual: Residual) => residual.text.replace(/# it's from=\S+/, "# it's from=alpine");

    expect(comments(residualFor(text, { 0: begin }))).toBe(`FROM ${pin("base")} AS stage-0\n${pinned}\n`);
    expect(comments(pinnedFor(text))).toBe(`FROM ${pin("base")} AS stage-0\n${pinned}\n`);
  });

  it("leave alone a stage that has the name of an image", () => {
    const text =
      "FROM alpine AS alpine\nRUN one\nFROM base\nCOPY --from=alpine /a /b\nRUN --mount=from=alpine,target=/a x\n";

    expect(pinnedFor(text).text).toBe(
      `FROM ${pin("alpine")} AS alpine\nRUN one\nFROM ${pin("base")} AS stage-1\nCOPY --from=alpine /a /b\nRUN --mount=from=alpine,target=/a x\n`,
    );
  });

  it("follow the escape character of the file", () => {
    const text =
      "# escape=`\nFROM base\nRUN --mount=from=alpine,target=C:\\a `\n --mount=from=alpine,target=b `\n x from=alpine\n";

    expect(pinnedFor(text).text).toBe(
      `# escape=\`\nFROM ${pin("base")} AS stage-0\nRUN --mount=from=${pin("alpine")},target=C:\\a \`\n --mount=from=${pin("alpine")},target=b \`\n x from=alpine\n`,
    );
  });
});

describe("pinnedDockerfile", () => {
  const text = `# syntax=docker/dockerfile:1
# a comment

ARG BASE=base

FROM \\
  # which
  $BASE \\
  AS Builder
LABEL a=b
RUN one

  from   base
COPY --from=builder /a /a
FROM other
COPY --from=1 /a /a
`;

  it("keeps every line where it is", () => {
    const pinned = pinnedFor(text);

    expect(pinned.text).toBe(`# syntax=docker/dockerfile:1
# a comment

ARG BASE=base

FROM ${pin("base")} AS builder



LABEL a=b
RUN one

FROM ${pin("base")} AS stage-1
COPY --from=builder /a /a
FROM ${pin("other")} AS stage-2
COPY --from=1 /a /a
`);
  });

  it("leaves stages alone that the target does not need", () => {
    const pinned = pinnedFor(text, { target: "builder" });

    expect(pinned.text.split("\n").slice(9)).toEqual(text.split("\n").slice(9));
    expect([...pinned.executed.keys()]).toEqual([0]);
  });

  it("reads as the same instructions on the same lines", () => {
    const [before, after] = [text, pinnedFor(text).text].map((one) => parseDockerfile(one, "Dockerfile").stages);

    const lines = (stages: typeof before) =>
      stages?.map(({ from: { at }, instructions }) => [
        at.start.line,
        ...instructions.map((one) => [one.kind, one.at.start.line]),
      ]);
    expect(lines(after)).toEqual(lines(before));
  });
});

describe("unchangedDockerfile", () => {
  it("knows only names that an engine can be asked for", () => {
    const text = "FROM base AS same\nRUN one\nFROM base\nRUN two\nFROM base AS same\nRUN three\n";

    const residual = unchangedDockerfile(evaluated(text));

    expect(residual.text).toBe(text);
    expect([...residual.names]).toEqual([[2, "same"]]);
  });
});

function from(
  reference: string,
  done: number,
  args: readonly { name: string; value: string | undefined }[] = [],
): ResidualStart {
  return { kind: "image", reference, done, args };
}

const pins = new Map(["base", "other", "alpine", "alpine:3.18"].map((name) => [name, pin(name)]));

function residualFor(
  text: string,
  starts: Readonly<Record<number, ResidualStart>>,
  input: EvaluationInput = {},
): Residual {
  const entries = Object.entries(starts).map(([stage, start]) => [Number(stage), start] as const);
  return residualOf({ ...evaluated(text, input), starts: new Map(entries), pins });
}

function pinnedFor(text: string, input: EvaluationInput = {}): Residual {
  return pinnedDockerfile({ ...evaluated(text, input), pins });
}
