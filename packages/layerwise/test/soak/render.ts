// SPDX-License-Identifier: Apache-2.0
import { createIgnoreMatcher, parseIgnoreFile } from "../../src/dockerfile/ignore.ts";
import { hasCode } from "../../src/error.ts";
import type { BaseSpec, CorpusCase, Edit, Entry } from "../e2e/corpus-case.ts";
import { applyEditModel, chosen } from "./edits.ts";
import { contextEntries, kindsOfTree, layerEntries, neededPaths } from "./entries.ts";
import type { BaseModel, BuildModel, SeriesModel, StageModel } from "./model.ts";

/** A series as a case of the corpus whose outcome is not known yet. */
export interface RenderedSeries {
  readonly first: Omit<CorpusCase, "steps">;
  /** What changes before each further build. */
  readonly edits: readonly Edit[];
}

/** The inputs of one build, in the corpus' words. */
interface RenderedBuild {
  readonly dockerfile: string;
  readonly context: readonly Entry[];
  readonly base: BaseSpec;
  readonly options: readonly string[];
}

/**
 * Writes a series down.
 *
 * @param name is the case's, and makes the layers of its base its own: engines do at once what two builds have in common
 */
export function renderSeries({ build, edits }: SeriesModel, name: string): RenderedSeries {
  const models = [build];
  for (const some of edits) models.push(some.reduce(applyEditModel, models.at(-1) as BuildModel));
  const builds = models.map((model) => renderBuild(model, name));
  const { dockerfile, context, base, options } = builds[0] as RenderedBuild;
  return {
    first: {
      name,
      dockerfile,
      context: [...context],
      bases: { BASE: base },
      options: [...options],
      description: "Found by the soak.",
      file: "Dockerfile",
      since: 20,
      until: 28,
      important: false,
    },
    edits: builds.slice(1).map((after, index) => ({
      ...editBetween(builds[index] as RenderedBuild, after),
      touch: touched(edits[index] ?? [], after.context),
    })),
  };
}

/** What an edit must say so that one build becomes the other. */
function editBetween(before: RenderedBuild, after: RenderedBuild): Omit<Edit, "touch"> {
  const [old, now] = [entriesByPath(before.context), entriesByPath(after.context)];
  const gone = before.context.filter(({ path, type }) => {
    const next = now.get(path);
    if (next !== undefined) return next.type !== type;
    return type !== "directory" || !isParent(path, after.context);
  });
  const remove = gone.map(({ path }) => path).filter((path) => !gone.some((one) => path.startsWith(`${one.path}/`)));
  const isNew = (entry: Entry) =>
    JSON.stringify(entry) !== JSON.stringify(old.get(entry.path)) ||
    remove.some((path) => entry.path.startsWith(`${path}/`));
  const changed = new Set(after.context.filter(isNew).map(({ path }) => path));
  // A file that is written anew is another file, which its hard links have to name again.
  const context = after.context.filter(
    ({ path, type, target = "" }) => changed.has(path) || (type === "hardlink" && changed.has(target)),
  );
  return {
    dockerfile: before.dockerfile === after.dockerfile ? [] : [[before.dockerfile, after.dockerfile]],
    remove,
    context,
    bases: JSON.stringify(before.base) === JSON.stringify(after.base) ? {} : { BASE: after.base },
    options: [...after.options],
  };
}

function touched(edits: SeriesModel["edits"][number], context: readonly Entry[]): string[] {
  return edits.flatMap(({ kind, which }) => (kind === "touch" ? [chosen(context, which).path] : []));
}

function entriesByPath(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  return new Map(entries.map((entry) => [entry.path, entry]));
}

/** Directories that nothing says anything of are there for what is in them. */
function isParent(path: string, entries: readonly Entry[]): boolean {
  return entries.some((one) => one.path.startsWith(`${path}/`));
}

