// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { amd64, type DraftInput, draft } from "../../test/draft.ts";
import { digestOf } from "../spec/digest.ts";

/** One change to a build, and whether the key of its last instruction must change. docs/cache-key.md lists them all. */
interface Change {
  readonly what: string;
  readonly from: DraftInput;
  readonly to: Partial<DraftInput>;
}

const run: DraftInput = { dockerfile: "FROM base\nRUN make\n" };
const copy: DraftInput = {
  dockerfile: "FROM base\nCOPY src /app/\n",
  files: { "src/a": "1", "src/b": "2", other: "3" },
};
const workdir: DraftInput = { dockerfile: "FROM base\nWORKDIR /app\n" };
const stages = (text: string): DraftInput => ({
  dockerfile: `FROM base AS one\nRUN ${text}\nFROM base\nCOPY --from=one /x /y\n`,
});

const inputs: readonly Change[] = [
  { what: "the layers of the base", from: run, to: { base: { diffIds: [digestOf("other layer")] } } },
  { what: "the platform", from: run, to: { platform: { os: "linux", architecture: "arm64" } } },
  { what: "an instruction before it", from: run, to: { dockerfile: "FROM base\nRUN first\nRUN make\n" } },
  { what: "the command of a RUN", from: run, to: { dockerfile: "FROM base\nRUN make all\n" } },
  { what: "exec form instead of shell form", from: run, to: { dockerfile: 'FROM base\nRUN ["make"]\n' } },
  { what: "the shell of a RUN", from: run, to: { dockerfile: 'FROM base\nSHELL ["/bin/bash", "-c"]\nRUN make\n' } },
  { what: "an ENV before a RUN", from: run, to: { dockerfile: "FROM base\nENV A=1\nRUN make\n" } },
  { what: "an ENV of the base", from: run, to: { base: { config: { Env: ["A=1"] } } } },
  { what: "the user of the base", from: run, to: { base: { config: { User: "app" } } } },
  { what: "the directory of the base", from: run, to: { base: { config: { WorkingDir: "/srv" } } } },
  { what: "a USER before a RUN", from: run, to: { dockerfile: "FROM base\nUSER app\nRUN make\n" } },
  {
    what: "an ARG that the RUN does not even use",
    from: { dockerfile: "FROM base\nARG A=1\nRUN make\n" },
    to: { buildArgs: { A: "2" } },
  },
  {
    what: "a global ARG that the stage takes over",
    from: { dockerfile: "ARG A=1\nFROM base\nARG A\nRUN make\n" },
    to: { buildArgs: { A: "2" } },
  },
  { what: "the network of a RUN", from: run, to: { dockerfile: "FROM base\nRUN --network=none make\n" } },
  { what: "the security mode of a RUN", from: run, to: { dockerfile: "FROM base\nRUN --security=insecure make\n" } },
  { what: "the network of all RUNs", from: run, to: { runOptions: ["--network=host"] } },
  {
    what: "a here-document's content",
    from: { dockerfile: "FROM base\nRUN <<E\na\nE\n" },
    to: { dockerfile: "FROM base\nRUN <<E\nb\nE\n" },
  },
  {
    what: "the target of a cache mount",
    from: { dockerfile: "FROM base\nRUN --mount=type=cache,target=/a make\n" },
    to: { dockerfile: "FROM base\nRUN --mount=type=cache,target=/b make\n" },
  },
  {
    what: "the name of a secret",
    from: { dockerfile: "FROM base\nRUN --mount=type=secret,id=a make\n" },
    to: { dockerfile: "FROM base\nRUN --mount=type=secret,id=b make\n" },
  },
  {
    what: "a file in a bind mount",
    from: { dockerfile: "FROM base\nRUN --mount=type=bind,source=src,target=/src make\n", files: { "src/a": "1" } },
    to: { files: { "src/a": "2" } },
  },
  { what: "a file's content", from: copy, to: { files: { "src/a": "changed", "src/b": "2", other: "3" } } },
  { what: "a file's name", from: copy, to: { files: { "src/c": "1", "src/b": "2", other: "3" } } },
  {
    what: "a file's mode",
    from: copy,
    to: { files: { "src/a": { text: "1", mode: 0o755 }, "src/b": "2", other: "3" } },
  },
  { what: "a file more", from: copy, to: { files: { "src/a": "1", "src/b": "2", "src/c": "", other: "3" } } },
  { what: "a file less", from: copy, to: { files: { "src/a": "1", other: "3" } } },
  { what: "a file's type", from: copy, to: { files: { "src/a": { target: "1" }, "src/b": "2", other: "3" } } },
  {
    what: "a link's target",
    from: { ...copy, files: { "src/l": { target: "a" } } },
    to: { files: { "src/l": { target: "b" } } },
  },
  {
    what: "the mode of a directory below the source",
    from: { ...copy, files: { "src/d": { directory: true } } },
    to: { files: { "src/d": { directory: true, mode: 0o700 } } },
  },
  {
    what: "an empty directory",
    from: copy,
    to: { files: { "src/a": "1", "src/b": "2", "src/d": { directory: true } } },
  },
  { what: "an ignore rule that takes a file away", from: copy, to: { ignore: "src/b\n" } },
  { what: "the destination", from: copy, to: { dockerfile: "FROM base\nCOPY src /other/\n" } },
  { what: "the destination's final slash", from: copy, to: { dockerfile: "FROM base\nCOPY src /app\n" } },
  {
    what: "the directory that a relative destination is in",
    from: { ...copy, dockerfile: "FROM base\nCOPY src app/\n" },
    to: { base: { config: { WorkingDir: "/srv" } } },
  },
  { what: "--chown", from: copy, to: { dockerfile: "FROM base\nCOPY --chown=1 src /app/\n" } },
  { what: "--chmod", from: copy, to: { dockerfile: "FROM base\nCOPY --chmod=700 src /app/\n" } },
  { what: "--link", from: copy, to: { dockerfile: "FROM base\nCOPY --link src /app/\n" } },
  { what: "ADD instead of COPY", from: copy, to: { dockerfile: "FROM base\nADD src /app/\n" } },
  {
    what: "a variable in the source",
    from: { dockerfile: "FROM base\nARG D=a\nCOPY $D /x\n", files: { a: "1", b: "1" } },
    to: { buildArgs: { D: "b" } },
  },
  { what: "what a stage executes that is copied from", from: stages("one"), to: stages("two") },
  {
    what: "the path that is copied from a stage",
    from: stages("one"),
    to: { dockerfile: "FROM base AS one\nRUN one\nFROM base\nCOPY --from=one /z /y\n" },
  },
  {
    what: "an owner in a context that came as a tar",
    from: { ...copy, files: { "src/a": { text: "1", uid: 5 } } },
    to: { files: { "src/a": { text: "1", uid: 6 } } },
  },
  {
    what: "hard links becoming two files",
    from: { ...copy, files: { "src/a": { text: "1", hardLink: "i" }, "src/b": { text: "1", hardLink: "i" } } },
    to: { files: { "src/a": "1", "src/b": "1" } },
  },
  { what: "the path of a WORKDIR", from: workdir, to: { dockerfile: "FROM base\nWORKDIR /other\n" } },
  { what: "the user of a WORKDIR", from: workdir, to: { dockerfile: "FROM base\nUSER app\nWORKDIR /app\n" } },
];

