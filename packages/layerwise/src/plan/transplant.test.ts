// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { amd64, draft } from "../../test/draft.ts";
import { dir, file, link } from "../../test/layer-entries.ts";
import { digestOf } from "../spec/digest.ts";
import { mergeLayers } from "../spec/file-view.ts";
import { groupByDirectory, type LayerEntry, type LayerFiles } from "../spec/layer-files.ts";
import { decodeTransplant, encodeTransplant } from "../spec/transplant-document.ts";
import type { ChainStep } from "./chain.ts";
import { type LayerFile, openFileTree } from "./file-tree.ts";
import { openSource, recordSource, selectInLayers } from "./select-in-layers.ts";
import {
  copyFrom,
  layerDifference,
  mayTransplant,
  transplantKey,
  transplantLayer,
  transplantPositions,
} from "./transplant.ts";

/** What the stage holds that is copied from. */
const source: readonly LayerEntry[] = [
  dir("dist", 0o755),
  file("dist/index.html"),
  dir("dist/js", 0o750, 5, 6),
  { kind: "file", path: "dist/js/app.js", mode: 0o4755, uid: 7, gid: 8, mtime: 100 },
  link("dist/latest", "js/app.js"),
  dir("usr", 0o755),
  dir("usr/lib", 0o755),
  link("lib", "usr/lib"),
  file("usr/lib/one.so"),
  file("usr/lib/two.so"),
  link("usr/lib/current.so", "one.so"),
  { kind: "device", path: "usr/lib/null", mode: 0o666, uid: 0, gid: 0, mtime: 0 },
];

const passwd = "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n";

/** What is below the copy. */
const below: readonly LayerEntry[] = [
  dir("etc", 0o755),
  file("etc/passwd"),
  dir("app", 0o755),
  file("app/main"),
  dir("usr", 0o755),
  dir("usr/bin", 0o2775, 5, 6),
  link("bin", "usr/bin"),
];

describe("the files that a COPY --from selects", () => {
  it.each([
    ["/dist", ["dist"]],
    ["dist/*", ["index.html", "js", "latest"]],
    ["/lib/*.so", ["current.so", "one.so", "two.so"]],
    ["/usr/lib/current.so", ["current.so"]],
    ["/nothing*", []],
  ])("are those that %s means in its source", (word, names) => {
    const selected = selectInLayers(viewOf(source), stepOf(`COPY --from=web ${word} /x/`));

    expect(selected?.map(({ name }) => name)).toEqual(names);
  });

  it("have what a link leads to", () => {
    const selected = selectInLayers(viewOf(source), stepOf("COPY --from=web /lib/current.so /x/"));

    expect(selected?.map(({ entry }) => [entry.kind, entry.path])).toEqual([["file", "usr/lib/one.so"]]);
  });

  it.each(["/usr/lib", "/missing", "/usr/lib/null"])("are not certain for %s", (word) => {
    expect(selectInLayers(viewOf(source), stepOf(`COPY --from=web ${word} /x/`))).toBeUndefined();
  });
});

