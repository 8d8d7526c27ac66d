// SPDX-License-Identifier: Apache-2.0
import { digestOf } from "../src/spec/digest.ts";
import { copy, type InputChange, onBase, run } from "./key-change.ts";

const { files } = copy;
const stages = (first: string, path: string) => ({
  dockerfile: `FROM base AS one\nRUN ${first}\nFROM base\nCOPY --from=one ${path} /y\n`,
});
const wild = (directory: string) => ({ ...onBase("COPY d* /x/"), files: { [`${directory}/a`]: "1" } });
const pinned = (text: string) => onBase(`ADD --checksum=${digestOf(text)} https://example.test/x /x`);

/** What all keys depend on, changed alone. */
export const chainKeyInputs: readonly InputChange[] = [
  {
    what: "the layers of the base",
    from: run,
    to: { base: { diffIds: [digestOf("other layer")] } },
    inputs: ["parent"],
  },
  { what: "the platform", from: run, to: { platform: { os: "linux", architecture: "arm64" } }, inputs: ["parent"] },
  {
    what: "an instruction before it that makes a layer",
    from: run,
    to: onBase("RUN first\nRUN true"),
    inputs: ["parent"],
  },
  {
    what: "what the stage does that it starts from",
    from: { dockerfile: "FROM base AS one\nRUN a\nFROM one\nRUN true\n" },
    to: { dockerfile: "FROM base AS one\nRUN b\nFROM one\nRUN true\n" },
    inputs: ["parent"],
  },
  { what: "which instruction it is", from: copy, to: onBase("ADD src /app/"), inputs: ["kind"] },
];

/** Everything that the key of a COPY or ADD depends on, changed alone. */
export const copyKeyInputs: readonly InputChange[] = [
  { what: "a file's content", from: copy, to: { files: { ...files, "src/a": "changed" } }, inputs: ["files"] },
  { what: "a file's name", from: copy, to: { files: { "src/c": "1", "src/b": "2", other: "3" } }, inputs: ["files"] },
  {
    what: "a file's mode",
    from: copy,
    to: { files: { ...files, "src/a": { text: "1", mode: 0o755 } } },
    inputs: ["files"],
  },
  { what: "a file more", from: copy, to: { files: { ...files, "src/c": "" } }, inputs: ["files"] },
  { what: "a file less", from: copy, to: { files: { "src/a": "1", other: "3" } }, inputs: ["files"] },
  { what: "a file's type", from: copy, to: { files: { ...files, "src/a": { target: "1" } } }, inputs: ["files"] },
  {
    what: "a link's target",
    from: { ...copy, files: { "src/l": { target: "a" } } },
    to: { files: { "src/l": { target: "b" } } },
    inputs: ["files"],
  },
  {
    what: "an empty directory",
    from: copy,
    to: { files: { ...files, "src/d": { directory: true } } },
    inputs: ["files"],
  },
  {
    what: "the mode of a directory",
    from: { ...copy, files: { "src/d": { directory: true } } },
    to: { files: { "src/d": { directory: true, mode: 0o700 } } },
    inputs: ["files"],
  },
  {
    what: "the mode of the source directory",
    from: copy,
    to: { files: { ...files, src: { directory: true, mode: 0o700 } } },
    inputs: ["files"],
  },
  {
    what: "a file's capability",
    from: { ...copy, files: { "src/a": { text: "1", mode: 0o755, capability: "cap_net_raw=ep" } } },
    to: { files: { "src/a": { text: "1", mode: 0o755, capability: "cap_chown=ep" } } },
    inputs: ["files"],
  },
  {
    what: "hard links becoming two files",
    from: { ...copy, files: { "src/a": { text: "1", hardLink: "i" }, "src/b": { text: "1", hardLink: "i" } } },
    to: { files: { "src/a": "1", "src/b": "1" } },
    inputs: ["files"],
  },
  {
    what: "an owner, in a context that came as a tar",
    from: { ...copy, files: { "src/a": { text: "1", uid: 5 } } },
    to: { files: { "src/a": { text: "1", uid: 6 } } },
    inputs: ["files"],
  },
  {
    what: "a file of a directory that --build-context names",
    from: { ...onBase("COPY --from=named src /app/"), named: files },
    to: { named: { ...files, "src/a": "changed" } },
    inputs: ["files"],
    since: 28,
  },
  { what: "the name of what a wildcard finds", from: wild("d1"), to: wild("d2"), inputs: ["files"] },
  { what: "an ignore rule that takes a file away", from: copy, to: { ignore: "src/b\n" }, inputs: ["files"] },
  {
    what: "an ignore rule that engines read differently",
    from: { ...copy, files: { ...copy.files, "src/d/x": "4" }, ignore: "src/d\n" },
    to: { ignore: "src/d\n!src/d/none\n" },
    inputs: ["files"],
  },
  {
    what: "a variable in a source",
    from: { ...onBase("ARG D=a\nCOPY $D /x"), files: { a: "1", b: "2" } },
    to: { buildArgs: { D: "b" } },
    inputs: ["sources", "files"],
  },
  { what: "how a source is written", from: copy, to: onBase("COPY ./src /app/"), inputs: ["sources"] },
  { what: "the destination", from: copy, to: onBase("COPY src /other/"), inputs: ["destination"] },
  { what: "the slash that ends a destination", from: copy, to: onBase("COPY src /app"), inputs: ["destination"] },
  {
    what: "the working directory, for a relative destination",
    from: { ...copy, ...onBase("COPY src app/") },
    to: { base: { config: { WorkingDir: "/srv" } } },
    inputs: ["destination"],
  },
  { what: "--chown", from: copy, to: onBase("COPY --chown=1 src /app/"), inputs: ["chown"] },
  { what: "--chmod", from: copy, to: onBase("COPY --chmod=700 src /app/"), inputs: ["chmod"] },
  { what: "--link", from: copy, to: onBase("COPY --link src /app/"), inputs: ["flags"] },
  { what: "--parents", from: copy, to: onBase("COPY --parents src /app/"), inputs: ["flags"] },
  { what: "--exclude", from: copy, to: onBase("COPY --exclude=a src /app/"), inputs: ["flags", "files"] },
  {
    what: "--unpack",
    from: { ...copy, ...onBase("ADD src /app/") },
    to: onBase("ADD --unpack=false src /app/"),
    inputs: ["flags"],
  },
  { what: "--checksum of a URL", from: pinned("a"), to: pinned("b"), inputs: ["flags"] },
  {
    what: "--keep-git-dir",
    from: pinned("a"),
    to: { dockerfile: pinned("a").dockerfile.replace("ADD", "ADD --keep-git-dir") },
    inputs: ["flags"],
  },
  {
    what: "a here-document that is copied",
    from: onBase("COPY <<E /x\na\nE"),
    to: onBase("COPY <<E /x\nb\nE"),
    inputs: ["here-documents"],
  },
  {
    what: "a variable in a here-document that is copied",
    from: onBase("ARG A=1\nCOPY <<E /x\n$A\nE"),
    to: { buildArgs: { A: "2" } },
    inputs: ["here-documents"],
  },
  { what: "what a stage does that is copied from", from: stages("a", "/x"), to: stages("b", "/x"), inputs: ["from"] },
  { what: "the path that is copied from a stage", from: stages("a", "/x"), to: stages("a", "/z"), inputs: ["sources"] },
  {
    what: "the layers of an image that is copied from",
    from: onBase("COPY --from=other /x /y"),
    to: { other: "other layers" },
    inputs: ["from"],
  },
];
