// SPDX-License-Identifier: Apache-2.0
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { differences, type Image, readContents, readTar, validateImage } from "../../../lab/src/index.ts";
import type { Report } from "../../src/report/report.ts";
import { pushBase, sharedBase } from "./corpus-bases.ts";
import type { CorpusCase, Edit, Entry, Step } from "./corpus-case.ts";
import { removePaths, touchPaths, writeEntries } from "./corpus-context.ts";
import type { Site } from "./site.ts";

/** What a case has come to. */
interface CaseState {
  readonly site: Site;
  readonly one: CorpusCase;
  readonly reference: string;
  folder: string;
  dockerfile: string;
  options: readonly string[];
  readonly bases: Map<string, string>;
  digest: string | undefined;
  /** How often the build context was written. */
  edits: number;
}

/**
 * Goes through the builds of a case: with layerwise, and the same inputs with the engine alone.
 *
 * @returns what was not as it should be, a line each
 */
export async function runCase(site: Site, one: CorpusCase): Promise<readonly string[]> {
  const { name, dockerfile, options } = one;
  const folder = await site.folder(name);
  const reference = `${site.registry.name}/corpus/${name}:1`;
  const bases = new Map([
    ["TINY", await sharedBase(site, "tiny")],
    ["TREE", await sharedBase(site, "tree")],
    ["REGISTRY", site.registry.name],
  ]);
  const state: CaseState = { site, one, reference, folder, dockerfile, options, bases, digest: undefined, edits: 0 };
  await applyEdit(state, {
    dockerfile: [],
    remove: [],
    touch: [],
    context: one.context,
    bases: one.bases,
  });
  const findings: string[] = [];
  for (const [index, step] of one.steps.entries()) {
    if (step.edit !== undefined) await applyEdit(state, step.edit);
    const found = await runStep(state, { step, truth: `${site.registry.name}/truth:${name}-${index}` });
    findings.push(...found.map((line) => `build ${index + 1}: ${line}`));
  }
  return findings;
}

async function applyEdit(state: CaseState, edit: Edit): Promise<void> {
  const { site, one } = state;
  for (const [name, spec] of Object.entries(edit.bases)) {
    const place = { repository: `bases/${one.name}-${name.toLowerCase()}`, tag: "1" };
    const reference = await pushBase(site, spec, place);
    state.bases.set(name, reference);
    state.bases.set(`${name}@`, `${reference.replace(/:1$/, "")}@${await digestOfTag(reference)}`);
  }
  if (edit.folder !== undefined) {
    const folder = join(site.work, edit.folder);
    await rename(state.folder, folder);
    state.folder = folder;
  }
  for (const [from, to] of edit.dockerfile) {
    if (state.dockerfile.split(from).length !== 2)
      throw new Error(`${one.name}: "${from}" is not once in its Dockerfile`);
    state.dockerfile = state.dockerfile.replace(from, () => to);
  }
  state.options = edit.options ?? state.options;
  await removePaths(state.folder, edit.remove);
  const written = edit.context.map((entry) => ({ ...entry, content: entry.content && filled(entry.content, state) }));
  state.edits += 1;
  const dockerfile: Entry = { path: one.file, type: "file", names: "utf8", content: filled(state.dockerfile, state) };
  await writeEntries(state.folder, [dockerfile, ...written], { edit: state.edits });
  await touchPaths(state.folder, { paths: edit.touch, edit: state.edits });
}

/** Puts what only this run knows in the place of `${NAME}`. */
function filled(text: string, { bases, folder }: Pick<CaseState, "bases" | "folder">): string {
  let result = text.replaceAll("${CONTEXT}", folder);
  for (const [name, reference] of bases) result = result.replaceAll(`\${${name}}`, reference);
  return result;
}

interface Running {
  readonly step: Step;
  /** Where the engine's own image goes. */
  readonly truth: string;
}

async function runStep(state: CaseState, { step, truth }: Running): Promise<readonly string[]> {
  const { site, reference, folder } = state;
  const args = [...state.options.map((option) => filled(option, state)), folder];
  if (step.error !== undefined) return await failures(state, { error: step.error, args, truth });
  const [ours, engines] = await Promise.allSettled([
    site.build(["--tag", reference, ...args]),
    site.engineBuild(args, truth),
  ]);
  const failed = [ours, engines].flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
  if (ours.status === "rejected" || engines.status === "rejected") return failed;
  const { report } = ours.value;
  const digest = state.digest;
  state.digest = report.image.digest;
  // A layer that was made before may have the times of the files it was made of.
  const isFirst = digest === undefined && report.route === "assemble";
  return [...misreported(report, { step, digest }), ...(await imageDifferences(site, { reference, truth, isFirst }))];
}

