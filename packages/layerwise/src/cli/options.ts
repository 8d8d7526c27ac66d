// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import { type Platform, parsePlatform } from "../spec/platform.ts";
import { parseReference, type Reference } from "../spec/reference.ts";
import { isDirectoryContext } from "./build-contexts.ts";
import { type ReportFile, readReportFile } from "./report-file.ts";

/** What the command line of `build` and `plan` says, checked but not yet opened. */
export interface CommandOptions {
  readonly context: string;
  readonly file: string | undefined;
  readonly target: string | undefined;
  readonly tags: readonly Reference[];
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly buildContexts: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly platform: Platform | undefined;
  readonly noCache: boolean | readonly string[];
  /** Milliseconds. */
  readonly refreshAfter: number | undefined;
  readonly outputs: readonly OutputOption[];
  readonly tagByContent: boolean;
  readonly cacheRepo: string | undefined;
  /** Path; for `lock` the one to write instead of the one beside the Dockerfile. */
  readonly lockFile: string | undefined;
  readonly readOnlyCache: boolean;
  readonly checkpoints: "all" | "final" | "none";
  /** `build` and `plan` only. */
  readonly engine: "auto" | "never";
  readonly verifyOneIn: number | undefined;
  readonly builder: string | undefined;
  readonly insecureRegistries: readonly string[];
  readonly registryCa: string | undefined;
  readonly progress: "auto" | "plain" | "tty" | "quiet" | "json";
  readonly metadataFile: string | undefined;
  readonly iidFile: string | undefined;
  readonly reports: readonly ReportFile[];
  /** `plan`, `verify`, `explain` and `history` only. */
  readonly json: boolean;
  /** `history` only: how many builds, as given. */
  readonly last: string | undefined;
  /** `explain` only: two revisions of git. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** `fix` only. */
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** For the engine as they are; `runs` are those that change what a RUN sees. */
  readonly passThrough: readonly string[];
  readonly runs: readonly string[];
}

/** Where the image should go. */
export type OutputOption =
  | { readonly kind: "push" }
  | { readonly kind: "load" }
  | { readonly kind: "layout"; readonly path: string }
  | { readonly kind: "archive"; readonly path: string };

/** Flags as commander collects them. */
export interface RawFlags {
  file?: string;
  target?: string;
  tag?: string[];
  buildArg?: string[];
  buildContext?: string[];
  label?: string[];
  annotation?: string[];
  secret?: string[];
  ssh?: string[];
  platform?: string;
  cache?: boolean;
  noCacheFilter?: string[];
  refreshAfter?: string;
  push?: boolean;
  load?: boolean;
  output?: string[];
  tagByContent?: boolean;
  cacheRepo?: string;
  lockFile?: string;
  /** `lock` only. */
  check?: boolean;
  /** `lock` and `analyze`. */
  offline?: boolean;
  readOnlyCache?: boolean;
  checkpoints?: string;
  engine?: string;
  verify?: string | true;
  /** `analyze` and `history` only. */
  last?: string;
  /** `analyze` only, until the next. */
  branch?: string;
  durations?: string[];
  whatIf?: string[];
  whatIfIgnore?: string;
  whatIfAdvice?: boolean;
  buildsPerMonth?: string;
  pricePerMinute?: string;
  keepCheckpoints?: string;
  withoutGitDirectory?: boolean;
  umask?: string;
  backtest?: string;
  /** `prune` only. */
  key?: string[];
  builder?: string;
  insecureRegistry?: string[];
  registryCa?: string;
  progress?: string;
  metadataFile?: string;
  iidfile?: string;
  report?: string[];
  json?: boolean;
  /** `explain` only. */
  from?: string;
  to?: string;
  /** `fix` only. */
  dryRun?: boolean;
  yes?: boolean;
  network?: string;
  addHost?: string[];
  ulimit?: string[];
  shmSize?: string;
  cgroupParent?: string;
  allow?: string[];
  provenance?: string;
  sbom?: string;
}

