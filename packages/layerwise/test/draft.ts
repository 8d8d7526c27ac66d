// SPDX-License-Identifier: Apache-2.0
import { createIgnoreMatcher, parseIgnoreFile } from "../src/dockerfile/ignore.ts";
import type { Dockerfile } from "../src/dockerfile/instruction.ts";
import { parseDockerfile } from "../src/dockerfile/parse.ts";
import { type Chain, chainsOf, endKey } from "../src/plan/chain.ts";
import { ignoring } from "../src/plan/context-files.ts";
import { type SelectedSource, selectSource } from "../src/plan/copy-selection.ts";
import { evaluateStages } from "../src/plan/evaluate-stages.ts";
import { isRemote } from "../src/plan/evaluate-step.ts";
import { type BaseImage, baseKey } from "../src/plan/facts.ts";
import { globalScopeOf, neededHeads } from "../src/plan/global-scope.ts";
import { plainExcludes } from "../src/plan/plain-excludes.ts";
import type { PlannedStages } from "../src/plan/plan.ts";
import type { FileSource, Step } from "../src/plan/step.ts";
import type { StepContent } from "../src/plan/step-content.ts";
import type { ContextEntry, ContextTree } from "../src/ports.ts";
import { type Digest, digestOf } from "../src/spec/digest.ts";
import type { ImageConfig } from "../src/spec/image-config.ts";
import { formatPlatform, type Platform } from "../src/spec/platform.ts";
import { contextTree } from "../src/system/context-tree.ts";

/** A file of a context for tests: a text is a file of mode 0644. */
export type DraftFile =
  | string
  | {
      readonly text?: string;
      readonly directory?: true;
      readonly target?: string;
      readonly mode?: number;
      readonly mtime?: number;
      readonly uid?: number;
      readonly gid?: number;
      readonly hardLink?: string;
      /** As `setcap` reads it. */
      readonly capability?: string;
    };

/** A build to plan as far as nothing outside is needed. */
export interface DraftInput {
  readonly dockerfile: string;
  readonly files?: Readonly<Record<string, DraftFile>>;
  readonly ignore?: string;
  /** What is in the directory that `--build-context` calls `named`. */
  readonly named?: Readonly<Record<string, DraftFile>>;
  readonly base?: Partial<ImageConfig>;
  /** What stands for the layers of the image `other`. */
  readonly other?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly platform?: Platform;
  readonly runOptions?: readonly string[];
}

/** The platform that drafts are for, unless they say another. */
export const amd64: Platform = { os: "linux", architecture: "amd64" };

/** The diff ID of the one layer that the base of drafts has. */
const baseLayer: Digest = digestOf("a layer of the base");

/** A base image as planning sees it. */
export function draftBase(reference: string, config: Partial<ImageConfig> = {}): BaseImage {
  return {
    reference,
    location: { kind: "registry", name: { host: "registry.test", path: reference } },
    digest: digestOf(reference),
    family: "oci",
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: digestOf("blob"), size: 10 }],
    config: { ...amd64, config: {}, diffIds: [baseLayer], history: [{ created_by: "base" }], ...config },
  };
}

/** The chain of the target with its keys, and what its steps select. */
export function draft(input: DraftInput): {
  readonly chain: Chain;
  readonly chains: ReadonlyMap<number, Chain>;
  readonly key: string;
  readonly dockerfile: Dockerfile;
  readonly platform: Platform;
  readonly evaluated: PlannedStages;
} {
  const dockerfile = parseDockerfile(input.dockerfile, "Dockerfile");
  const platform = input.platform ?? amd64;
  const buildArgs = new Map(Object.entries(input.buildArgs ?? {}));
  const scope = globalScopeOf(dockerfile, { buildArgs, buildPlatform: amd64, targetPlatform: platform });
  const heads = neededHeads(dockerfile, { scope, target: input.target, platform });
  const base = draftBase("base", { ...platform, ...input.base });
  const bases = new Map(
    ["base", "other"].map((name) => [baseKey(name, formatPlatform(platform)), { ...base, reference: name }]),
  );
  const stages = evaluateStages(dockerfile, {
    heads,
    scope,
    facts: {
      ...{ bases, buildPlatform: amd64, targetPlatform: platform },
      directories: new Map(input.named === undefined ? [] : [["named", input.named]]),
    },
  });
  const contentAt = contentOf(input);
  const imageKey = (reference: string) => (reference === "other" ? (input.other ?? "layers") : undefined);
  const runOptions = input.runOptions ?? [];
  const chains = chainsOf(stages, { contentOf: contentAt, buildArgs, runOptions, imageKey });
  const content = new Map<Step, StepContent>();
  for (const step of [...stages.values()].flatMap(({ steps }) => steps)) {
    const selected = contentAt(step);
    if (selected !== undefined) content.set(step, selected);
  }
  const last = heads.at(-1)?.stage.index ?? 0;
  const chain = chains.get(last) as Chain;
  const evaluated: PlannedStages = { stages, chains, content, imageKey };
  return { chain, chains, key: endKey(chain)?.digest ?? "none", dockerfile, platform, evaluated };
}

