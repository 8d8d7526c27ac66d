// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("../../../../", import.meta.url).pathname;

/** Folders whose pages are not ours, or are made by a build. */
const passedOver: ReadonlySet<string> = new Set(["node_modules", "dist", ".git", "cdk.out", "test-results"]);

const pages = pagesIn(root);

describe("links between pages", () => {
  it("are looked for in all pages", () => {
    expect(pages.map((page) => relative(root, page))).toEqual(
      expect.arrayContaining(["README.md", "docs/architecture.md", "packages/layerwise/README.md"]),
    );
  });

  it.each(pages.map((page) => relative(root, page)))("of %s lead somewhere", (page) => {
    const broken = linksOf(join(root, page)).filter((target) => !leadsSomewhere(join(root, page), target));

    expect(broken).toEqual([]);
  });
});

function pagesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return passedOver.has(entry.name) ? [] : pagesIn(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

/** Relative targets of a page's links; code is no link. */
function linksOf(page: string): string[] {
  const text = readFileSync(page, "utf8")
    .replace(/^```[\s\S]*?^```/gm, "")
    .replace(/`[^`\n]*`/g, "");
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

function leadsSomewhere(page: string, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? page : join(dirname(page), decodeURIComponent(path));
  if (!existsSync(file)) return false;
  return anchor === undefined || !file.endsWith(".md") || headingsOf(file).includes(anchor);
}

/** The anchors that GitHub gives to a page's headings. */
function headingsOf(page: string): string[] {
  const headings = [...readFileSync(page, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading as string);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-"),
  );
}
