// SPDX-License-Identifier: Apache-2.0
import type { BuildResult } from "../build.ts";
import { renderReportJson } from "../report/render-json.ts";
import { type Palette, renderReport } from "../report/render-text.ts";
import { ciOutputs, summaryFile, writeCiFiles } from "./ci-outputs.ts";
import type { ProgressKind } from "./console.ts";
import { metadataOf } from "./metadata.ts";
import type { CommandOptions } from "./options.ts";
import { writeReports, writeText } from "./report-file.ts";
import type { Surroundings } from "./run.ts";

/** Writes everything that a build was asked to tell. */
export async function writeResults(
  { report, earlier }: Pick<BuildResult, "report" | "earlier">,
  {
    options,
    kind,
    around,
    palette,
  }: { options: CommandOptions; kind: ProgressKind; around: Surroundings; palette: Palette },
): Promise<void> {
  const { env, stderr, stdout } = around;
  await writeReports(options.reports, {
    json: async () => renderReportJson(report),
    markdown: async () => (await import("../report/render-markdown.ts")).renderReportMarkdown(report),
    html: async () => (await import("../report/render-report-html.ts")).renderReportHtml(report, earlier),
  });
  if (options.metadataFile !== undefined) await writeText(options.metadataFile, metadataOf(report));
  if (options.iidFile !== undefined) await writeText(options.iidFile, report.image.id);
  const summary = summaryFile(env);
  const forCi = [...ciOutputs(report, env)];
  if (summary !== undefined) {
    const { renderReportMarkdown } = await import("../report/render-markdown.ts");
    forCi.push({ path: summary, text: renderReportMarkdown(report), append: true });
  }
  await writeCiFiles(forCi, (message) => void stderr.write(`warning    ${message}\n`));
  const holdsArchive = options.outputs.some((output) => output.kind === "archive" && output.path === "-");
  if (kind === "quiet" && !holdsArchive) stdout.write(`${report.image.id}\n`);
  if (kind === "plain" || kind === "tty") stderr.write(`\n${renderReport(report, palette)}`);
}

/** How progress is shown if nobody says: lines where there is no terminal. */
export function progressKind(asked: CommandOptions["progress"], { stderr, env }: Surroundings): ProgressKind {
  if (asked !== "auto") return asked;
  return stderr.isTTY === true && env["CI"] === undefined && env["TERM"] !== "dumb" ? "tty" : "plain";
}

/** https://no-color.org and its counterpart. */
export function usesColour({ stderr, env }: Surroundings): boolean {
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") return false;
  if (env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "0") return true;
  return stderr.isTTY === true;
}