/** Checks flags and gives them types. Pure; `env` is where `--build-arg NAME` takes values from. */
export function readOptions(
  context: string,
  { flags, env }: { flags: RawFlags; env: Readonly<Record<string, string | undefined>> },
): CommandOptions {
  refuseAttestation("provenance", flags.provenance);
  refuseAttestation("sbom", flags.sbom);
  const tags = (flags.tag ?? []).map(readTag);
  const outputs = readOutputs(flags);
  if (tags.length === 0 && flags.tagByContent !== true && outputs.some(({ kind }) => kind === "push")) {
    throw usage("could not push: there is no tag", "name the image with --tag REPOSITORY:TAG");
  }
  const runs = runFlags(flags);
  return {
    context,
    file: flags.file,
    target: flags.target,
    tags,
    buildArgs: readBuildArgs(flags.buildArg ?? [], env),
    buildContexts: pairs("build-context", flags.buildContext),
    labels: pairs("label", flags.label),
    annotations: pairs("annotation", flags.annotation),
    platform: readPlatform(flags.platform),
    noCache: flags.cache === false ? true : (flags.noCacheFilter ?? []).flatMap((list) => list.split(",")),
    refreshAfter: flags.refreshAfter === undefined ? undefined : readAge("--refresh-after", flags.refreshAfter),
    outputs,
    tagByContent: flags.tagByContent === true,
    cacheRepo: flags.cacheRepo,
    lockFile: flags.lockFile,
    readOnlyCache: flags.readOnlyCache === true,
    checkpoints: oneOf("checkpoints", flags.checkpoints ?? "all", ["all", "final", "none"]),
    engine: readEngine(flags),
    verifyOneIn: readVerify(flags.verify),
    builder: flags.builder,
    insecureRegistries: flags.insecureRegistry ?? [],
    registryCa: flags.registryCa,
    progress: oneOf("progress", flags.progress ?? "auto", ["auto", "plain", "tty", "quiet", "json"]),
    metadataFile: flags.metadataFile,
    iidFile: flags.iidfile,
    reports: (flags.report ?? []).map(readReportFile),
    json: flags.json === true,
    last: flags.last,
    from: flags.from,
    to: flags.to,
    dryRun: flags.dryRun === true,
    yes: flags.yes === true,
    passThrough: [
      ...repeated("secret", flags.secret),
      ...repeated("ssh", flags.ssh),
      ...repeated("allow", flags.allow),
      ...repeated(
        "build-context",
        flags.buildContext?.filter((text) => !isDirectoryContext(text.replace(/^[^=]*=/, ""))),
      ),
      ...runs,
    ],
    runs,
  };
}

function readEngine(flags: RawFlags): CommandOptions["engine"] {
  const engine = oneOf("engine", flags.engine ?? "auto", ["auto", "never"]);
  if (engine === "never" && flags.verify !== undefined) {
    throw usage("could not verify with --engine never: an engine is what to compare with", "drop one of the two flags");
  }
  return engine;
}

/** Flags that are part of a RUN's key. */
function runFlags(flags: RawFlags): readonly string[] {
  return [
    ...(flags.network === undefined ? [] : [`--network=${flags.network}`]),
    ...repeated("add-host", flags.addHost),
    ...repeated("ulimit", flags.ulimit),
    ...(flags.shmSize === undefined ? [] : [`--shm-size=${flags.shmSize}`]),
    ...(flags.cgroupParent === undefined ? [] : [`--cgroup-parent=${flags.cgroupParent}`]),
  ];
}

function repeated(name: string, values: readonly string[] | undefined): readonly string[] {
  return (values ?? []).map((value) => `--${name}=${value}`);
}

function readTag(text: string): Reference {
  const reference = parseReference(text);
  if (reference.digest !== undefined)
    throw usage(`could not use ${text} as a tag: it has a digest`, "give REPOSITORY:TAG");
  return { ...reference, tag: reference.tag ?? "latest" };
}

/** SOURCE_DATE_EPOCH needs no flag, as with buildx: https://docs.docker.com/build/building/variables/ */
function readBuildArgs(
  texts: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const name = "SOURCE_DATE_EPOCH";
  const time = env[name];
  const own: [string, string][] = time === undefined || time === "" ? [] : [[name, time]];
  return new Map([...own, ...texts.flatMap((text) => readBuildArg(text, env))]);
}