/** A context as its listing would be, directories added. */
export function draftTree(files: Readonly<Record<string, DraftFile>>): ContextTree {
  const entries = new Map<string, ContextEntry>([["", directoryEntry("", 0o755)]]);
  for (const [path, file] of Object.entries(files)) {
    const parts = path.split("/");
    for (let length = 1; length < parts.length; length++) {
      const above = parts.slice(0, length).join("/");
      if (!entries.has(above)) entries.set(above, directoryEntry(above, 0o755));
    }
    entries.set(path, entryOf(path, file));
  }
  const sorted = [...entries.values()].sort((a, b) =>
    a.path.split("/").join("\0") < b.path.split("/").join("\0") ? -1 : 1,
  );
  return contextTree(new Map(sorted.map((entry) => [entry.path, entry])));
}

function entryOf(path: string, file: DraftFile): ContextEntry {
  if (typeof file === "string") return { ...directoryEntry(path, 0o644), kind: "file", size: file.length };
  const { text = "", directory, target, mode, mtime = 0, uid = 0, gid = 0, hardLink } = file;
  const kind = directory === true ? "directory" : target === undefined ? "file" : "symlink";
  const usual = kind === "file" ? 0o644 : kind === "directory" ? 0o755 : 0o777;
  return {
    path,
    kind,
    mode: mode ?? usual,
    uid,
    gid,
    mtime,
    size: kind === "file" ? text.length : 0,
    target,
    hardLink,
  };
}

function directoryEntry(path: string, mode: number): ContextEntry {
  return { path, kind: "directory", mode, uid: 0, gid: 0, size: 0, mtime: 0 };
}

function contentOf({ files, ignore, named }: DraftInput): (step: Step) => StepContent | undefined {
  const places = [contentIn({ files, ignore }, undefined), contentIn({ files: named }, "named")];
  return (step) => {
    const [first, ...more] = places.flatMap((place) => place(step) ?? []);
    return first === undefined || more.length === 0 ? first : { ...first, more };
  };
}

function contentIn(
  { files = {}, ignore = "" }: { files?: DraftInput["files"] | undefined; ignore?: string | undefined },
  context: string | undefined,
): (step: Step) => StepContent | undefined {
  const tree = draftTree(files);
  const kept = ignoring(createIgnoreMatcher(parseIgnoreFile(ignore)))(tree);
  const digests = new Map(
    Object.entries(files).map(([path, file]) => [path, digestOf(typeof file === "string" ? file : (file.text ?? ""))]),
  );
  return (step) => {
    const words = contextWords(step, context);
    if (words === undefined || words.length === 0) return undefined;
    const excludes = "excludes" in step ? plainExcludes(step.excludes) : undefined;
    const sources: SelectedSource[] = words.flatMap((word) => {
      const result = selectSource(kept, { word, at: step.at, isPattern: step.kind !== "run", excludes });
      return result.kind === "selected" ? result.sources : [];
    });
    return { context, sources, digests, archives: new Map(), capabilities: capabilitiesIn(files) };
  };
}

function capabilitiesIn(files: Readonly<Record<string, DraftFile>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(files).flatMap(([path, file]) =>
      typeof file === "string" || file.capability === undefined ? [] : [[path, file.capability]],
    ),
  );
}

function contextWords(step: Step, context: string | undefined): readonly string[] | undefined {
  if (step.kind === "workdir") return undefined;
  const isThere = (source: FileSource) => source.kind === "context" && source.name === context;
  if (step.kind !== "run") return isThere(step.from) ? step.sources.filter((source) => !isRemote(source)) : undefined;
  const binds = step.mounts.filter((mount) => mount.type === "bind" && isThere(mount.reads));
  return binds.map((mount) => mount.source ?? "/");
}
