// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Analysis } from "../../src/analyze/analysis.ts";
import { ciOutputs, summaryFile } from "../../src/cli/ci-outputs.ts";
import { readReportFile } from "../../src/cli/report-file.ts";
import { wantsTraces } from "../../src/cli/telemetry.ts";
import { renderAnalysis, renderAnalysisJson } from "../../src/report/render-analysis.ts";
import { renderAnalysisHtml } from "../../src/report/render-analysis-html.ts";
import { renderAnalysisMarkdown, renderReportMarkdown } from "../../src/report/render-markdown.ts";
import { renderReportHtml } from "../../src/report/render-report-html.ts";
import { sampleAnalysis, sampleHistory, sampleReport } from "../sample-reports.ts";

const plain = { bold: String, dim: String, green: String, yellow: String };

/** Text as others may write it: into a subject of a commit, a file's name, an instruction. */
const hostile = `<script>alert("1")</script> & 'x' \`y\` | z`;

describe("--report", () => {
  it.each([
    ["out.json", "json", "out.json"],
    ["out.md", "markdown", "out.md"],
    ["a/out.HTML", "html", "a/out.HTML"],
    ["report", "json", "report"],
    ["type=html,dest=out", "html", "out"],
    ["type=markdown,dest=a,b", "markdown", "a,b"],
  ])("reads %s as %s", (text, form, path) => {
    expect(readReportFile(text)).toEqual({ form, path });
  });

  it("refuses a form that there is not", () => {
    expect(() => readReportFile("type=pdf,dest=out")).toThrow("there is no form pdf");
  });
});

