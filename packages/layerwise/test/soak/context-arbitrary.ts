// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import type { Entry } from "../e2e/corpus-case.ts";
import { archiveEntry } from "./archive-arbitrary.ts";
import type { BaseModel, IgnoreModel } from "./model.ts";

const directories = ["src", "src/d", "src/d/e", "conf", "deep", "deep/er", "empty", "mod", "weird"] as const;
const leaves = [
  "a.txt",
  "b.txt",
  "run.sh",
  ".hidden",
  "x y",
  "ü",
  "[x]",
  "l1",
  "src/a",
  "src/b.js",
  "src/a.txt",
  "src/l2",
  "src/d/c",
  "src/d/.keep",
  "src/d/l3",
  "src/d/e/f.log",
  "conf/app.conf",
  "conf/z",
  "deep/er/est/file",
  "mod/x.log",
  "mod/run",
  "weird/a*b",
  "weird/q'\"q",
  "new/n",
  "Dockerfile.old",
] as const;

const contents = ["", "1", "2", "a\n", "long ".repeat(300)] as const;
const fileModes = ["0644", "0644", "0755", "0600", "0640", "0444", "0000", "4755", "2755", "1644", "0777"] as const;
const directoryModes = ["0755", "0755", "0700", "0750", "2755", "1777", "0555", "0777"] as const;
const targets = [
  "a.txt",
  "src",
  "src/d",
  "../a.txt",
  "d",
  "/etc/passwd",
  "/src/a",
  "nowhere",
  ".",
  "..",
  "../..",
  "src/../b.txt",
  "l1",
  "../l1",
] as const;

/** What may lie in a build context. */
export function contextEntry(): fc.Arbitrary<Entry> {
  return fc.oneof(
    { weight: 6, arbitrary: file(fc.constantFrom(...leaves)) },
    { weight: 3, arbitrary: directory(fc.constantFrom(...directories)) },
    { weight: 1, arbitrary: directory(fc.constantFrom(...leaves)) },
    { weight: 2, arbitrary: symlink(fc.constantFrom(...leaves)) },
    { weight: 1, arbitrary: symlink(fc.constantFrom(...directories)) },
    { weight: 1, arbitrary: hardLink(fc.constantFrom(...leaves), fc.constantFrom(...leaves)) },
    { weight: 2, arbitrary: archiveEntry() },
    { weight: 1, arbitrary: ignoreFileBelow() },
  );
}

function file(path: fc.Arbitrary<string>): fc.Arbitrary<Entry> {
  return fc
    .record({
      path,
      content: fc.constantFrom(...contents),
      mode: fc.constantFrom(...fileModes),
      owner: seldom(fc.constantFrom(1000, 77, 3_000_001)),
      mtime: seldom(fc.constantFrom(0, -1000, 1_000_000_000, 4_000_000_000)),
    })
    .map(({ owner, mtime, ...rest }) => ({ ...rest, ...times(mtime), ...owned(owner), type: "file", names: "utf8" }));
}

/** An ignore file that counts only where its directory is a build context by itself. */
function ignoreFileBelow(): fc.Arbitrary<Entry> {
  const content = fc.constantFrom("d\n", "*.js\n", "d/*\n!d/c\n", "**/c\n", "*\n!a\n!d\n", ".dockerignore\n");
  return content.map((text) => ({ path: "src/.dockerignore", type: "file", content: text, names: "utf8" }));
}

function directory(path: fc.Arbitrary<string>): fc.Arbitrary<Entry> {
  return fc
    .record({ path, mode: fc.constantFrom(...directoryModes), owner: seldom(fc.constantFrom(1000, 77)) })
    .map(({ owner, ...rest }) => ({ ...rest, ...owned(owner), type: "directory", names: "utf8" }));
}

function symlink(path: fc.Arbitrary<string>): fc.Arbitrary<Entry> {
  return fc
    .record({ path, target: fc.constantFrom(...targets) })
    .map((rest) => ({ ...rest, type: "symlink", names: "utf8" }));
}

function hardLink(path: fc.Arbitrary<string>, target: fc.Arbitrary<string>): fc.Arbitrary<Entry> {
  return fc.record({ path, target }).map((rest) => ({ ...rest, type: "hardlink", names: "utf8" }));
}

function seldom<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}

function owned(owner: number | undefined): { uid?: number; gid?: number } {
  return owner === undefined ? {} : { uid: owner, gid: owner };
}

function times(mtime: number | undefined): { mtime?: number } {
  return mtime === undefined ? {} : { mtime };
}

const patterns = [
  "*.log",
  "src/d",
  "src/d/",
  "!src/d/c",
  "!src/d",
  "**/e",
  "**/*.txt",
  "!a.txt",
  "!**/a.txt",
  "/b.txt",
  "src/*",
  "!src/a",
  "*",
  "!src",
  "!conf",
  "conf/z",
  "mod",
  "weird",
  ".*",
  "src/**/c",
  "**/.keep",
  "# nothing",
  "l?",
  "Dockerfile",
  "./empty",
  "deep/../mod",
] as const;

/** An ignore file, or none. */
export function ignoreModel(): fc.Arbitrary<IgnoreModel | undefined> {
  const file = fc.constantFrom<IgnoreModel["file"][]>(".dockerignore", ".dockerignore", "Dockerfile.dockerignore");
  const lines = fc.array(ignoreLine(), { maxLength: 4 });
  return fc.option(fc.record({ file, lines }), { nil: undefined, freq: 1 });
}

