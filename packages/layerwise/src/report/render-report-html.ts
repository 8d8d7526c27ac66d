// SPDX-License-Identifier: Apache-2.0
import type { BuildRecord } from "../spec/build-record.ts";
import { historyRow } from "./history-row.ts";
import { figures, type Html, html, renderPage, type Section, table } from "./html.ts";
import { formatBytes } from "./render-text.ts";
import { phases, type Report, type ReportedStep } from "./report.ts";
import type { ReportedExplanation } from "./reported-explanation.ts";

/**
 * A build's report as one self-contained HTML page.
 *
 * @param earlier the builds before it, the newest first
 */
export function renderReportHtml(report: Report, earlier: readonly BuildRecord[]): string {
  const { image, route } = report;
  const lead = html`<p>${routeWords[route]} Dockerfile <code>${report.dockerfile}</code>${report.target === undefined ? "" : html`, stage <code>${report.target}</code>`}, ${report.platform}; layerwise ${report.tool.version}${report.engine === undefined ? "" : `; ${report.engine}`}.</p>`;
  const title = image.references[0] === undefined ? `Build of ${report.dockerfile}` : `Build of ${image.references[0]}`;
  const sections: Section[] = [
    { id: "result", title: "Result", body: resultOf(report) },
    ...changesSection(report),
    { id: "timeline", title: "Timeline", body: timeline(report) },
    { id: "steps", title: "Steps", body: stepsOf(report) },
    { id: "image", title: "Image and checkpoints", body: imageOf(report) },
    ...(earlier.length === 0 ? [] : [{ id: "history", title: "Builds before", body: historyOf(report, earlier) }]),
  ];
  return renderPage({ title, lead, sections });
}

const routeWords: Readonly<Record<Report["route"], string>> = {
  reuse: "Nothing was left to make.",
  assemble: "What was left was put together without an engine.",
  engine: "An engine made what was left.",
};

function resultOf(report: Report): Html {
  const { seconds, requests, image, steps } = report;
  const moved = requests.sent + requests.received;
  const reused = steps.filter(({ state }) => state === "reused").length;
  return html`${figures([
    { name: "route", value: report.route },
    { name: "time", value: `${seconds.total.toFixed(2)} s` },
    { name: "steps reused", value: `${reused} of ${steps.length}` },
    {
      name: "bytes avoided",
      value: formatBytes(Math.max(0, image.bytes - moved)),
      note: `of an image of ${formatBytes(image.bytes)}; layerwise moved ${formatBytes(moved)} in ${requests.count} requests`,
    },
  ])}
${report.reasons.map(({ text, line, name }) => html`<p class="remark">Needs an engine: ${text}${line === undefined ? "" : ` (line ${line})`} [${name}]</p>`)}
${report.warnings.map((warning) => html`<p class="remark">Warning: ${warning}</p>`)}`;
}

function changesSection({ explanation }: Report): readonly Section[] {
  return explanation === undefined ? [] : [{ id: "changes", title: "What changed", body: changesOf(explanation) }];
}

function changesOf({ before, steps }: ReportedExplanation): Html {
  const compared =
    before === undefined
      ? html`<p>There was no build before to compare with.</p>`
      : html`<p>Compared with <code>${before.reference}</code> of ${before.time}.</p>`;
  const rows = steps.map(({ stage, line, text, details }) => [
    stage,
    line,
    text,
    details.map((detail) => html`<code>${detail}</code><br>`),
  ]);
  return html`${compared}
${table("The first key input of each step that is not as it was", { head: ["Stage", "Line", "What", "In detail"], numbers: [1], rows })}`;
}

const phaseWords: Readonly<Record<(typeof phases)[number], string>> = {
  plan: "plan: look at bases, files and checkpoints",
  produce: "produce: make what is left",
  verify: "verify: compare with an engine's image",
  publish: "publish: upload and tag",
  save: "save: checkpoints for later builds",
};

interface Bar {
  readonly label: string;
  readonly kind: "waited" | "made" | "reused";
  /** Seconds. */
  readonly start: number;
  readonly length: number;
}

/** Phases one after the other, and in them the steps where they ran; what was reused took no time. */
function timeline(report: Report): Html {
  return html`<ul class="legend" aria-label="Legend"><li class="made">tall: a step that was made</li><li class="reused">thin: reused</li><li>middle: a phase of the build</li></ul>
${chart(barsOf(report), { total: report.seconds.total, label: (seconds) => `Timeline of ${seconds} seconds; the table of steps says the same in numbers.` })}`;
}

