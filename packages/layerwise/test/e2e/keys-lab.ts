// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DraftFile, DraftInput } from "../draft.ts";
import { pushBase } from "./corpus-bases.ts";
import type { BaseSpec, Entry } from "./corpus-case.ts";
import { writeEntries } from "./corpus-context.ts";
import type { Site } from "./site.ts";

/** One instruction of a build that makes a layer: our key of it, and what the engine did. */
export interface JudgedStep {
  readonly stage: string;
  readonly line: number;
  readonly instruction: string;
  /** Undefined if nothing can stand for its result. */
  readonly key: string | undefined;
  /** `merged`: the engine shows no line for it, because the same instruction stands elsewhere or nothing needs it. */
  readonly engine: "executed" | "cached" | "merged";
}

/** Builds a series of inputs with one engine, which starts with nothing of them in its cache. */
export interface KeySeries {
  /** What the keys of an input's instructions are, and whether the engine executed them. */
  judge(input: DraftInput, options?: JudgeOptions): Promise<readonly JudgedStep[]>;
  /** What `layerwise plan --json` said of each input so far: files. */
  readonly plans: readonly string[];
}

/** How a build differs that is not in its input. */
export interface JudgeOptions {
  /** Whether the engine is told to use nothing that it holds. */
  readonly noCache?: boolean;
}

let series = 0;

/** Starts a series: its base images have a layer that no other series has. */
export function startSeries(site: Site): KeySeries {
  series += 1;
  const name = `keys-${process.pid}-${series}`;
  const plans: string[] = [];
  let builds = 0;
  return {
    plans,
    async judge(input, { noCache = false } = {}) {
      builds += 1;
      const folder = await site.folder(`${name}/${builds}`);
      const args = await writeBuild(site, { input, folder, name, edit: builds });
      const plan = join(folder, "plan.json");
      const planned = await keysOf(site, { args, plan });
      plans.push(plan);
      const flags = noCache ? ["--no-cache", ...args] : args;
      const executed = await verdictsOf(site, { args: flags, dockerfile: input.dockerfile });
      return planned.map(({ label, ...step }) => {
        const engine = executed.get(label) ?? "merged";
        return { ...step, engine };
      });
    },
  };
}

/** Instructions whose key an earlier build had as well, and which the engine executed all the same. */
export function coarseKeys(builds: readonly (readonly JudgedStep[])[]): readonly string[] {
  const known = new Set<string>();
  return builds.flatMap((steps, build) => {
    const found = steps.filter(({ key, engine }) => key !== undefined && known.has(key) && engine === "executed");
    for (const { key } of steps) if (key !== undefined) known.add(key);
    return found.map(({ stage, instruction }) => `build ${build + 1}, stage ${stage}: ${instruction}`);
  });
}

interface Writing {
  readonly input: DraftInput;
  readonly folder: string;
  readonly name: string;
  /** Which of the series' builds it is. */
  readonly edit: number;
}

/** Writes an input's files, pushes its bases, and returns the arguments that build it. */
async function writeBuild(site: Site, { input, folder, name, edit }: Writing): Promise<readonly string[]> {
  const { dockerfile, files = {}, ignore, named: directory, buildArgs = {}, runOptions = [], target } = input;
  const bases = new Map<string, string>();
  for (const base of ["base", "other"]) {
    const spec = baseOf(input, { name, isOther: base === "other" });
    bases.set(base, await pushBase(site, spec, { repository: `${name}-${base}`, tag: "1" }));
  }
  const named = dockerfile.replace(
    /(FROM (?:--\S+ )?|from=|^ARG \w+=)(base|other)\b/gim,
    (_, before: string, base: string) => `${before}${bases.get(base)}`,
  );
  const context = join(folder, "context");
  await mkdir(context);
  await writeEntries(context, entriesOf(files), { edit });
  await writeFile(join(folder, "Dockerfile"), named);
  if (ignore !== undefined) await writeFile(join(folder, "Dockerfile.dockerignore"), ignore);
  if (directory !== undefined) {
    await mkdir(join(folder, "named"));
    await writeEntries(join(folder, "named"), entriesOf(directory), { edit });
  }
  return [
    ...(directory === undefined ? [] : ["--build-context", `named=${join(folder, "named")}`]),
    ...Object.entries(buildArgs).flatMap(([arg, value]) => ["--build-arg", `${arg}=${bases.get(value) ?? value}`]),
    ...runOptions,
    ...(target === undefined ? [] : ["--target", target]),
    "--file",
    join(folder, "Dockerfile"),
    context,
  ];
}