function readBuildArg(text: string, env: Readonly<Record<string, string | undefined>>): [string, string][] {
  const equals = text.indexOf("=");
  if (equals === 0) throw usage(`could not read --build-arg ${text}: it has no name`, "write NAME=VALUE or NAME");
  if (equals > 0) return [[text.slice(0, equals), text.slice(equals + 1)]];
  const value = env[text];
  return value === undefined ? [] : [[text, value]];
}

function pairs(flag: string, values: readonly string[] | undefined): ReadonlyMap<string, string> {
  return new Map(
    (values ?? []).map((text) => {
      const equals = text.indexOf("=");
      if (equals === 0 || (equals === -1 && flag !== "label"))
        throw usage(`could not read --${flag} ${text}`, "write NAME=VALUE");
      return equals === -1 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

function readPlatform(text: string | undefined): Platform | undefined {
  if (text === undefined) return undefined;
  if (text.includes(",")) {
    throw usage(
      "could not build for several platforms at once",
      "build once a platform and join the images with an index",
    );
  }
  const platform = parsePlatform(text);
  if (platform === undefined)
    throw usage(`could not read --platform ${text}`, "write os/architecture, for example linux/arm64");
  return platform;
}

/** `always` is what the flag means alone. */
function readVerify(value: string | true | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (value === true || value === "always") return 1;
  const count = /^sample:([1-9][0-9]{0,8})$/.exec(value)?.[1];
  if (count !== undefined) return Number(count);
  throw usage(
    `could not read --verify=${value}`,
    "write --verify, --verify=always or --verify=sample:N for one build in N",
  );
}

const ageUnits: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** An age in milliseconds; `what` is how errors name the setting. */
export function readAge(what: string, text: string): number {
  const match = /^([0-9]+)([smhdw])$/.exec(text);
  if (match === null) throw usage(`could not read ${what} ${text}`, "write a number and a unit, for example 12h or 7d");
  return Number(match[1]) * (ageUnits[match[2] as string] as number);
}

function readOutputs({ push, load, output }: RawFlags): readonly OutputOption[] {
  const outputs = [
    ...(push === true ? [{ kind: "push" } as const] : []),
    ...(load === true ? [{ kind: "load" } as const] : []),
  ];
  return [...outputs, ...(output ?? []).map(readOutput)];
}

/** buildx's form: `type=oci,dest=DIR`. */
function readOutput(text: string): OutputOption {
  const fields = new Map(
    text.split(",").map((field) => [field.split("=")[0] ?? "", field.slice(field.indexOf("=") + 1)]),
  );
  const type = fields.get("type");
  const dest = fields.get("dest");
  const known = type === "oci" ? ["type", "dest", "tar"] : type === "image" ? ["type", "push"] : ["type", "dest"];
  const unknown = [...fields.keys()].find((field) => !known.includes(field));
  if (unknown !== undefined) throw usage(`could not use --output ${text}: ${unknown} is not known there`, outputHint);
  // A layout is a directory here; that buildx would write a tar without tar=false is not passed over in silence.
  if (fields.has("tar") && fields.get("tar") !== "false") {
    throw usage(
      `could not use --output ${text}: an OCI layout is written as a directory`,
      "drop tar, or give tar=false",
    );
  }
  if (type === "registry" || (type === "image" && fields.get("push") === "true")) return { kind: "push" };
  if (type === "oci" && dest !== undefined) return { kind: "layout", path: dest };
  if (type === "docker") return dest === undefined ? { kind: "load" } : { kind: "archive", path: dest };
  throw usage(`could not use --output ${text}`, outputHint);
}

const outputHint = "use type=registry, type=oci,dest=DIR, type=docker,dest=FILE or type=docker";

function refuseAttestation(flag: string, value: string | undefined): void {
  if (value === undefined || value === "false" || value === "0" || value === "disabled=true") return;
  throw usage(
    `could not add --${flag}=${value}: images are published as single manifests without attestations`,
    `drop --${flag}`,
  );
}

function oneOf<T extends string>(flag: string, value: string, values: readonly T[]): T {
  const found = values.find((one) => one === value);
  if (found === undefined) throw usage(`could not read --${flag} ${value}`, `use one of ${values.join(", ")}`);
  return found;
}

function usage(message: string, hint: string): LayerwiseError {
  return new LayerwiseError("USAGE", message, { hint });
}
