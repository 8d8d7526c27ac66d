// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "../spec/digest.ts";
import { chainIdOf } from "../spec/image-config.ts";
import { formatPlatform, type Platform } from "../spec/platform.ts";
import { type CacheKey, cacheKeyOf, type KeyInput, listValue } from "./cache-key.ts";
import { parentOf } from "./context-files.ts";
import { filesValue } from "./files-value.ts";
import type { CopyStep, FileSource, RunStep, Step, WorkdirStep } from "./step.ts";
import type { StepContent } from "./step-content.ts";

/** What keys are made with besides the steps. */
export interface KeyScope {
  /** The key or chain that a --from or a mount reads; undefined if it has no key. */
  readonly sourceKey: (source: Exclude<FileSource, { kind: "context" }>) => string | undefined;
  /** What a step selects from the build context: its sources, and each of a RUN's bind mounts. */
  readonly contentOf: (step: Step) => StepContent | undefined;
  /** Flags that change what a RUN sees: network, hosts, limits. */
  readonly runOptions: readonly string[];
  /** Build arguments that the front end itself reads. */
  readonly buildArgs: ReadonlyMap<string, string>;
}

/** The key of a chain's root: the base's layers and the platform, not its tag, manifest or config. */
export function rootKey(diffIds: readonly Digest[], platform: Platform): CacheKey {
  return cacheKeyOf([
    { name: "kind", value: "base" },
    { name: "layers", value: chainIdOf(diffIds) ?? "scratch" },
    { name: "platform", value: formatPlatform(platform) },
  ]);
}

/** The key of a step on top of a chain; undefined if nothing can stand for its result. */
export function stepKey(step: Step, parent: CacheKey, scope: KeyScope): CacheKey | undefined {
  if (step.opaque !== undefined) return undefined;
  const inputs = inputsOf(step, scope);
  if (inputs === undefined) return undefined;
  return cacheKeyOf([{ name: "parent", value: parent.digest }, { name: "kind", value: step.kind }, ...inputs]);
}

function inputsOf(step: Step, scope: KeyScope): readonly KeyInput[] | undefined {
  switch (step.kind) {
    case "run":
      return runInputs(step, scope);
    case "workdir":
      return workdirInputs(step, scope);
    default:
      return copyInputs(step, scope);
  }
}

/** The time is one that BuildKit gives to the directories that it makes. */
function workdirInputs({ path, user }: WorkdirStep, { buildArgs }: KeyScope): readonly KeyInput[] {
  return [
    { name: "path", value: path },
    { name: "user", value: user },
    { name: "time", value: buildArgs.get("SOURCE_DATE_EPOCH") ?? "" },
  ];
}

function runInputs(step: RunStep, scope: KeyScope): readonly KeyInput[] | undefined {
  const { config, environment } = step.before;
  const mounts = step.mounts.map((mount) => mountValue(step, { mount, scope }));
  if (mounts.includes(undefined)) return undefined;
  return [
    { name: "command", value: listValue(step.argv) },
    {
      name: "here-documents",
      value: listValue(step.heredocs.flatMap(({ name, content, chomp }) => [name, content, String(chomp)])),
    },
    { name: "directory", value: config.WorkingDir ?? "" },
    { name: "user", value: config.User ?? "" },
    { name: "mounts", value: listValue(mounts as string[]) },
    { name: "network", value: step.network ?? "" },
    { name: "security", value: step.security ?? "" },
    { name: "options", value: listValue(scope.runOptions) },
    argumentInput("host name", "BUILDKIT_SANDBOX_HOSTNAME", scope),
    argumentInput("cache namespace", "BUILDKIT_CACHE_MOUNT_NS", scope),
    { name: "order of the environment", value: listValue([...environment.keys()]) },
    ...[...environment].map(([name, value]) => ({
      name: `environment ${name}`,
      value,
      isPrivate: scope.buildArgs.has(name) ? true : undefined,
    })),
  ];
}

function argumentInput(name: string, argument: string, { buildArgs }: KeyScope): KeyInput {
  return { name, value: buildArgs.get(argument) ?? "", isPrivate: buildArgs.has(argument) ? true : undefined };
}

/** A mount's declaration, and for a bind mount what it reads; never the value of a secret. */
function mountValue(
  step: RunStep,
  { mount, scope }: { mount: RunStep["mounts"][number]; scope: KeyScope },
): string | undefined {
  const { reads, ...declaration } = mount;
  const fields = Object.entries(declaration)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => [name, String(value)]);
  if (reads.kind !== "context") {
    const key = scope.sourceKey(reads);
    return key === undefined ? undefined : listValue([...fields, key]);
  }
  if (!readsContext(mount)) return listValue(fields);
  const content = scope.contentOf(step);
  return listValue([...fields, filesValue(content)]);
}

/** Whether files of the build context or of a named directory are in a mount; a cache begins with what it is from. */
export function readsContext({ type, reads }: RunStep["mounts"][number]): boolean {
  return reads.kind === "context" && (type === "bind" || reads.name !== undefined);
}

function copyInputs(step: CopyStep, scope: KeyScope): readonly KeyInput[] | undefined {
  const flags: readonly KeyInput[] = [
    { name: "sources", value: listValue(step.sources) },
    { name: "here-documents", value: listValue(step.heredocs.flatMap(({ name, content }) => [name, content])) },
    { name: "destination", value: step.destination },
    { name: "chown", value: step.chown ?? "" },
    { name: "chmod", value: step.chmod ?? "" },
    {
      name: "flags",
      value: listValue([
        `link=${step.link}`,
        `parents=${step.parents}`,
        `unpack=${step.unpack ?? ""}`,
        `keep-git-dir=${step.keepGitDir}`,
        `checksum=${step.checksum ?? ""}`,
        ...step.excludes.map((pattern) => `exclude=${pattern}`),
      ]),
    },
  ];
  if (step.from.kind !== "context") {
    const from = scope.sourceKey(step.from);
    return from === undefined ? undefined : [...flags, { name: "from", value: from }];
  }
  return [...flags, { name: "files", value: filesValue(scope.contentOf(step)) }];
}

/** The directory whose listing a source word needs first: everything before its first wildcard. */
export function literalRoot(word: string): string {
  const parts = word.split("/").filter((part) => part !== "" && part !== ".");
  const wild = parts.findIndex((part) => /[*?[\\]/.test(part));
  return wild === -1 ? parts.join("/") : parentOf(`${parts.slice(0, wild).join("/")}/x`);
}
