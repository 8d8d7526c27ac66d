// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../../src/cli/program.ts";
import { routeReasons } from "../../src/plan/route.ts";
import { renderErrorsPage } from "./errors-page.ts";

const root = new URL("../../../../", import.meta.url).pathname;
const pageOf = (path: string) => readFileSync(join(root, path), "utf8");

describe("docs/errors.md", () => {
  it("is what the table of errors says (npm run generate)", async () => {
    await expect(renderErrorsPage()).toMatchFileSnapshot(join(root, "docs/errors.md"));
  });
});

describe("docs/routes.md", () => {
  it("has a section for each reason, in the order of the table, with its sentence", () => {
    const sections = [...pageOf("docs/routes.md").matchAll(/^## (.+)\n\n> (.+)\n/gm)].map(([, name, text]) => [
      name,
      text,
    ]);

    expect(sections).toEqual(Object.entries(routeReasons));
  });
});

describe("README.md", () => {
  it("shows only flags that there are", () => {
    const shown = [...pageOf("README.md").matchAll(/^\| (`--.+?) \|/gm)].flatMap(
      ([, cell = ""]) => cell.match(/--[a-z-]+/g) ?? [],
    );
    const help: string[] = [];
    const output = { out: (text: string) => void help.push(text), err: () => undefined };
    parseCommandLine(["build", "--help"], { version: "1", output });

    expect(shown.length).toBeGreaterThan(10);
    expect(shown.filter((flag) => !new RegExp(`${flag}[ ,]`).test(help.join("")))).toEqual([]);
  });
});
