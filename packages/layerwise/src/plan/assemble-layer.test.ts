// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { type DraftInput, draft, draftTree } from "../../test/draft.ts";
import { dir, file, link } from "../../test/layer-entries.ts";
import { createIgnoreMatcher } from "../dockerfile/ignore.ts";
import { digestOf } from "../spec/digest.ts";
import { mergeLayers } from "../spec/file-view.ts";
import { groupByDirectory, type LayerEntry } from "../spec/layer-files.ts";
import { assembleLayer } from "./assemble-layer.ts";
import { ignoring } from "./context-files.ts";
import { selectSource } from "./copy-selection.ts";
import { type LayerFile, openFileTree } from "./file-tree.ts";
import { plainExcludes } from "./plain-excludes.ts";
import type { Step } from "./step.ts";
import type { StepContent } from "./step-content.ts";

const passwd = "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n";
const group = "root:x:0:\nstaff:x:50:\n";

/** A lower tree with everything that a destination can be. */
const below: readonly LayerEntry[] = [
  dir("etc", 0o755),
  file("etc/passwd"),
  file("etc/group"),
  dir("tmp", 0o1777),
  dir("home", 0o755),
  dir("home/app", 0o700, 1000, 1001),
  dir("usr", 0o755),
  dir("usr/bin", 0o2775, 5, 6),
  link("bin", "usr/bin"),
  file("usr/bin/tool"),
  link("opt", "/srv/../usr"),
  link("gone", "nowhere/deep"),
  link("loop", "loop"),
  link("l0", "usr"),
  ...Array.from({ length: 50 }, (_, index) => link(`l${index + 1}`, `l${index}`)),
  dir("app", 0o711, 7, 8),
  dir("app/sub", 0o700, 9, 9),
  link("app/link", "sub"),
  file("app/file"),
];

const context = {
  f: { text: "f", mode: 0o640, mtime: 5 },
  run: { text: "#!", mode: 0o755 },
  "d/x": "x",
  "d/sub/y": { text: "y", mode: 0o600 },
  "d/sub": { directory: true, mode: 0o750 },
  "d/link": { target: "x" },
  suid: { text: "", mode: 0o4755 },
  "h/one": { text: "same", hardLink: "1" },
  "h/two": { text: "same", hardLink: "1" },
  "deep/app/sub/new": "n",
  "deep/tmp/t": "t",
  "deep/bin/t": "t",
  "far/app/file/t": "t",
  ".wh.x": "",
  "whiteouts/.wh.d/f": "",
  "bytes/link": { target: "\udcff" },
  "kept/a/keep": "",
} as const;

/** What the last instruction does to the lower tree: one line an entry, or why it is refused. */
function assembled(instruction: string, input: Partial<DraftInput> = {}): readonly string[] {
  const { chain } = draft({ dockerfile: `FROM base\n${instruction}\n`, files: context, ...input });
  const texts = new Map([
    ["etc/passwd", passwd],
    ["etc/group", group],
  ]);
  const tree = openFileTree(mergeLayers([{ diffId: digestOf("below"), directories: groupByDirectory(below), texts }]));
  let lines: readonly string[] = [];
  for (const { step } of chain.steps) {
    const layer = assembleLayer(tree, { step, content: contentOf(step), listings: new Map(), fallbackTime: 42 });
    if (layer.kind === "refused") return [`${layer.reason.name}: ${layer.reason.detail ?? ""}`];
    lines = layer.files.map(shown);
  }
  return lines;
}

function contentOf(step: Step): StepContent | undefined {
  if (step.kind !== "copy" && step.kind !== "add") return undefined;
  const files = ignoring(createIgnoreMatcher(["kept", "!**/keep"]))(draftTree(context));
  const sources = step.sources.flatMap((word) => {
    const result = selectSource(files, { word, at: step.at, excludes: plainExcludes(step.excludes) });
    return result.kind === "selected" ? result.sources : [];
  });
  const digests = new Map(Object.keys(context).map((path) => [path, digestOf(path)]));
  return { sources, digests, archives: new Map(), capabilities: new Map() };
}

function shown(entry: LayerFile): string {
  const { kind, path, mode, uid, gid } = entry;
  return `${kind} ${path} ${mode.toString(8)} ${uid}:${gid}${contentShown(entry)}`;
}

function contentShown(entry: LayerFile): string {
  switch (entry.kind) {
    case "symlink":
    case "hardlink":
      return ` -> ${entry.target}`;
    case "file":
      return ` = ${entry.from.path}`;
    case "document":
      return ` = ${JSON.stringify(entry.text)}`;
    default:
      return "";
  }
}

const app = "directory app 711 7:8";

