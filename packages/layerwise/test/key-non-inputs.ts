// SPDX-License-Identifier: Apache-2.0
import { copy, type KeyChange, onBase, run } from "./key-change.ts";

const { files } = copy;
const noise = [
  "LABEL a=b",
  'CMD ["x"]',
  'ENTRYPOINT ["y"]',
  "EXPOSE 80",
  "VOLUME /v",
  "STOPSIGNAL SIGINT",
  "HEALTHCHECK NONE",
  "ONBUILD RUN z",
].join("\n");
const linked = (target: string) => ({ "d1/a": "1", "d2/a": "1", l: { target } });
const bind = { ...onBase("RUN --mount=type=bind,source=src,target=/s ls /s"), files };

/** What no key depends on, changed alone. A real BuildKit must agree to each. */
export const keyNonInputs: readonly KeyChange[] = [
  { what: "the time of a file", from: copy, to: { files: { ...files, "src/a": { text: "1", mtime: 99 } } } },
  { what: "the time of a mounted file", from: bind, to: { files: { ...files, "src/a": { text: "1", mtime: 99 } } } },
  {
    what: "a file that --exclude takes away",
    from: { ...onBase("COPY --exclude=*.log src /app/"), files },
    to: { files: { ...files, "src/a.log": "changed" } },
    since: 28,
  },
  { what: "a file that is not selected", from: copy, to: { files: { ...files, other: "changed" } } },
  { what: "a file that is not mounted", from: bind, to: { files: { ...files, other: "changed" } } },
  { what: "an ignore rule that changes nothing selected", from: copy, to: { ignore: "# rule\nother\n*.log\n" } },
  {
    what: "the mode of the build context itself",
    from: { ...copy, ...onBase("COPY . /app/") },
    to: { files: { "": { directory: true, mode: 0o711 }, ...files } },
  },
  {
    what: "the directory that a file is copied from",
    from: { ...copy, named: { ...files, other: "4" } },
    to: onBase("COPY --from=named src /app/"),
    since: 28,
  },
  {
    what: "the link through which a source is found",
    from: { ...onBase("COPY l/a /x"), files: linked("d1") },
    to: { files: linked("d2") },
  },
  {
    what: "hard links between two sources",
    from: { ...onBase("COPY a b /x/"), files: { a: { text: "1", hardLink: "i" }, b: { text: "1", hardLink: "i" } } },
    to: { files: { a: "1", b: "1" } },
  },
  { what: "an ENV before a COPY", from: copy, to: onBase("ENV A=1\nCOPY src /app/") },
  { what: "a USER before a COPY", from: copy, to: onBase("USER 1\nCOPY src /app/") },
  { what: "an ARG before a COPY", from: copy, to: onBase("ARG A=1\nCOPY src /app/") },
  {
    what: "an ARG that a here-document does not use",
    from: onBase("ARG A=1\nCOPY <<E /x\na\nE"),
    to: { buildArgs: { A: "2" } },
    since: 28,
  },
  { what: "SOURCE_DATE_EPOCH before a COPY", from: copy, to: { buildArgs: { SOURCE_DATE_EPOCH: "1" } } },
  { what: "an ENV before a WORKDIR", from: onBase("WORKDIR /app"), to: onBase("ENV A=1\nWORKDIR /app") },
  { what: "instructions that only change the config", from: run, to: onBase(`${noise}\nRUN true`) },
  {
    what: "labels and commands of the base",
    from: run,
    to: { base: { config: { Labels: { a: "b" }, Cmd: ["x"], Entrypoint: ["y"] } } },
  },
  {
    what: "the history and times of the base",
    from: run,
    to: { base: { created: "2001-01-01T00:00:00Z", history: [{ created_by: "other" }] } },
  },
  { what: "the name of the base", from: run, to: { dockerfile: "FROM other\nRUN true\n" } },
  {
    what: "the shell, for exec form",
    from: onBase('RUN ["true"]'),
    to: onBase('SHELL ["/bin/sh", "-ec"]\nRUN ["true"]'),
  },
  {
    what: "a global ARG that the stage does not take over",
    from: run,
    to: { dockerfile: "ARG A=1\nFROM base\nRUN true\n" },
  },
  { what: "a build argument that nothing declares", from: run, to: { buildArgs: { A: "1" } } },
  { what: "a proxy that nothing declares", from: run, to: { buildArgs: { HTTP_PROXY: "http://proxy.test" } } },
  {
    what: "an ARG with the value that an ENV before it has",
    from: onBase("ENV B=1\nENV A=1\nRUN true"),
    to: onBase("ENV B=1\nENV A=1\nARG A=1\nRUN true"),
  },
  {
    what: "comments, continuation lines and the case of keywords",
    from: run,
    to: { dockerfile: "# hi\nfrom base\nrun \\\n  true\n" },
  },
  { what: "what follows", from: run, to: onBase("RUN true\nLABEL a=b") },
  { what: "the name of the stage", from: run, to: { dockerfile: "FROM base AS x\nRUN true\n" } },
  { what: "a stage that is not needed", from: run, to: { dockerfile: "FROM base AS x\nRUN y\nFROM base\nRUN true\n" } },
  {
    what: "the config of a stage that is copied from",
    from: { dockerfile: "FROM base AS one\nRUN echo a > /x\nFROM base\nCOPY --from=one /x /y\n" },
    to: { dockerfile: "FROM base AS one\nRUN echo a > /x\nLABEL a=b\nFROM base\nCOPY --from=one /x /y\n" },
  },
];