/** Bars below an axis of seconds. */
function chart(bars: readonly Bar[], { total, label }: { total: number; label: (seconds: string) => string }): Html {
  const whole = Math.max(total, 0.001);
  const percent = (seconds: number) => `${((100 * Math.min(seconds, whole)) / whole).toFixed(2)}%`;
  const axis = [0, 0.25, 0.5, 0.75].map((part) => html`<span>${(part * whole).toFixed(2)} s</span>`);
  return html`<div class="bars" role="img" aria-label="${label(whole.toFixed(2))}">
<div class="bar axis"><span></span><span class="track">${axis}</span></div>
${bars.map(
  ({ label: name, kind, start, length }) =>
    html`<div class="bar"><span class="label" title="${name}">${name}</span><span class="track"><i class="${kind}" style="left:${percent(start)};width:${percent(length)}"></i></span></div>\n`,
)}</div>`;
}

const routeBars: Readonly<Record<Report["route"], Bar["kind"]>> = {
  reuse: "reused",
  assemble: "waited",
  engine: "made",
};

/** How long builds took, the newest first, and what each had to do. */
function historyOf({ route, seconds }: Report, earlier: readonly BuildRecord[]): Html {
  const bars = [
    { label: "this build", kind: routeBars[route], start: 0, length: seconds.total },
    ...earlier.map(
      (build): Bar => ({ label: nameOf(build), kind: routeBars[build.route], start: 0, length: build.seconds }),
    ),
  ];
  const rows = earlier.map((build) => {
    const { time, revision, ...rest } = historyRow(build);
    return [time, html`<code>${revision}</code>`, ...Object.values(rest)];
  });
  return html`<ul class="legend" aria-label="Legend"><li class="made">tall: an engine ran</li><li class="reused">thin: everything reused</li><li>middle: assembled</li></ul>
${chart(bars, { total: Math.max(...bars.map(({ length }) => length)), label: () => "How long this build and those before it took; the table says the same in numbers." })}
${table("The builds that led to this one, the newest first", { head: ["Time", "Revision", "Branch", "Route", "Steps made", "Took", "Sent", "Received"], numbers: [4, 5, 6, 7], rows })}`;
}

function nameOf(build: BuildRecord): string {
  const { time, revision } = historyRow(build);
  return `${time} ${revision}`.trimEnd();
}

function barsOf({ seconds, steps }: Report): readonly Bar[] {
  const bars: Bar[] = [];
  let start = 0;
  for (const phase of phases) {
    const length = seconds[phase];
    if (length > 0) bars.push({ label: phaseWords[phase], kind: "waited", start, length });
    if (phase === "plan") {
      for (const step of steps.filter(({ state }) => state === "reused")) bars.push(barOf(step, start + length));
    }
    if (phase === "produce") {
      for (const step of steps.filter(({ state }) => state === "made")) bars.push(barOf(step, start));
    }
    start += length;
  }
  return bars;
}

function barOf({ line, instruction, state, start, seconds }: ReportedStep, otherwise: number): Bar {
  return { label: `${line} ${instruction}`, kind: state, start: start ?? otherwise, length: seconds };
}

function stepsOf({ steps }: Report): Html {
  return table("Each instruction that makes a layer", {
    head: ["Stage", "Line", "Instruction", "State", "By", "Why", "Time", "Size"],
    numbers: [1, 6, 7],
    rows: steps.map((step) => [
      step.stage,
      step.line,
      html`<code>${step.instruction}</code>`,
      html`<span class="${step.state}">${step.state}</span>`,
      step.by,
      step.why,
      step.seconds === 0 ? "" : `${step.seconds.toFixed(2)} s`,
      step.bytes === undefined ? "" : formatBytes(step.bytes),
    ]),
  });
}

function imageOf({ image, checkpoints, blobs }: Report): Html {
  const { found, saved, refused } = checkpoints;
  return html`<p>Digest <code>${image.digest}</code></p>
<ul>${image.references.map((reference) => html`<li><code>${reference}</code></li>`)}</ul>
${table("Blobs", {
  head: ["State", "Count", "Bytes"],
  numbers: [1, 2],
  rows: (["present", "mounted", "uploaded"] as const).map((state) => [
    state,
    blobs[state].count,
    formatBytes(blobs[state].bytes),
  ]),
})}
${found.map(({ tag, instruction }) => html`<p>Continued from <code>${tag}</code>, which holds everything up to <code>${instruction}</code></p>`)}
${refused.map(({ tag, why }) => html`<p class="remark">Not used: <code>${tag}</code>, ${why}</p>`)}
${saved.length === 0 ? undefined : html`<details><summary>Checkpoints saved: ${saved.length}</summary><ul>${saved.map(({ tag, instruction }) => html`<li><code>${tag}</code> after <code>${instruction}</code></li>`)}</ul></details>`}`;
}