describe("assembleLayer", () => {
  it.each([
    ["COPY f /app/", [app, "file app/f 640 0:0 = f"]],
    ["COPY f /app", [app, "file app/f 640 0:0 = f"]],
    ["COPY f /app/new", [app, "file app/new 640 0:0 = f"]],
    ["COPY f /app/file", [app, "file app/file 640 0:0 = f"]],
    ["COPY f /l40/x", ["directory usr 755 0:0", "file usr/x 640 0:0 = f"]],
    ["COPY f /new/deep/", ["directory new 755 0:0", "directory new/deep 755 0:0", "file new/deep/f 640 0:0 = f"]],
    ["COPY f /new/deep", ["directory new 755 0:0", "file new/deep 640 0:0 = f"]],
    ["COPY f /", ["file f 640 0:0 = f"]],
    ["COPY f run /app/", [app, "file app/f 640 0:0 = f", "file app/run 755 0:0 = run"]],
  ])("puts files where %s means", (instruction, expected) => {
    expect(assembled(instruction)).toEqual(expected);
  });

  it.each([
    [
      "COPY d /new",
      [
        "directory new 755 0:0",
        "symlink new/link 777 0:0 -> x",
        "directory new/sub 750 0:0",
        "file new/sub/y 600 0:0 = d/sub/y",
        "file new/x 644 0:0 = d/x",
      ],
    ],
    ["COPY d/sub /app", [app, "file app/y 600 0:0 = d/sub/y"]],
    ["COPY deep/tmp /tmp", ["directory tmp 1777 0:0", "file tmp/t 644 0:0 = deep/tmp/t"]],
  ])("puts a directory's content where %s means, the destination keeps its attributes", (instruction, expected) => {
    expect(assembled(instruction)).toEqual(expected);
  });

  it.each([
    [
      "COPY --exclude=sub d /new",
      ["directory new 755 0:0", "symlink new/link 777 0:0 -> x", "file new/x 644 0:0 = d/x"],
    ],
    ["COPY --exclude=* d /new", ["directory new 755 0:0"]],
    ["COPY --exclude=* d /app", []],
    ["COPY --exclude=f f /app/", [app, "file app/f 640 0:0 = f"]],
    [
      "COPY --exclude=/x --exclude=l* --exclude=**/y d /app",
      [app, "directory app/sub 750 0:0", "file app/x 644 0:0 = d/x"],
    ],
  ])("leaves out what %s says", (instruction, expected) => {
    expect(assembled(instruction)).toEqual(expected);
  });

  it("gives directories below the source to those that are there already, mode and owner included", () => {
    expect(assembled("COPY deep/app /app")).toEqual([
      app,
      "directory app/sub 755 0:0",
      "file app/sub/new 644 0:0 = deep/app/sub/new",
    ]);
  });

  it("keeps the true attributes of every directory above", () => {
    expect(assembled("COPY f /home/app/x/y/")).toEqual([
      "directory home 755 0:0",
      "directory home/app 700 1000:1001",
      "directory home/app/x 755 0:0",
      "directory home/app/x/y 755 0:0",
      "file home/app/x/y/f 640 0:0 = f",
    ]);
  });

  it.each([
    ["COPY f /bin/", ["directory usr 755 0:0", "directory usr/bin 2775 5:6", "file usr/bin/f 640 0:0 = f"]],
    ["COPY f /bin", ["directory usr 755 0:0", "directory usr/bin 2775 5:6", "file usr/bin/f 640 0:0 = f"]],
    ["COPY f /opt/bin/tool", ["directory usr 755 0:0", "directory usr/bin 2775 5:6", "file usr/bin/tool 640 0:0 = f"]],
    ["COPY f /app/link/", [app, "directory app/sub 700 9:9", "file app/sub/f 640 0:0 = f"]],
    ["COPY f /gone", ["directory nowhere 755 0:0", "file nowhere/deep 640 0:0 = f"]],
    [
      "COPY d/sub /gone/",
      ["directory nowhere 755 0:0", "directory nowhere/deep 755 0:0", "file nowhere/deep/y 600 0:0 = d/sub/y"],
    ],
  ])("follows links of the destination with %s", (instruction, expected) => {
    expect(assembled(instruction)).toEqual(expected);
  });

  it.each([
    ["COPY --chown=5:6 f /app/", [app, "file app/f 640 5:6 = f"]],
    ["COPY --chown=5 f /app/", [app, "file app/f 640 5:5 = f"]],
    ["COPY --chown=app f /app/", [app, "file app/f 640 1000:1001 = f"]],
    ["COPY --chown=app:staff f /app/", [app, "file app/f 640 1000:50 = f"]],
    ["COPY --chown=root:staff f /app/", [app, "file app/f 640 0:50 = f"]],
    ["COPY --chown=nobodyknows f /app/", [app, "file app/f 640 0:0 = f"]],
    ["COPY --chown=1:nobodyknows f /app/", [app, "file app/f 640 1:1 = f"]],
    ["COPY --chown=5:6 f /n/m/", ["directory n 755 5:6", "directory n/m 755 5:6", "file n/m/f 640 5:6 = f"]],
    ["COPY --chmod=600 f /app/", [app, "file app/f 600 0:0 = f"]],
    ["COPY --chmod=0700 d/sub /app/", [app, "file app/y 700 0:0 = d/sub/y"]],
    ["COPY --chmod=4711 suid /app/", [app, "file app/suid 4711 0:0 = suid"]],
    ["COPY --chmod=+x run /app/", [app, "file app/run 755 0:0 = run"]],
    [
      "COPY --chmod=u+rw d /app",
      [
        app,
        "symlink app/link 777 0:0 -> x",
        "directory app/sub 750 0:0",
        "file app/sub/y 600 0:0 = d/sub/y",
        "file app/x 644 0:0 = d/x",
      ],
    ],
    ["COPY --chmod=755 f /n/m/", ["directory n 755 0:0", "directory n/m 755 0:0", "file n/m/f 755 0:0 = f"]],
    ["COPY --chmod=go-w <<F /n/\nF", ["directory n 755 0:0", 'document n/F 644 0:0 = ""']],
  ])("applies %s", (instruction, expected) => {
    expect(assembled(instruction)).toEqual(expected);
  });

  it.each([
    ["COPY <<F /app/\ntext\nF", [app, 'document app/F 644 0:0 = "text\\n"']],
    ["COPY <<F /app/new\nF", [app, 'document app/new 644 0:0 = ""']],
    ["COPY <<F /app/file\n1\nF", [app, 'document app/file 644 0:0 = "1\\n"']],
    [
      "COPY --chown=app --chmod=600 <<-F /app/link\n\t\t1\n\tF",
      [app, "directory app/sub 700 9:9", 'document app/sub/F 600 1000:1001 = "1\\n"'],
    ],
    ["COPY <<F /gone\n1\nF", ["directory nowhere 755 0:0", 'document nowhere/deep 644 0:0 = "1\\n"']],
    ["COPY --chown=5:6 <<F /n/\n1\nF", ["directory n 755 5:6", 'document n/F 644 5:6 = "1\\n"']],
    [
      "ARG A=1\nCOPY <<F <<'G' /app/\n$A\nF\n$A\nG",
      [app, 'document app/F 644 0:0 = "1\\n"', 'document app/G 644 0:0 = "$A\\n"'],
    ],
    ["COPY <<f f run /app/\n1\nf", [app, 'document app/f 644 0:0 = "1\\n"', "file app/run 755 0:0 = run"]],
    ["COPY <<one f /app/x\n1\none", [app, 'document app/x 644 0:0 = "1\\n"']],
  ])("writes here-documents, after everything else, with %j", (instruction, expected) => {
    expect(assembled(instruction)).toEqual(expected);
  });

  it("gives here-documents and the directories above them the time of the base", () => {
    const { chain } = draft({ dockerfile: "FROM base\nCOPY <<F /new/\n1\nF\n", files: context });
    const { step } = chain.steps[0] as (typeof chain.steps)[number];

    const layer = assembleLayer(openFileTree(mergeLayers([])), {
      step,
      content: undefined,
      listings: new Map(),
      fallbackTime: 42,
    });

    expect(layer.kind === "layer" && layer.files.map(({ path, mtime }) => [path, mtime])).toEqual([
      ["new", 42],
      ["new/F", 42],
    ]);
  });

  it.each([
    ["COPY --link f /etc/", ["directory etc 755 0:0", "file etc/f 640 0:0 = f"]],
    ["COPY --link f /etc/passwd", ["directory etc 755 0:0", "file etc/passwd 640 0:0 = f"]],
    ["COPY --link f /new/x", ["directory new 755 0:0", "file new/x 640 0:0 = f"]],
    ["COPY --link d/sub /home", ["directory home 755 0:0", "file home/y 600 0:0 = d/sub/y"]],
    ["COPY --link f /", ["file f 640 0:0 = f"]],
  ])("makes of %s what it would be without --link, where that is the same", (instruction, expected) => {
    expect(assembled(instruction)).toEqual(expected);
  });

  it("keeps hard links within a source", () => {
    expect(assembled("COPY h /app/")).toEqual([
      app,
      "file app/one 644 0:0 = h/one",
      "hardlink app/two 644 0:0 -> app/one",
    ]);
  });

  it("makes directories of a WORKDIR for its user, through links, and nothing where all is there", () => {
    expect(assembled("WORKDIR /bin/x/y")).toEqual([
      "directory usr 755 0:0",
      "directory usr/bin 2775 5:6",
      "directory usr/bin/x 2755 0:6",
      "directory usr/bin/x/y 2755 0:6",
    ]);
    expect(assembled("USER app\nWORKDIR /bin/z").at(-1)).toBe("directory usr/bin/z 2755 1000:1001");
    expect(assembled("USER app\nWORKDIR /w")).toEqual(["directory w 755 1000:1001"]);
    expect(assembled("WORKDIR /app/sub")).toEqual([]);
  });

  it("sees what the instructions before it have done", () => {
    expect(assembled("COPY f /app/other\nCOPY d/sub /app/other")).toEqual([
      "destination-conflict: /app/other is no directory",
    ]);
    expect(assembled("WORKDIR /w\nCOPY f /w")).toEqual(["directory w 755 0:0", "file w/f 640 0:0 = f"]);
  });

  it.each([
    ["COPY d /app/file", "destination-conflict"],
    ["COPY --exclude=bin deep /", "destination-conflict"],
    ["COPY --exclude=app far /", "destination-conflict"],
    ["COPY f /app/file/x", "destination-conflict"],
    ["COPY deep /", "destination-conflict"],
    ["COPY f /loop/x", "destination-conflict"],
    ["COPY f /l41/x", "destination-conflict"],
    ["WORKDIR /app/file", "destination-conflict"],
    ["COPY --chown=99999999999 f /app/", "owner-unknown"],
    ["COPY --chown=:staff f /app/", "owner-unknown"],
    ["COPY --chmod=600 f /new/dir/", "copy-chmod"],
    ["COPY --chmod=600 <<F /new/dir/\n1\nF", "copy-chmod"],
    ["COPY <<.wh.x /app/\n1\n.wh.x", "name-unsupported"],
    ["COPY <<sub /app/\n1\nsub", "destination-conflict"],
    ["COPY <<F /etc/passwd\n1\nF\nCOPY --chown=app f /app/", "owner-unknown"],
    ["COPY --chmod=600 suid /app/", "copy-chmod"],
    ["COPY --chmod=4755 run /app/", "copy-chmod"],
    ["COPY --chmod=+x d /app", "copy-chmod"],
    ["COPY --chmod=go= <<F /app/\nF", "copy-chmod"],
    ["COPY --chmod=u=rw,go=r d/x /new/", "copy-chmod"],
    ["COPY .wh.x /app/", "name-unsupported"],
    ["COPY whiteouts /app", "name-unsupported"],
    ["COPY f /app/.wh.d/", "name-unsupported"],
    ["COPY bytes /app", "name-unsupported"],
    ["COPY --link f /app/", "copy-link"],
    ["COPY --link f /tmp/x", "copy-link"],
    ["COPY --link f /bin/x", "copy-link"],
    ["COPY --link f /gone", "copy-link"],
    ["COPY --link f /etc", "copy-link"],
    ["COPY --link <<F /home\n1\nF", "copy-link"],
    ["COPY --link d /app", "copy-link"],
    ["COPY kept /app", "ignore-exception"],
    ["COPY f d/none* /app/", "instruction-form"],
  ])("leaves %s to the engine", (instruction, reason) => {
    expect(assembled(instruction)[0]?.split(":")[0]).toBe(reason);
  });

  it("leaves names to the engine when the image's user files are not known", () => {
    const { chain } = draft({ dockerfile: "FROM base\nCOPY --chown=app f /x\n", files: context });
    const tree = openFileTree(mergeLayers([]));
    const { step } = chain.steps[0] as (typeof chain.steps)[number];

    const layer = assembleLayer(tree, { step, content: contentOf(step), listings: new Map(), fallbackTime: 0 });

    expect(layer).toMatchObject({ kind: "refused", reason: { name: "owner-unknown", detail: "app" } });
  });

  it("leaves to the engine what goes below a directory that no layer describes", () => {
    const { chain } = draft({ dockerfile: "FROM base\nCOPY f /a/b/\n", files: context });
    const tree = openFileTree(
      mergeLayers([{ diffId: digestOf("jib"), directories: groupByDirectory([file("a/b/c")]), texts: new Map() }]),
    );
    const { step } = chain.steps[0] as (typeof chain.steps)[number];

    const layer = assembleLayer(tree, { step, content: contentOf(step), listings: new Map(), fallbackTime: 0 });

    expect(layer).toMatchObject({ kind: "refused", reason: { name: "destination-unknown" } });
  });
});