describe("a recorded layer", () => {
  it.each([
    ["nothing else is below", "COPY --from=web /dist /app/static", below],
    ["another file is below", "COPY --from=web /dist /app/static", [...below, file("app/other")]],
    ["the directory is there already", "COPY --from=web /dist /app/static", [...below, dir("app/static", 0o755)]],
    ["it replaces a file", "COPY --from=web /dist/index.html /app/", [...below, file("app/index.html")]],
    ["a directory is copied to the root", "COPY --from=web /dist /", below],
    ["the way there is a link", "COPY --from=web /usr/lib/one.so /bin/", below],
    ["wildcards find files", "COPY --from=web /usr/lib/t*.so /dist/index.html /new/", below],
    ["the owner has a name", "COPY --from=web --chown=app /dist /app/static", below],
  ])("is taken if %s", (_, instruction, now) => {
    expect(outcome(instruction, { before: below, now })).toBe("taken");
  });

  it.each([
    ["the destination became a link", [...below, link("app/static", "/usr")], "the recorded layer does not have /usr"],
    ["the destination became a file", [...below, file("app/static")], "/app/static is no directory"],
    [
      "a directory above has another mode",
      [...below, dir("app", 0o700)],
      "/app is a directory of mode 0755 and owner 0:0 in the recorded layer, and would be a directory of mode 0700 and owner 0:0",
    ],
    [
      "a directory above belongs to somebody else",
      [...below, dir("app", 0o755, 1)],
      "/app is a directory of mode 0755 and owner 0:0 in the recorded layer, and would be a directory of mode 0755 and owner 1:0",
    ],
    [
      "a directory is where a file goes",
      [...below, dir("app/static", 0o755), dir("app/static/latest", 0o755)],
      "/app/static/latest is a directory",
    ],
    [
      "a group is handed down",
      [...below, dir("app", 0o2755, 0, 9)],
      "/app is a directory of mode 0755 and owner 0:0 in the recorded layer, and would be a directory of mode 2755 and owner 0:9",
    ],
  ])("is not taken if %s", (_, now, why) => {
    expect(outcome("COPY --from=web /dist /app/static", { before: below, now })).toBe(why);
  });

  it("is not taken if a name means another owner", () => {
    const instruction = "COPY --from=web --chown=app /dist/index.html /app/static/";
    const now = viewOf(below, passwd.replace("1000:1001", "1000:1002"));

    expect(outcome(instruction, { before: below, now })).toBe(
      "/app/static is a directory of mode 0755 and owner 1000:1001 in the recorded layer, and would be a directory of mode 0755 and owner 1000:1002",
    );
  });

  it("is not taken if an engine left something out that was below", () => {
    const step = stepOf("COPY --from=web /dist /app/static");
    const made = engineLayer(step, viewOf(below));
    const directories = groupByDirectory(entriesOf(made).filter(({ path }) => path !== "app/static/index.html"));

    expect(layerDifference(made, { ...layer([]), directories })).toBe(
      "the recorded layer does not have /app/static/index.html",
    );
  });

  it.each([
    [{ kind: "whiteout", path: "app/old" } as const, "the recorded layer deletes /app/old"],
    [{ kind: "opaque", path: "app/static" } as const, "the recorded layer deletes /app/static"],
    [file("app/static/more"), "the recorded layer also has /app/static/more"],
  ])("is not taken if it says more than the copy", (entry, why) => {
    const made = engineLayer(stepOf("COPY --from=web /dist /app/static"), viewOf(below));

    expect(layerDifference(made, layer([...entriesOf(made), entry]))).toBe(why);
  });

  it("says in its document what was selected", () => {
    const sources = selectInLayers(viewOf(source), stepOf("COPY --from=web /dist /usr/lib/one.so /x/")) ?? [];
    const document = { layer: layer(below), from: "scratch", sources: sources.map(recordSource) };

    const read = decodeTransplant(encodeTransplant(document), "test");

    const plain = sources.map(({ word, name, entry, below: inside }) => [
      word,
      name,
      kindsOf(entry),
      inside.map((one) => [one.path, kindsOf(one.entry)]),
    ]);
    expect(
      read.sources
        .map(openSource)
        .map((one) => [
          one?.word,
          one?.name,
          one && kindsOf(one.entry),
          one?.below.map(({ path, entry }) => [path, kindsOf(entry)]),
        ]),
    ).toEqual(plain);
    expect(read.layer.directories.flatMap(({ entries }) => entries.map(({ path }) => path))).toEqual(
      below.map(({ path }) => path),
    );
  });
});

describe("what is worth recording", () => {
  it.each([
    ["COPY a /a\nCOPY --from=web /dist /d", [2]],
    ["COPY --from=web /dist /d", [1]],
    ["RUN x\nCOPY --from=web /dist /d", []],
    ["RUN x\nCOPY --from=web /dist /d\nCOPY a /a\nCOPY --from=web /dist /e\nWORKDIR /w", [4]],
    ["COPY a /a\nCOPY --from=web /dist /d\nRUN x", []],
    ["RUN x\nWORKDIR /w\nCOPY --from=web /dist /d\nCOPY --from=other /e /e", [3, 4]],
    ["COPY a /a\nCOPY --from=web --link /dist /d\nCOPY --from=other /e /e", []],
  ])("of %j is %j", (steps, positions) => {
    const { chain } = draft({ dockerfile: `FROM base AS web\nRUN build\nFROM base\n${steps}`, files: { a: "a" } });

    expect(transplantPositions(chain)).toEqual(positions);
  });

  it.each(["--link", "--parents", "--exclude=x", "--unheard=of"])("is nothing with %s", (flag) => {
    expect(mayTransplant(chainStepOf(`COPY --from=web ${flag} /dist /d`).step)).toBe(false);
  });
});