const nonInputs: readonly Change[] = [
  {
    what: "the time of a file",
    from: copy,
    to: { files: { "src/a": { text: "1", mtime: 99 }, "src/b": "2", other: "3" } },
  },
  { what: "a file that is not selected", from: copy, to: { files: { "src/a": "1", "src/b": "2", other: "changed" } } },
  { what: "an ignore rule that changes nothing selected", from: copy, to: { ignore: "other\n*.log\n" } },
  { what: "an ENV before a COPY", from: copy, to: { dockerfile: "FROM base\nENV A=1\nCOPY src /app/\n" } },
  { what: "a USER before a COPY", from: copy, to: { dockerfile: "FROM base\nUSER app\nCOPY src /app/\n" } },
  { what: "an ARG before a COPY", from: copy, to: { dockerfile: "FROM base\nARG A=1\nCOPY src /app/\n" } },
  {
    what: "labels and commands",
    from: run,
    to: { dockerfile: 'FROM base\nLABEL a=b\nCMD ["x"]\nEXPOSE 80\nRUN make\n' },
  },
  { what: "labels and commands of the base", from: run, to: { base: { config: { Labels: { a: "b" }, Cmd: ["x"] } } } },
  {
    what: "a global ARG that the stage does not take over",
    from: run,
    to: { dockerfile: "ARG A=1\nFROM base\nRUN make\n" },
  },
  { what: "a build argument that nothing declares", from: run, to: { buildArgs: { A: "1" } } },
  { what: "a proxy", from: run, to: { buildArgs: { HTTP_PROXY: "http://proxy" } } },
  { what: "comments and continuation lines", from: run, to: { dockerfile: "# hi\nFROM base\nRUN \\\n  make\n" } },
  { what: "what follows", from: run, to: { dockerfile: "FROM base\nRUN make\nLABEL a=b\n" } },
  { what: "a stage's name", from: run, to: { dockerfile: "FROM base AS x\nRUN make\n" } },
  { what: "a stage that is not needed", from: run, to: { dockerfile: "FROM base AS x\nRUN y\nFROM base\nRUN make\n" } },
  {
    what: "the history and times of the base",
    from: run,
    to: { base: { created: "2001-01-01T00:00:00Z", history: [{ created_by: "other" }] } },
  },
  {
    what: "the shell, for exec form",
    from: { dockerfile: 'FROM base\nRUN ["make"]\n' },
    to: { dockerfile: 'FROM base\nSHELL ["/bin/bash", "-c"]\nRUN ["make"]\n' },
  },
  {
    what: "the mode of the source directory itself",
    from: { ...copy, files: { src: { directory: true, mode: 0o755 }, "src/a": "1" } },
    to: { files: { src: { directory: true, mode: 0o700 }, "src/a": "1" } },
  },
  {
    what: "ENV that comes to the same",
    from: { dockerfile: "FROM base\nENV A=1 B=2\nRUN make\n" },
    to: { dockerfile: "FROM base\nENV B=2\nENV A=1\nRUN make\n" },
  },
];