/** The tiny base with a layer that only this series has, and with what the input says of it; the other one may have a file x. */
function baseOf(
  { dockerfile, base = {}, other }: DraftInput,
  { name, isOther }: { name: string; isOther: boolean },
): BaseSpec {
  const { config, created, history, diffIds } = base;
  const content = `${name} ${diffIds?.join(" ") ?? ""}`;
  const document = { ...(created && { created }), ...(history && { history }) };
  const mark: Entry = { names: "utf8", path: "mark", type: "file", content };
  const x: Entry = { names: "utf8", path: "x", type: "file", content: other ?? "" };
  const hasX = isOther && (other !== undefined || dockerfile.includes("from=other"));
  return { from: "tiny", family: "docker", layers: [hasX ? [mark, x] : [mark]], config: { ...config }, document };
}

function entriesOf(files: Readonly<Record<string, DraftFile>>): readonly Entry[] {
  const links = new Map<string, string>();
  return Object.entries(files).map(([path, file]): Entry => {
    const { text, directory, target, mode, mtime, hardLink, capability } =
      typeof file === "string" ? { text: file } : file;
    const common = { names: "utf8", path, mtime, capability, mode: mode?.toString(8).padStart(4, "0") } as const;
    const first = hardLink === undefined ? undefined : links.get(hardLink);
    if (hardLink !== undefined && first === undefined) links.set(hardLink, path);
    if (first !== undefined) return { names: "utf8", path, type: "hardlink", target: first };
    if (target !== undefined) return { ...common, type: "symlink", target };
    if (directory === true) return { ...common, type: "directory" };
    return { ...common, type: "file", content: text ?? "" };
  });
}

interface PlannedKey {
  readonly stage: string;
  readonly line: number;
  readonly instruction: string;
  readonly key: string | undefined;
  /** How the engine's progress names the instruction. */
  readonly label: string;
}

async function keysOf(
  site: Site,
  { args, plan: file }: { args: readonly string[]; plan: string },
): Promise<readonly PlannedKey[]> {
  const plan = ["plan", "--json", "--insecure-registry", site.registry.name, ...args];
  const { exitCode, stdout, stderr } = await site.layerwise(plan);
  if (exitCode !== 0) throw new Error(`layerwise ${plan.join(" ")} ended with ${exitCode}:\n${stderr}`);
  await writeFile(file, stdout);
  const { steps } = JSON.parse(stdout.toString("utf8")) as { steps: readonly Omit<PlannedKey, "label">[] };
  const counts = new Map<string, number>();
  return steps.map(({ stage, line, instruction, key }) => {
    const count = (counts.get(stage) ?? 0) + 1;
    counts.set(stage, count);
    return { stage, line, instruction, key, label: `${stage} ${count}` };
  });
}

/**
 * Builds, and says of each instruction whether it was executed. `#7 [one 2/3] RUN …` tells that number 7 is the second
 * of stage one, where an image that the stage starts from counts as the first; `#7 CACHED` that it was not executed.
 */
async function verdictsOf(
  site: Site,
  { args, dockerfile }: { args: readonly string[]; dockerfile: string },
): Promise<ReadonlyMap<string, "executed" | "cached">> {
  const { engine } = site;
  if (engine === undefined) throw new Error("this site has no engine");
  // Nothing needs the image itself, and newer engines can leave it at that.
  const output = engine.generation === 20 ? [] : ["--output", "type=cacheonly"];
  const build = ["docker", "build", "--progress=plain", ...output, ...args];
  const { stderr } = await engine.exec(build, { env: { DOCKER_BUILDKIT: "1" }, cwd: site.work });
  const lines = stderr.split("\n");
  const cached = new Set(lines.flatMap((line) => /^#(\d+) CACHED$/.exec(line)?.[1] ?? []));
  const bases = stageBases(dockerfile);
  const verdicts = new Map<string, "executed" | "cached">();
  for (const line of lines) {
    const [, id = "", stage, position] = /^#(\d+) \[(?:(\S+) )?(\d+)\/\d+\] (?!FROM)/.exec(line) ?? [];
    if (position === undefined) continue;
    // Only the instructions of a single stage have no name before their number.
    const name = stage?.replace(/^stage-/, "") ?? [...bases.keys()][0] ?? "";
    const own = Number(position) - (bases.get(name) === "image" ? 1 : 0);
    verdicts.set(`${name} ${own}`, cached.has(id) ? "cached" : "executed");
  }
  return verdicts;
}

/** What each stage starts from, by its name or number. */
function stageBases(dockerfile: string): ReadonlyMap<string, "image" | "other"> {
  const stages = [...dockerfile.matchAll(/^FROM (?:--\S+ )?(\S+)(?: AS (\S+))?/gim)];
  return new Map(stages.map(([, base, name], index) => [name ?? String(index), isImage(base) ? "image" : "other"]));
}

/** An argument that selects the base selects an image. */
function isImage(base: string | undefined): boolean {
  return base === "base" || base === "other" || base === "$IMAGE";
}