describe("the key of a transplant", () => {
  const usual = keyOf({ before: "COPY a /a", copy: "COPY --from=web /dist /d" });

  it("does not depend on what is below", () => {
    expect(keyOf({ before: "COPY a /b\nWORKDIR /w", copy: "COPY --from=web /dist /d" })).toBe(usual);
  });

  it.each([
    "COPY --from=web /dist /d/",
    "COPY --from=web /dist /e",
    "COPY --from=web /dist/ /d",
    "COPY --from=web --chown=1 /dist /d",
    "COPY --from=web --chmod=755 /dist /d",
    "COPY --from=other /dist /d",
  ])("is another one for %s", (copy) => {
    expect(keyOf({ before: "COPY a /a", copy })).not.toBe(usual);
  });

  it("is another one if the source or the platform is", () => {
    const copy = "COPY --from=web /dist /d";

    expect(keyOf({ before: "COPY a /a", copy, build: "RUN other" })).not.toBe(usual);
    expect(transplantKey(chainStepOf(copy), { os: "linux", architecture: "arm64" })?.digest).not.toBe(
      transplantKey(chainStepOf(copy), amd64)?.digest,
    );
  });
});

it("leaves the directories with the times that the recorded layer gives them, for layers above", () => {
  const step = stepOf("COPY --from=web /dist/index.html /new/place/");
  const late = { mode: 0o755, uid: 0, gid: 0, mtime: 77 };
  const files = layer([
    { kind: "directory", path: "new", ...late },
    { kind: "directory", path: "new/place", ...late },
    file("new/place/index.html"),
  ]);
  const tree = openFileTree(viewOf(below));
  const sources = selectInLayers(viewOf(source), step) ?? [];

  const made = transplantLayer(tree, { step, transplant: { files, sources } });

  expect(made.kind).toBe("layer");
  expect([tree.at("new"), tree.at("new/place")]).toMatchObject([{ mtime: 77 }, { mtime: 77 }]);
});

/** What becomes of a layer that was made on one tree, on another. */
function outcome(
  instruction: string,
  { before, now }: { before: readonly LayerEntry[]; now: readonly LayerEntry[] | ReturnType<typeof viewOf> },
): string | undefined {
  const step = stepOf(instruction);
  const files = layer(entriesOf(engineLayer(step, viewOf(before))));
  const sources = selectInLayers(viewOf(source), step) ?? [];
  const view = "children" in now ? now : viewOf(now);
  const made = transplantLayer(openFileTree(view), { step, transplant: { files, sources } });
  return made.kind === "layer" ? "taken" : made.reason.detail;
}

function engineLayer(step: ReturnType<typeof stepOf>, view: ReturnType<typeof viewOf>): readonly LayerFile[] {
  const made = copyFrom(openFileTree(view), { step, sources: selectInLayers(viewOf(source), step) ?? [] });
  if (made.kind === "refused") throw new Error(made.reason.detail);
  return made.files;
}

function entriesOf(files: readonly LayerFile[]): readonly LayerEntry[] {
  return files.map((one): LayerEntry => {
    const { path, mode, uid, gid, mtime } = one;
    if (one.kind === "symlink") return { kind: "symlink", path, target: one.target, uid, gid };
    return { kind: one.kind === "directory" ? "directory" : "file", path, mode, uid, gid, mtime };
  });
}

function layer(entries: readonly LayerEntry[], texts: Readonly<Record<string, string>> = {}): LayerFiles {
  return {
    diffId: digestOf("layer"),
    directories: groupByDirectory(entries),
    texts: new Map(Object.entries(texts)),
  };
}

function viewOf(entries: readonly LayerEntry[], text: string = passwd) {
  return mergeLayers([layer(entries, { "etc/passwd": text })]);
}

function kindsOf({
  kind,
  mode,
  uid,
  gid,
  target,
}: {
  kind: string;
  mode: number;
  uid: number;
  gid: number;
  target?: string | undefined;
}) {
  return { kind, mode, uid, gid, target };
}

function chainStepOf(copy: string, { before = "COPY a /a", build = "RUN build" } = {}): ChainStep {
  const dockerfile = `FROM base AS web\n${build}\nFROM base\n${before}\n${copy}`;
  return draft({ dockerfile, files: { a: "a" } }).chain.steps.at(-1) as ChainStep;
}

function stepOf(copy: string) {
  const { step } = chainStepOf(copy);
  if (!mayTransplant(step)) throw new Error(`${copy} is not copied from another stage`);
  return step;
}

function keyOf({ copy, ...around }: { before: string; copy: string; build?: string }): string | undefined {
  return transplantKey(chainStepOf(copy, around), amd64)?.digest;
}