function misreported(report: Report, { step, digest }: { step: Step; digest: string | undefined }): readonly string[] {
  const lines: string[] = [];
  const why = [...new Set(report.reasons.map(({ name }) => name))];
  if (report.route !== step.route) lines.push(`the route is ${report.route} (${why.join(" ")}), and not ${step.route}`);
  if (step.why !== undefined && `${why}` !== `${step.why}`) lines.push(`the reasons are ${why}, and not ${step.why}`);
  if (step.digest !== undefined && (step.digest === "kept") !== (report.image.digest === digest)) {
    lines.push(`the digest is not ${step.digest}`);
  }
  const warnings = report.warnings.filter((text) => step.warning === undefined || !text.includes(step.warning));
  lines.push(...warnings.map((text) => `an unexpected warning: ${text}`));
  if (step.warning !== undefined && warnings.length === report.warnings.length)
    lines.push(`no warning of ${step.warning}`);
  lines.push(...report.checkpoints.refused.map(({ why: because }) => `a checkpoint was refused: ${because}`));
  return lines;
}

interface Failing {
  readonly error: NonNullable<Step["error"]>;
  readonly args: readonly string[];
  readonly truth: string;
}

async function failures({ site, reference }: CaseState, { error, args, truth }: Failing): Promise<readonly string[]> {
  const lines: string[] = [];
  const before = await digestOfTag(reference);
  const pushed = ["build", "--push", "--insecure-registry", site.registry.name, "--tag", reference];
  const [{ exitCode, stderr }, ended] = await Promise.all([
    site.layerwise([...pushed, ...args]),
    site.engineBuild(args, truth).then(
      () => "builds",
      () => "fails",
    ),
  ]);
  if (exitCode === 0) lines.push("it built, and should have failed");
  else if (!stderr.includes(`error ${error.code}: `) || !stderr.includes(error.text))
    lines.push(`it should have failed with ${error.code} and "${error.text}", and said:\n${stderr}`);
  if ((await digestOfTag(reference)) !== before) lines.push("a failed build moved the tag");
  if (ended !== error.engine) lines.push(`the engine ${ended}`);
  return lines;
}

async function digestOfTag(reference: string): Promise<string | undefined> {
  const [, host, repository, tag] = /^([^/]+)\/(.+):([^:]+)$/.exec(reference) ?? [];
  const accept = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
  const answer = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
    method: "HEAD",
    headers: { accept },
  });
  return answer.headers.get("docker-content-digest") ?? undefined;
}

async function imageDifferences(
  site: Site,
  { reference, truth, isFirst }: { reference: string; truth: string; isFirst: boolean },
): Promise<readonly string[]> {
  const [ours, engines] = await Promise.all([site.image(reference), site.image(truth)]);
  const [one, other] = await Promise.all([readContents(ours), readContents(engines)]);
  return [
    ...(await validateImage(ours)),
    ...differences(one, other, { history: true }),
    ...(await hiddenDifferences(ours, engines, { times: isFirst })),
  ];
}

/** What the comparison of trees and runtime configs does not see: the author, hard links, and times of files. */
async function hiddenDifferences(
  ours: Image,
  engines: Image,
  { times }: { times: boolean },
): Promise<readonly string[]> {
  const lines: string[] = [];
  const [author, wanted] = [authorOf(ours), authorOf(engines)];
  if (author !== wanted) lines.push(`author: ${author}, and not ${wanted}`);
  const [own, others] = [await entriesOf(ours, engines), await entriesOf(engines, ours)];
  if (own.links !== others.links) lines.push(`hard links: ${own.links}, and not ${others.links}`);
  if (!times) return lines;
  // An engine leaves out of a layer what is the same below.
  for (const [path, time] of own.times) {
    const wanted = others.times.get(path) ?? time;
    if (time !== wanted) lines.push(`time of /${path}: ${time}, and not ${wanted}`);
  }
  return lines;
}

function authorOf({ documents }: Image): string {
  const config = documents.find(({ what }) => what === "config")?.bytes.toString("utf8") ?? "{}";
  return (JSON.parse(config) as { author?: string }).author ?? "";
}

/** The hard links, and the times of files, in the layers that another image does not have. */
async function entriesOf({ layers }: Image, other: Image): Promise<{ links: string; times: Map<string, number> }> {
  const common = new Set(other.layers.map(({ claims }) => claims.digest));
  const links: string[] = [];
  const times = new Map<string, number>();
  for (const [index, { claims, open }] of layers.entries()) {
    if (common.has(claims.digest)) continue;
    const parts: Uint8Array[] = [];
    for await (const part of open()) parts.push(part);
    for await (const { type, path, linkPath, mtime } of readTar(once(gunzipSync(Buffer.concat(parts))))) {
      if (type === "link") links.push(`${index}: ${path} = ${linkPath}`);
      if (type === "file") times.set(path, mtime);
    }
  }
  return { links: links.sort().join(", "), times };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
