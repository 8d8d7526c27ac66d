// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { type DraftInput, draft } from "../../test/draft.ts";
import { orderedRuntime, type RuntimeConfig } from "../spec/image-config.ts";
import { Refusal } from "./refusal.ts";

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** What the last instructions of a Dockerfile make of the base's config. */
interface ConfigCase {
  readonly what: string;
  readonly lines: string;
  readonly base?: RuntimeConfig;
  readonly args?: Readonly<Record<string, string>>;
  readonly config: RuntimeConfig;
}

const configs: readonly ConfigCase[] = [
  { what: "gives a base without PATH the usual one", lines: "", config: { Env: [path] } },
  { what: "keeps the PATH of the base", lines: "", base: { Env: ["PATH=/x"] }, config: { Env: ["PATH=/x"] } },
  {
    what: "expands all pairs of an ENV with what held before it",
    lines: "ENV A=1\nENV A=2 B=$A",
    config: { Env: [path, "A=2", "B=1"] },
  },
  {
    what: "keeps a variable's place when it changes",
    lines: "ENV A=1 B=2\nENV A=3",
    config: { Env: [path, "A=3", "B=2"] },
  },
  { what: "keeps an ARG out of the config", lines: "ARG A=1\nENV B=$A", config: { Env: [path, "B=1"] } },
  {
    what: "takes a build argument before the default",
    lines: "ARG A=1\nENV B=$A",
    args: { A: "9" },
    config: { Env: [path, "B=9"] },
  },
  {
    what: "ignores a build argument that is not declared",
    lines: "ENV B=x$A",
    args: { A: "9" },
    config: { Env: [path, "B=x"] },
  },
  {
    what: "lets an ARG hide an ENV of the same name for what follows",
    lines: "ENV A=1\nARG A=2\nENV B=$A",
    config: { Env: [path, "A=1", "B=2"] },
  },
  {
    what: "has the platform in its own arguments",
    lines: "ARG TARGETARCH\nENV B=$TARGETARCH",
    config: { Env: [path, "B=amd64"] },
  },
  {
    what: "joins a relative WORKDIR to the one before",
    lines: "WORKDIR /a\nWORKDIR b/../c",
    config: { Env: [path], WorkingDir: "/a/c" },
  },
  {
    what: "keeps an absolute WORKDIR as written",
    lines: "WORKDIR /a//b/",
    config: { Env: [path], WorkingDir: "/a//b/" },
  },
  {
    what: "wraps a shell form in the shell",
    lines: "CMD run it",
    config: { Env: [path], Cmd: ["/bin/sh", "-c", "run it"], ArgsEscaped: true },
  },
  {
    what: "wraps a shell form in a shell of its own",
    lines: 'SHELL ["/bin/bash", "-lc"]\nENTRYPOINT run',
    config: { Env: [path], Shell: ["/bin/bash", "-lc"], Entrypoint: ["/bin/bash", "-lc", "run"] },
  },
  {
    what: "drops an inherited CMD with ENTRYPOINT",
    lines: 'ENTRYPOINT ["e"]',
    base: { Cmd: ["inherited"] },
    config: { Env: [path], Entrypoint: ["e"] },
  },
  {
    what: "keeps a CMD that the stage itself has set",
    lines: 'CMD ["c"]\nENTRYPOINT ["e"]',
    config: { Env: [path], Entrypoint: ["e"], Cmd: ["c"], ArgsEscaped: true },
  },
  {
    what: "expands LABEL, USER, VOLUME and STOPSIGNAL",
    lines: "ARG A=x\nLABEL $A=$A\nUSER $A\nVOLUME /$A\nSTOPSIGNAL SIGTERM",
    config: { Env: [path], Labels: { x: "x" }, User: "x", Volumes: { "/x": {} }, StopSignal: "SIGTERM" },
  },
  {
    what: "adds to labels and volumes of the base",
    lines: "LABEL b=2\nVOLUME /b",
    base: { Labels: { a: "1" }, Volumes: { "/a": {} } },
    config: { Env: [path], Labels: { a: "1", b: "2" }, Volumes: { "/a": {}, "/b": {} } },
  },
  {
    what: "reads ranges and protocols of EXPOSE",
    lines: "EXPOSE 80 90-91/UDP",
    config: { Env: [path], ExposedPorts: { "80/tcp": {}, "90/udp": {}, "91/udp": {} } },
  },
  {
    what: "reads HEALTHCHECK in nanoseconds",
    lines: "HEALTHCHECK --interval=1m --retries=3 CMD curl x",
    config: { Env: [path], Healthcheck: { Test: ["CMD-SHELL", "curl x"], Interval: 60_000_000_000, Retries: 3 } },
  },
  {
    what: "turns HEALTHCHECK off",
    lines: "HEALTHCHECK NONE",
    base: { Healthcheck: { Test: ["CMD", "x"] } },
    config: { Env: [path], Healthcheck: { Test: ["NONE"] } },
  },
  {
    what: "keeps ONBUILD for later",
    lines: "ONBUILD RUN x\nONBUILD COPY a b",
    config: { Env: [path], OnBuild: ["RUN x", "COPY a b"] },
  },
  {
    what: "applies ONBUILD of the base and forgets it",
    lines: "",
    base: { OnBuild: ["ENV A=1"] },
    config: { Env: [path, "A=1"] },
  },
];

function refusalOf(input: DraftInput): string | undefined {
  try {
    draft(input);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return `${error.scope}: ${error.reason.name}`;
    throw error;
  }
}