function renderBuild(model: BuildModel, name: string): RenderedBuild {
  const { base, ignore, buildArgs, labels, target, stages } = model;
  const ignoreEntry: Entry | undefined = ignore && {
    path: ignore.file,
    type: "file",
    content: ignoreLines(ignore.lines, stages)
      .map((line) => `${line}\n`)
      .join(""),
    names: "utf8",
  };
  const dockerfile = renderDockerfile(model);
  return {
    dockerfile,
    context: [...contextEntries(model.entries), ...(ignoreEntry === undefined ? [] : [ignoreEntry])],
    base: renderBase(base, name),
    options: [
      ...Object.entries(buildArgs).flatMap(([arg, value]) => ["--build-arg", `${arg}=${value}`]),
      ...Object.entries(labels).flatMap(([label, value]) => ["--label", `${label}=${value}`]),
      ...(/from=named\b/.test(dockerfile) ? ["--build-context", "named=${CONTEXT}/src"] : []),
      ...(target === 0 ? [] : ["--target", `s${stages.length - 1 - (target % stages.length)}`]),
    ],
  };
}

/** Without the patterns that take away what most instructions name, unless there are many patterns. */
function ignoreLines(lines: readonly string[], stages: readonly StageModel[]): readonly string[] {
  const isNeeded = stages.some(({ instructions }) => instructions.some((text) => text !== "COPY . /"));
  if (!isNeeded || lines.length > 3) return lines;
  const kept: string[] = [];
  for (const line of lines) {
    if (!isReadable(line)) continue;
    const walk = createIgnoreMatcher(parseIgnoreFile([...kept, line].join("\n"))).startWalk();
    if (!neededPaths.some(({ path, isDirectory }) => walk.excludes(path, isDirectory))) kept.push(line);
  }
  return kept;
}

/** A build with a malformed pattern is refused, and says nothing of its instructions. */
function isReadable(line: string): boolean {
  try {
    createIgnoreMatcher(parseIgnoreFile(line));
    return true;
  } catch (error) {
    if (hasCode(error, "DOCKERFILE_SYNTAX")) return false;
    throw error;
  }
}

function renderBase({ family, hasShell, layers, config }: BaseModel, name: string): BaseSpec {
  const kinds = kindsOfTree();
  const mark: Entry = { path: "mark", type: "file", content: name, names: "utf8" };
  const all = [[mark], ...layers.map((entries) => [...layerEntries(entries, kinds)])];
  return { from: hasShell ? "tiny" : "tree", family, layers: all, config: { ...config }, document: {} };
}

/** Instructions behind which an engine would run something. */
const runs = /^RUN\b/;

function renderDockerfile({ stages, base, style }: BuildModel): string {
  let number = 0;
  const lines = stages.flatMap(({ from, instructions }: StageModel, index) => {
    const kept = instructions.filter((text) => !runs.test(text) || (base.hasShell && hasShell(stages, index)));
    return [
      `FROM ${sourceOf(from, index)} AS s${index}`,
      ...kept.map((text) => {
        number += 1;
        const elsewhere = index === 0 ? "${TREE}" : `s${number % index}`;
        return text.replaceAll("#", String(number)).replaceAll("@", elsewhere);
      }),
    ];
  });
  return `${lines.map((line) => styled(line, style)).join("\n")}\n`;
}

function sourceOf(from: StageModel["from"], index: number): string {
  if (typeof from === "number") return index === 0 ? "${BASE}" : `s${index - 1 - (from % index)}`;
  return { base: "${BASE}", tree: "${TREE}", scratch: "scratch" }[from];
}

function hasShell(stages: readonly StageModel[], index: number): boolean {
  const from = stages[index]?.from;
  if (typeof from !== "number") return from === "base";
  return index === 0 || hasShell(stages, index - 1 - (from % index));
}

function styled(line: string, style: number): string {
  if (line.includes("\n")) return line;
  if (style % 4 === 1) return `# a comment\n${line}`;
  if (style % 4 === 2) return line.replace(" ", " \\\n  ");
  return style % 4 === 3 ? line.replace(/^\w+/, (word) => word.toLowerCase()) : line;
}