/** A line of an ignore file that says something of the paths above. */
function ignoreLine(): fc.Arbitrary<string> {
  return fc.constantFrom(...patterns);
}

const nameParts = [
  "a.txt",
  "src",
  "a",
  "d",
  "c",
  "e",
  "conf",
  "mod",
  "weird",
  "x y",
  "*",
  "*",
  "**",
  "**",
  "?",
  "*.txt",
  "s*",
  "*c",
  "[a-s]*",
  "[^a]",
  "a\\*b",
  ".*",
  ".keep",
  ".",
  "..",
] as const;

/** A line of an ignore file, made of what patterns are made of. */
export function oddIgnoreLine(): fc.Arbitrary<string> {
  return fc
    .record({
      start: fc.constantFrom("", "", "", "!", "!", "/", "!/", " ", "./"),
      parts: fc.array(fc.constantFrom(...nameParts), { minLength: 1, maxLength: 4 }),
      end: fc.constantFrom("", "", "", "/", " ", "/**", "/*"),
    })
    .map(({ start, parts, end }) => `${start}${parts.join("/")}${end}`);
}

const imageDirectories = [
  "x",
  "x/d",
  "x/d/e",
  "y",
  "app",
  "app/src",
  "w",
  "opt",
  "opt/hidden",
  "opt/becomes-real",
  "srv/data",
  "tmp",
  "home/app",
  "var/tmp",
] as const;
const imageLeaves = [
  "x/f",
  "x/l",
  "x/d/f",
  "x/d/e/f",
  "y/l",
  "y/f",
  "app/a.txt",
  "app/src/a",
  "app/l",
  "w/f",
  "new",
  "opt/owned",
  "opt/data",
  "opt/twin-a",
  "opt/hidden/new",
  "srv/data/seed",
  "etc/passwd",
  "etc/group",
] as const;
const imageTargets = [
  "/x",
  "/x/d",
  "../x",
  "d",
  "f",
  "/srv/data",
  "nowhere",
  "/nowhere/at",
  "/",
  ".",
  "..",
  "l",
  "/y/l",
  "../etc/passwd",
] as const;
const userFiles = [
  "root:x:0:0:root:/root:/bin/sh\napp:x:2000:2001::/:/bin/sh\nstaff:x:51:\n",
  "app:x:5:6\n",
  "broken\n",
  "",
] as const;

/** A layer of a base image. */
export function imageLayer(): fc.Arbitrary<readonly Entry[]> {
  return fc.array(imageEntry(), { maxLength: 6 });
}

function imageEntry(): fc.Arbitrary<Entry> {
  const leaf = fc.constantFrom(...imageLeaves);
  const folder = fc.constantFrom(...imageDirectories);
  const users = fc
    .record({ path: fc.constantFrom("etc/passwd", "etc/group"), content: fc.constantFrom(...userFiles) })
    .map((rest): Entry => ({ ...rest, type: "file", names: "utf8" }));
  return fc.oneof(
    // Layers with times before 1970 are nothing that every tool reads.
    { weight: 5, arbitrary: file(leaf).map(({ mtime, ...entry }) => entry) },
    { weight: 5, arbitrary: directory(folder) },
    { weight: 1, arbitrary: directory(leaf) },
    { weight: 3, arbitrary: symlink(fc.oneof(leaf, folder)).chain(withTarget) },
    { weight: 1, arbitrary: hardLink(leaf, leaf) },
    { weight: 2, arbitrary: bare(fc.oneof(leaf, folder), "whiteout") },
    { weight: 1, arbitrary: bare(folder, "opaque") },
    { weight: 1, arbitrary: fc.oneof(bare(leaf, "fifo"), bare(leaf, "character")) },
    { weight: 1, arbitrary: users },
  );
}

function withTarget(entry: Entry): fc.Arbitrary<Entry> {
  return fc.constantFrom(...imageTargets).map((target) => ({ ...entry, target }));
}

function bare(path: fc.Arbitrary<string>, type: Entry["type"]): fc.Arbitrary<Entry> {
  return path.map((one) => ({ path: one, type, names: "utf8" }));
}

const configs: readonly Readonly<Record<string, unknown>>[] = [
  {},
  {},
  { Env: ["PATH=/usr/bin:/bin", "A=base", "D=/x/d"] },
  { User: "app" },
  { User: "1000:50" },
  { WorkingDir: "/opt/data" },
  { WorkingDir: "/app" },
  { WorkingDir: "" },
  { Shell: ["/bin/sh", "-ec"] },
  { Entrypoint: ["/e"], Cmd: ["c"] },
  { Volumes: { "/x": {} }, ExposedPorts: { "80/tcp": {} } },
  { OnBuild: ["COPY a.txt /onbuild/", "WORKDIR /onbuild"] },
  { OnBuild: ["ENV T=1", "ARG B=trigger", "LABEL on=build"] },
];

/** A base image. */
export function baseModel(): fc.Arbitrary<BaseModel> {
  return fc.record({
    family: fc.constantFrom<BaseModel["family"][]>("docker", "oci"),
    hasShell: fc.integer({ min: 0, max: 5 }).map((number) => number === 5),
    layers: fc.array(imageLayer(), { maxLength: 3 }),
    config: baseConfig(),
  });
}

/** Fields of a base's runtime config. */
function baseConfig(): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  return fc.constantFrom(...configs);
}