describe("the key of a step", () => {
  it.each(inputs)("changes with $what", ({ from, to }) => {
    expect(draft({ ...from, ...to }).key).not.toBe(draft(from).key);
  });

  it.each(nonInputs)("does not change with $what", ({ from, to }) => {
    expect(draft({ ...from, ...to }).key).toBe(draft(from).key);
  });

  it("does not depend on the order in which files are found", () => {
    const paths = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}(\/[a-z]{1,3})?$/), { minLength: 1, maxLength: 8 });

    fc.assert(
      fc.property(paths, fc.infiniteStream(fc.nat()), (found, random) => {
        const usable = found.filter((path) => !found.some((other) => other.startsWith(`${path}/`)));
        const shuffled = usable
          .map((path) => ({ path, at: random.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ path }) => path);
        const filesOf = (list: readonly string[]) => Object.fromEntries(list.map((path) => [`src/${path}`, path]));
        const dockerfile = "FROM base\nCOPY src /app/\n";

        expect(draft({ dockerfile, files: filesOf(shuffled) }).key).toBe(
          draft({ dockerfile, files: filesOf(usable) }).key,
        );
      }),
    );
  });

  it("is missing, for the step and all after it, where nothing can stand for the result", () => {
    const { chain } = draft({ dockerfile: "FROM base\nRUN a\nRUN --new-flag=1 b\nRUN c\n" });

    expect(chain.steps.map(({ key }) => key !== undefined)).toEqual([true, false, false]);
  });

  it("is missing for what a URL gives, unless a checksum pins it", () => {
    const open = draft({ dockerfile: "FROM base\nADD https://example.test/x /x\n" });
    const pinned = draft({ dockerfile: `FROM base\nADD --checksum=${digestOf("x")} https://example.test/x /x\n` });

    expect(open.key).toBe("none");
    expect(pinned.key).not.toBe("none");
  });

  it("is missing for what copies from a stage without a key", () => {
    const { chain } = draft({
      dockerfile:
        "FROM base AS one\nADD https://example.test/x /x\nRUN --new-flag=1 b\nFROM base\nCOPY --from=one /x /y\n",
    });

    expect(chain.steps[0]?.key).toBeUndefined();
  });

  it("gives a stage without steps the key of its base", () => {
    const { chain, key } = draft({ dockerfile: "FROM base\nLABEL a=b\n", platform: amd64 });

    expect(key).toBe(chain.root.digest);
  });
});
