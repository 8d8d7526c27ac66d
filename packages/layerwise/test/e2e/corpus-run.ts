// SPDX-License-Identifier: Apache-2.0
import type { Engine } from "../../../lab/src/index.ts";
import type { Report } from "../../src/report/report.ts";
import type { CorpusCase, Step } from "./corpus-case.ts";
import { imageDifferences } from "./corpus-differences.ts";
import { applyEdit, type CaseState, digestOfTag, filled, startCase } from "./corpus-state.ts";
import { viewDifferences } from "./engine-view.ts";
import type { Site } from "./site.ts";

/**
 * Goes through the builds of a case: with layerwise, and the same inputs with the engine alone.
 *
 * @param options whether the engine also unpacks and runs what was built
 * @returns what was not as it should be, a line each
 */
export async function runCase(
  site: Site,
  one: CorpusCase,
  { views = false }: { readonly views?: boolean } = {},
): Promise<readonly string[]> {
  const state = await startCase(site, one);
  const findings: string[] = [];
  for (const [index, step] of one.steps.entries()) {
    if (step.edit !== undefined) await applyEdit(state, step.edit);
    const found = await runStep(state, { step, truth: `${site.registry.name}/truth:${one.name}-${index}` });
    findings.push(...found.map((line) => `build ${index + 1}: ${line}`));
  }
  // In the end, since an engine that has an image does not fetch its layers for a build.
  if (views) findings.push(...(await seenDifferences(state)));
  return findings;
}

async function seenDifferences({ site, one, built }: CaseState): Promise<readonly string[]> {
  const runs = one.dockerfile.includes("${TINY}") || Object.values(one.bases).some(({ from }) => from === "tiny");
  const lines: string[] = [];
  for (const { reference, truth } of built) {
    lines.push(...(await viewDifferences(site.engine as Engine, { one: reference, other: truth, runs })));
  }
  return lines;
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
  state.built.push({ reference: `${reference.replace(/:1$/, "")}@${report.image.digest}`, truth });
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