describe("a page", () => {
  const pages = {
    "of a build": renderReportHtml(sampleReport({ instruction: hostile }), sampleHistory({ branch: hostile })),
    "of an analysis": renderAnalysisHtml(sampleAnalysis({ subject: hostile, instruction: hostile })),
  };

  it.each(Object.entries(pages))("%s has nothing of what others wrote as markup", (_, page) => {
    expect(page).not.toContain("<script");
    expect(page).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;");
  });

  it.each(Object.entries(pages))("%s asks the network for nothing", (_, page) => {
    const [, ...addresses] = page.split(/(?:src|href|url)\s*[=(]\s*["']?/);
    expect(addresses.length).toBeGreaterThan(3);
    expect(addresses.filter((rest) => !/^(?:#|data:,)/.test(rest))).toEqual([]);
  });

  it("tells what changed since the build before", () => {
    const page = renderReportHtml(sampleReport({}), []);

    expect(page).toContain("Compared with <code>registry.test/app:latest</code>");
    expect(page).toContain("2 files changed");
    expect(page).toContain("<code>src/&lt;a&gt;.py changed</code>");
  });

  it("tells of the builds before, and has no place for them where there are none", () => {
    const page = renderReportHtml(sampleReport({}), sampleHistory());

    const [, history = ""] = page.split('<h2 id="history">');
    expect(history).toMatch(/2026-01-04T10:00:00Z.*reuse.*2026-01-03T10:00:00Z.*engine.*95\.25 s.*2026-01-02/s);
    expect(history).toContain("<code>222222222222</code>");
    // The longest is the whole width.
    expect(history).toMatch(/2222"?>.*?class="made" style="left:0\.00%;width:100\.00%"/s);
    expect(renderReportHtml(sampleReport({}), [])).not.toContain('id="history"');
  });

  it("shows bytes of file names that are no UTF-8 as what they are: unknown", () => {
    expect(renderReportHtml(sampleReport({ instruction: "COPY n\udcff /" }), [])).toContain("COPY n\ufffd /");
  });
});

describe("Markdown", () => {
  it("keeps what others wrote inside its cell", () => {
    const page = renderReportMarkdown(sampleReport({ instruction: hostile }));

    const [row = ""] = page.split("\n").filter((line) => line.includes("alert"));
    expect(row.match(/(?<!\\)\|/g)).toHaveLength(8);
    expect(row).toContain("``<script>");
  });

  it("tells what changed since the build before", () => {
    expect(renderReportMarkdown(sampleReport({}))).toContain("\n- app line 4: 2 files changed\n");
  });

  it("of an analysis has a row for each instruction", () => {
    const page = renderAnalysisMarkdown(sampleAnalysis({}));

    expect(page.match(/^\| app /gm)).toHaveLength(3);
    expect(page).toContain("4 builds: reuse 25 %, assemble 50 %, engine 25 %.");
  });
});

describe("an analysis in text", () => {
  it("says routes, each instruction, costs and what was tried", () => {
    const text = renderAnalysis(sampleAnalysis({}), plain);

    expect(text).toContain("5 commits of main, 000000000000 to 000000000000, 30 days");
    expect(text).toContain("as it was: 4 builds: reuse 25 %, assemble 50 %, engine 25 %");
    expect(text).toMatch(/^3\s+RUN install\s+1 of 5\s+0\s+60\.0 s\s+60\.0 s\s+1 × comes after a step that was made/m);
    expect(text).toContain("45.0 minutes a month instead of 120.0 (60 builds a month, by your option)");
    expect(text).toMatch(/side by side on the 4 builds/);
    expect(text).toContain("backtest: 1 of 2 recorded builds went as predicted");
  });

  it("is the same data as JSON", () => {
    const analysis = sampleAnalysis({});

    expect(JSON.parse(renderAnalysisJson(analysis))).toEqual(JSON.parse(JSON.stringify(analysis)));
  });
});

describe("for CI", () => {
  const report = sampleReport({});

  it("writes nothing where no CI system is seen", () => {
    expect(ciOutputs(report, {})).toEqual([]);
    expect(summaryFile({ GITHUB_STEP_SUMMARY: "" })).toBeUndefined();
  });

  it("adds outputs for GitHub", () => {
    const [file] = ciOutputs(report, { GITHUB_OUTPUT: "/out" });

    expect(file).toMatchObject({ path: "/out", append: true });
    expect(file?.text).toBe(
      `digest=${report.image.digest}\nimage-id=${report.image.id}\nroute=assemble\nreference=registry.test/app:1\ncontent-tag=content-1\nseconds=1.25\n`,
    );
  });

  it("writes a dotenv file for GitLab, and one to source for CodeBuild", () => {
    const gitlab = ciOutputs(report, { GITLAB_CI: "true", CI_PROJECT_DIR: "/builds/app" });
    const codebuild = ciOutputs(report, { CODEBUILD_BUILD_ID: "app:1", LAYERWISE_DOTENV: "/x/env" });

    expect(gitlab[0]?.path).toBe("/builds/app/layerwise.env");
    expect(gitlab[0]?.text).toContain(`LAYERWISE_DIGEST=${report.image.digest}\nLAYERWISE_IMAGE_ID=`);
    expect(codebuild[0]?.path).toBe("/x/env");
    expect(codebuild[0]?.text).toContain("export LAYERWISE_ROUTE='assemble'\n");
  });

  it("leaves out a value that would be read as something else", () => {
    const odd = { ...report, image: { ...report.image, references: ["oci-layout:a\nroute=x:1"] } };

    expect(ciOutputs(odd, { GITHUB_OUTPUT: "/out" })[0]?.text).not.toContain("route=x");
  });
});

describe("traces", () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector" };

  it.each([
    [{}, false],
    [endpoint, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://collector/v1/traces" }, true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "" }, false],
    [{ ...endpoint, OTEL_SDK_DISABLED: "true" }, false],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: "none" }, false],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: "console,otlp" }, true],
  ])("with %j are wanted: %s", (env, wanted) => {
    expect(wantsTraces(env)).toBe(wanted);
  });
});

describe("predictions beside recorded builds", () => {
  const analysis = sampleAnalysis({});
  const forms = {
    text: renderAnalysis(analysis, plain),
    markdown: renderAnalysisMarkdown(analysis).replaceAll("\\", ""),
    html: renderAnalysisHtml(analysis),
  };

  it.each(Object.keys(forms) as (keyof typeof forms)[])("are told in %s, with commit and step", (form) => {
    const text = forms[form];

    expect(text).toContain("1 of 2 recorded builds went as predicted");
    expect(text).toContain("222222222222");
    expect(text).toContain("app:4 predicted made, was reused; its inputs were the same");
    expect(text).toContain("1 record not compared: for another platform (linux/arm64)");
    expect(text).toContain("3 commits have no record");
  });
});

describe("what an analysis rests on", () => {
  const forms = [
    ["text", (analysis: Analysis) => renderAnalysis(analysis, plain)],
    ["markdown", (analysis: Analysis) => renderAnalysisMarkdown(analysis).replaceAll("\\", "")],
    ["html", renderAnalysisHtml],
  ] as const;

  it.each(forms)("is told in %s: how far a shallow clone goes, bases, and what git does not tell", (_, render) => {
    const text = render(sampleAnalysis({}));

    expect(text).toContain("the clone is shallow: it goes back 5 commits and no further");
    expect(text).toContain("base:1 counts as an image that never changed: no registry was asked");
    expect(text).toContain("vendor/lib (5 commits)");
  });

  it.each(forms)("is no price in %s, unless one was given", (_, render) => {
    const { costs, variants, ...rest } = sampleAnalysis({});
    const unpriced = variants.map((variant) => ({
      ...variant,
      summary: { ...variant.summary, pricePerMonth: undefined },
    }));

    const text = render({ ...rest, costs: { ...costs, pricePerMinute: undefined }, variants: unpriced });

    expect(text).toContain("minutes a month");
    expect(text).not.toMatch(/price|\$|€/);
  });
});
