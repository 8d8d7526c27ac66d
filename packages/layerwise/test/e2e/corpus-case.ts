// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";

/** A path, and what is there; `test/corpus/README.md` describes the fields. */
export type Entry = v.InferOutput<typeof entrySchema>;
/** An entry of an archive or a layer. */
export type PlainEntry = Omit<Entry, "entries" | "gzip" | "packed">;
/** An image that a Dockerfile of the corpus starts from. */
export type BaseSpec = v.InferOutput<typeof baseSchema>;
/** What changes before a build. */
export type Edit = v.InferOutput<typeof editSchema>;
/** One build of a case and what is expected of it. */
export type Step = v.InferOutput<typeof stepSchema>;

/** A Dockerfile, its build context and a sequence of builds. */
export interface CorpusCase extends v.InferOutput<typeof caseSchema> {
  readonly name: string;
  readonly dockerfile: string;
}

const octal = v.pipe(v.string(), v.regex(/^[0-7]{4}$/));

const plainFields = {
  path: v.pipe(v.string(), v.minLength(1)),
  type: v.optional(
    v.picklist([
      "file",
      "directory",
      "symlink",
      "hardlink",
      "fifo",
      "socket",
      "character",
      "whiteout",
      "opaque",
      "archive",
    ]),
    "file",
  ),
  content: v.optional(v.string()),
  size: v.optional(v.number()),
  target: v.optional(v.string()),
  mode: v.optional(octal),
  uid: v.optional(v.number()),
  gid: v.optional(v.number()),
  mtime: v.optional(v.number()),
  capability: v.optional(v.string()),
  names: v.optional(v.picklist(["utf8", "latin1"]), "utf8"),
};

const entrySchema = v.strictObject({
  ...plainFields,
  /** What an archive holds. */
  entries: v.optional(v.array(v.strictObject(plainFields))),
  gzip: v.optional(v.boolean()),
  /** What is special about how an archive is written. */
  packed: v.optional(
    v.picklist(["bzip2", "xz", "zstd", "gnu", "global-header", "no-end", "members", "trailing", "cut"]),
  ),
});

const baseSchema = v.strictObject({
  from: v.optional(v.picklist(["tiny", "tree", "nothing"]), "tiny"),
  family: v.optional(v.picklist(["docker", "oci"]), "docker"),
  layers: v.optional(v.array(v.array(entrySchema)), []),
  config: v.optional(v.record(v.string(), v.unknown()), {}),
  document: v.optional(v.record(v.string(), v.unknown()), {}),
});

const bases = v.optional(v.record(v.string(), baseSchema), {});

const editSchema = v.strictObject({
  dockerfile: v.optional(v.array(v.tuple([v.string(), v.string()])), []),
  remove: v.optional(v.array(v.string()), []),
  context: v.optional(v.array(entrySchema), []),
  touch: v.optional(v.array(v.string()), []),
  options: v.optional(v.array(v.string())),
  folder: v.optional(v.string()),
  bases,
});

const errorSchema = v.strictObject({
  code: v.string(),
  text: v.string(),
  engine: v.optional(v.picklist(["fails", "builds"]), "fails"),
});

const stepSchema = v.strictObject({
  edit: v.optional(editSchema),
  route: v.optional(v.picklist(["reuse", "assemble", "engine"])),
  why: v.optional(v.array(v.string())),
  digest: v.optional(v.picklist(["kept", "changed"])),
  warning: v.optional(v.string()),
  error: v.optional(errorSchema),
});

const caseSchema = v.strictObject({
  file: v.optional(v.string(), "Dockerfile"),
  description: v.pipe(v.string(), v.regex(/^[A-Z].*\.$/)),
  since: v.optional(v.picklist([20, 26, 28]), 20),
  until: v.optional(v.picklist([20, 26, 28]), 28),
  important: v.optional(v.boolean(), false),
  options: v.optional(v.array(v.string()), []),
  bases,
  context: v.optional(v.array(entrySchema), []),
  steps: v.pipe(
    v.array(
      v.pipe(
        stepSchema,
        v.check(
          ({ route, error }) => (route === undefined) !== (error === undefined),
          "a step has a route or an error",
        ),
      ),
    ),
    v.minLength(1),
  ),
});

/** The folder with a folder for each case. */
const corpusFolder: string = new URL("../corpus/", import.meta.url).pathname;

/** Reads all cases, sorted by name. Throws if one is not as the README says. */
export async function loadCorpus(): Promise<readonly CorpusCase[]> {
  const found = await readdir(corpusFolder, { withFileTypes: true });
  const names = found.filter((one) => one.isDirectory()).map((one) => one.name);
  return await Promise.all(names.sort().map(loadCase));
}

async function loadCase(name: string): Promise<CorpusCase> {
  const [dockerfile, text] = await Promise.all([
    readFile(join(corpusFolder, name, "Dockerfile"), "utf8"),
    readFile(join(corpusFolder, name, "case.json"), "utf8"),
  ]);
  return { name, dockerfile, ...parseCase(text, name) };
}

/** Reads a `case.json`. Throws if it is not as the README says. */
export function parseCase(text: string, name: string): Omit<CorpusCase, "name" | "dockerfile"> {
  const parsed = v.safeParse(caseSchema, JSON.parse(text));
  if (!parsed.success) throw new Error(`could not read the case ${name}: ${v.summarize(parsed.issues)}`);
  return parsed.output;
}