describe("evaluateStages", () => {
  it.each(configs)("$what", ({ lines, base, args, config }) => {
    const { chain } = draft({
      dockerfile: `FROM base\n${lines}\n`,
      base: { config: base ?? {} },
      buildArgs: args ?? {},
    });

    expect(orderedRuntime(chain.final.config)).toEqual(orderedRuntime(config));
  });

  it("starts FROM scratch with a root directory and the usual PATH", () => {
    const { chain } = draft({ dockerfile: "FROM scratch\nCOPY a /\n", files: { a: "" } });

    expect(orderedRuntime(chain.final.config)).toEqual({ Env: [path], WorkingDir: "/" });
  });

  it("hands a stage's config and environment on to a stage that starts from it", () => {
    const dockerfile =
      'FROM base AS one\nARG A=1\nENV B=2\nUSER u\nCMD ["c"]\nFROM one\nENV C=$A$B\nENTRYPOINT ["e"]\n';

    const { chain } = draft({ dockerfile });

    expect(orderedRuntime(chain.final.config)).toEqual({
      User: "u",
      Env: [path, "B=2", "C=12"],
      Entrypoint: ["e"],
      // BuildKit sets it with CMD and never takes it back.
      ArgsEscaped: true,
    });
  });

  it("sets the variables of the config again in a stage that starts from a stage", () => {
    const dockerfile = "FROM base AS one\nENV A=1 B=1\nARG C=1\nARG A=2\nRUN one\nFROM one\nRUN two\n";

    const { chain } = draft({ dockerfile, base: { config: { Env: ["PATH=/x"] } } });

    expect(chain.steps.map(({ step }) => [...step.before.environment].map((pair) => pair.join("=")))).toEqual([
      ["PATH=/x", "B=1", "C=1", "A=2"],
      ["C=1", "PATH=/x", "A=1", "B=1"],
    ]);
  });

  it("has a step for each instruction that makes a layer, none for WORKDIR /", () => {
    const dockerfile = "FROM base\nRUN a\nENV A=1\nCOPY x /\nWORKDIR /\nWORKDIR /w\nADD x /\nLABEL a=b\n";

    const { chain } = draft({ dockerfile, files: { x: "" } });

    expect(chain.steps.map(({ step }) => step.kind)).toEqual(["run", "copy", "workdir", "add"]);
    expect(chain.history.map(({ layer }) => layer)).toEqual([0, undefined, 1, undefined, 2, 3, undefined]);
  });

  it("makes destinations absolute, with a slash where a directory is meant", () => {
    const dockerfile = "FROM base\nWORKDIR /w\nCOPY x .\nCOPY x y\nCOPY x y/\nCOPY x /z/../q/\nCOPY x /\n";

    const { chain } = draft({ dockerfile, files: { x: "" } });

    const destinations = chain.steps.flatMap(({ step }) => (step.kind === "copy" ? [step.destination] : []));
    expect(destinations).toEqual(["/w/", "/w/y", "/w/y/", "/q/", "/"]);
  });

  it.each([
    ["a flag that it does not know", "FROM base\nHEALTHCHECK --new=1 CMD x\n", "whole: flag-unknown"],
    ["EXPOSE with a host port", "FROM base\nEXPOSE 1:2\n", "whole: instruction-form"],
    ["a signal that Docker does not know", "FROM base\nSTOPSIGNAL SIGWHAT\n", "whole: instruction-form"],
    ["an ARG default that uses one of the same instruction", "FROM base\nARG A=1 B=$A\n", "whole: instruction-form"],
    ["an ARG that has the target's name", "FROM base\nARG TARGETSTAGE\n", "whole: instruction-form"],
    ["an ARG that only new front ends set", "ARG A=$TARGETOSVERSION\nFROM base\n", "whole: instruction-form"],
    ["a base that is named after the target", "FROM ${TARGETSTAGE}\n", "whole: instruction-form"],
    ["a base that cannot be read", "FROM unknown\n", "whole: base-unreadable"],
    ["a platform without an architecture", "FROM --platform=linux base\n", "whole: base-platform"],
  ])("leaves to the engine %s", (_, dockerfile, refusal) => {
    expect(refusalOf({ dockerfile })).toBe(refusal);
  });

  it("leaves to the engine a base whose ONBUILD copies from a stage", () => {
    const base = { config: { OnBuild: ["COPY --from=x /a /b"] } };

    expect(refusalOf({ dockerfile: "FROM base\n", base })).toBe("whole: onbuild-reads-stage");
  });

  it("refuses to copy a here-document whose bytes are lost", () => {
    const build = (name: string) => draft({ dockerfile: `FROM base\nCOPY <<${name} /x\n\ufffd\nE\n` });

    expect(() => build('"E"')).toThrow("could not copy the here-document E: it holds bytes that are no UTF-8");
    expect(build("E").key).not.toBe("none");
  });

  it("leaves to the engine a base whose working directory is relative", () => {
    const base = { config: { WorkingDir: "srv" } };

    expect(refusalOf({ dockerfile: "FROM base\n", base })).toBe("whole: instruction-form");
  });

  it("says where a word cannot be expanded", () => {
    expect(() => draft({ dockerfile: "FROM base\nENV A=${B:?is needed}\n" })).toThrow(
      expect.objectContaining({
        code: "DOCKERFILE_SYNTAX",
        at: expect.objectContaining({ start: expect.objectContaining({ line: 2 }) }),
      }),
    );
  });
});
