// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installPackages } from "../../../lab/src/index.ts";
import { renderAnalysisHtml } from "../../src/report/render-analysis-html.ts";
import { renderReportHtml } from "../../src/report/render-report-html.ts";
import { longAnalysis, sampleHistory, sampleReport } from "../sample-reports.ts";

/** The browser is for reading one local file. */
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const phone = { width: 390, height: 844 };
const desk = { width: 1280, height: 900 };

const pages = ["build", "analysis"] as const;

describe("a page in a browser", () => {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    await installPackages(["chromium"]);
    folder = await mkdtemp(join(tmpdir(), "layerwise-pages-"));
    await writeFile(join(folder, "build.html"), renderReportHtml(sampleReport({}), sampleHistory()));
    await writeFile(join(folder, "analysis.html"), renderAnalysisHtml(longAnalysis()));
    browser = await chromium.launch({ executablePath: "/usr/bin/chromium", headless: true, args: flags });
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  interface Opened {
    readonly page: Page;
    /** What the console said and what was asked for besides the page itself. */
    readonly heard: readonly string[];
  }

  async function open(name: string, options: BrowserContextOptions = {}): Promise<Opened> {
    const context = await browser.newContext({ viewport: desk, ...options });
    const page = await context.newPage();
    const heard: string[] = [];
    const address = `file://${join(folder, `${name}.html`)}`;
    page.on("console", (message) => heard.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => heard.push(error.message));
    page.on("request", (request) => {
      if (request.url() !== address && !request.url().startsWith("data:")) heard.push(`asks for ${request.url()}`);
    });
    await page.goto(address);
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    return { page, heard };
  }

  const schemes = pages.flatMap((name) => [[name, "light"] as const, [name, "dark"] as const]);

  it.each(schemes)("%s, %s: has no flaw that axe-core knows, and a silent console", async (name, colorScheme) => {
    const { page, heard } = await open(name, { colorScheme });

    await page.evaluate(axe.source);
    const flaws = await page.evaluate(
      "axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`)))",
    );

    expect(flaws).toEqual([]);
    expect(heard).toEqual([]);
    await page.context().close();
  });

  it.each(pages)("%s: is as wide as a phone, and only tables and charts scroll", async (name) => {
    const { page } = await open(name, { viewport: phone, isMobile: true });

    const width = await page.evaluate("document.documentElement.scrollWidth");
    const wide = await page.evaluate(
      "[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth).length",
    );

    expect(width).toBe(phone.width);
    expect(wide).toBeGreaterThan(0);
    await page.context().close();
  });

  it.each(pages)("%s: can be used by keyboard alone", async (name) => {
    const { page } = await open(name);
    const focused = async () => {
      await page.keyboard.press("Tab");
      return await page.evaluate(
        "`${document.activeElement.tagName} ${document.activeElement.getAttribute('href') ?? document.activeElement.getAttribute('aria-label') ?? ''}`.trim()",
      );
    };

    const stops: unknown[] = [];
    const outlines: unknown[] = [];
    for (let count = 0; count < 20; count++) {
      stops.push(await focused());
      outlines.push(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle"));
    }

    expect(stops[0]).toBe("A #main");
    expect(stops).toContain("A #result");
    expect(stops.some((stop) => /^DIV (?:Each instruction|Heat map)/.test(String(stop)))).toBe(true);
    expect(stops).toContain("SUMMARY");
    expect(outlines[0]).toBe("solid");
    await page.context().close();
  });

  it.each(pages)("%s: prints with nothing cut off and without what only a screen needs", async (name) => {
    const { page } = await open(name, { viewport: { width: 794, height: 1123 } });
    await page.emulateMedia({ media: "print" });

    const ends = await page.evaluate<number[]>(
      "[...document.querySelectorAll('.scroll > *')].map((one) => one.getBoundingClientRect().right)",
    );
    const navigation = await page.evaluate("getComputedStyle(document.querySelector('nav')).display");
    const paper = await page.pdf({ format: "A4" });

    expect(ends).not.toEqual([]);
    expect(Math.max(...ends)).toBeLessThanOrEqual(794);
    expect(navigation).toBe("none");
    expect(paper.subarray(0, 5).toString()).toBe("%PDF-");
    await page.context().close();
  });

  it("analysis: says each mark of the heat map in words too", async () => {
    const { page } = await open("analysis");

    const columns = await page.evaluate("document.querySelectorAll('#heat-map ~ .scroll svg g').length");
    const rows = await page.evaluate("document.querySelectorAll('#commits ~ details tbody tr').length");

    expect(columns).toBe(100);
    expect(rows).toBe(100);
    await page.context().close();
  });
});
