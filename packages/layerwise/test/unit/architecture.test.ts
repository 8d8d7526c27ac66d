// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { describe, expect, it } from "vitest";

const source = new URL("../../src/", import.meta.url).pathname;

/** What the files of a folder, or a file by itself, may import: folders and files of `src`. docs/architecture.md says why. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "error.ts": [],
  spec: ["error.ts"],
  "ports.ts": ["spec", "event.ts"],
  "event.ts": ["spec"],
  dockerfile: ["spec", "error.ts"],
  plan: ["dockerfile", "spec", "error.ts", "event.ts", "ports.ts"],
  produce: ["plan", "dockerfile", "spec", "error.ts", "event.ts", "ports.ts"],
  publish: ["plan", "produce", "spec", "error.ts", "event.ts", "ports.ts"],
  verify: ["plan", "produce", "spec", "error.ts", "event.ts", "ports.ts"],
  explain: ["plan", "dockerfile", "spec", "error.ts", "ports.ts"],
  advise: ["explain", "dockerfile", "spec"],
  analyze: ["explain", "plan", "dockerfile", "publish", "spec", "error.ts", "event.ts", "ports.ts"],
  report: ["advise", "explain", "plan", "produce", "publish", "verify", "analyze", "spec", "error.ts", "event.ts"],
  system: ["spec", "error.ts", "event.ts", "ports.ts"],
  "read-dockerfile.ts": ["dockerfile", "plan", "ports.ts"],
  "lock.ts": ["read-dockerfile.ts", "plan", "spec", "error.ts", "ports.ts"],
  "remember-build.ts": [
    "dockerfile",
    "plan",
    "explain",
    "produce",
    "publish",
    "report",
    "spec",
    "event.ts",
    "ports.ts",
  ],
  "explain-build.ts": [
    "build.ts",
    "remember-build.ts",
    "advise",
    "explain",
    "plan",
    "report",
    "spec",
    "error.ts",
    "ports.ts",
  ],
  "explain-revisions.ts": [
    "build.ts",
    "explain-build.ts",
    "read-dockerfile.ts",
    "analyze",
    "dockerfile",
    "plan",
    "explain",
    "spec",
    "error.ts",
    "ports.ts",
  ],
  "build.ts": [
    "read-dockerfile.ts",
    "lock.ts",
    "remember-build.ts",
    "dockerfile",
    "plan",
    "explain",
    "produce",
    "publish",
    "verify",
    "report",
    "spec",
    "error.ts",
    "event.ts",
    "ports.ts",
  ],
  "build-defaults.ts": ["build.ts"],
  "analyze.ts": ["analyze", "plan", "spec", "error.ts", "event.ts", "ports.ts"],
  "backtest.ts": ["analyze.ts", "analyze", "build.ts", "build-defaults.ts", "report", "spec", "error.ts", "ports.ts"],
  "backtest-records.ts": ["analyze.ts", "analyze", "explain", "spec", "error.ts", "ports.ts"],
  "advise-history.ts": ["analyze.ts", "explain-revisions.ts", "advise", "error.ts"],
  "wire.ts": ["system", "event.ts", "ports.ts"],
  cli: [
    "build.ts",
    "lock.ts",
    "analyze.ts",
    "advise-history.ts",
    "backtest.ts",
    "backtest-records.ts",
    "explain-build.ts",
    "explain-revisions.ts",
    "wire.ts",
    "advise",
    "explain",
    "dockerfile",
    "plan",
    "publish",
    "verify",
    "analyze",
    "report",
    "spec",
    "error.ts",
    "event.ts",
    "ports.ts",
  ],
  "index.ts": [
    "explain-revisions.ts",
    "advise",
    "build.ts",
    "build-defaults.ts",
    "explain-build.ts",
    "wire.ts",
    "explain",
    "plan",
    "publish",
    "verify",
    "report",
    "spec",
    "error.ts",
    "event.ts",
    "ports.ts",
  ],
};

/** Modules of Node that only compute; all others reach outside. */
const pureModules: ReadonlySet<string> = new Set([
  "node:crypto",
  "node:path",
  "node:stream",
  "node:stream/promises",
  "node:util",
  "node:zlib",
]);

/** Packages, and the folders that may use them. */
const packages: Readonly<Record<string, readonly string[]>> = {
  valibot: ["spec", "produce", "analyze", "system"],
  diff: ["explain", "advise"],
  commander: ["cli"],
  "@opentelemetry": ["cli"],
  picocolors: ["cli"],
  "@aws-sdk": ["system"],
  "@smithy": ["system"],
};

/** What belongs to the machine or the moment, and to two folders only. */
const ambient = /\bprocess\.(?!versions)|\bDate\.now\(|\bMath\.random\(|\bconsole\.|\bnew Date\(\)/;

/** A statement that imports or re-exports, or an `import()` call. */
const importing = /^(?:import|export)\b(?:[^;"]*?\bfrom)?\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;

/** Longest source file, in lines. */
const maxLines = 400;

interface SourceFile {
  readonly path: string;
  readonly folder: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !path.endsWith(".d.ts"))
  .map(readSource);

function readSource(path: string): SourceFile {
  const text = readFileSync(join(source, path), "utf8");
  const imports = [...text.matchAll(importing)].map((match) => (match[1] ?? match[2]) as string);
  return { path, folder: path.includes("/") ? (path.split("/")[0] as string) : path, text, imports };
}

function placeOf(file: SourceFile, imported: string): string {
  const path = relative(source, posix.join(source, dirname(file.path), imported));
  return path.includes("/") ? (path.split("/")[0] as string) : path;
}

describe("the source", () => {
  it("is where this test looks, and imports itself", () => {
    const inner = files.flatMap(({ imports }) => imports.filter((name) => name.startsWith(".")));

    expect(files.length).toBeGreaterThan(80);
    expect(inner.length).toBeGreaterThan(300);
  });

  it("imports only along the data flow", () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((name) => name.startsWith("."))
        .map((name) => placeOf(file, name))
        .filter((place) => place !== file.folder && !(mayImport[file.folder] ?? []).includes(place))
        .map((place) => `${file.path} imports ${place}`),
    );

    expect(wrong).toEqual([]);
  });

  it("reaches outside only in system/ and at the door", () => {
    const wrong = files
      .filter(({ folder }) => folder !== "system" && folder !== "cli")
      .flatMap(({ path, imports }) =>
        imports
          .filter((name) => name.startsWith("node:") && !pureModules.has(name))
          .map((name) => `${path} imports ${name}`),
      );

    expect(wrong).toEqual([]);
  });

  it("uses each package only where it belongs", () => {
    const wrong = files.flatMap(({ path, folder, imports }) =>
      imports
        .filter((name) => !name.startsWith(".") && !name.startsWith("node:"))
        .filter(
          (name) =>
            !Object.entries(packages).some(([one, folders]) => name.startsWith(one) && folders.includes(folder)),
        )
        .map((name) => `${path} imports ${name}`),
    );

    expect(wrong).toEqual([]);
  });

  it("asks the machine, the clock and chance only in system/ and cli/", () => {
    const wrong = files
      .filter(({ folder }) => !["system", "cli", "wire.ts"].includes(folder))
      .filter(({ text }) => ambient.test(text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")))
      .map(({ path }) => path);

    expect(wrong).toEqual([]);
  });

  it("has no file that is too long to read", () => {
    const long = files.filter(({ text }) => text.split("\n").length > maxLines).map(({ path }) => path);

    expect(long).toEqual([]);
  });

  it("says in the first line under which licence it is", () => {
    const without = files.filter(({ text }) => !/^(?:#!.*\n)?\/\/ SPDX-License-Identifier: Apache-2\.0\n/.test(text));

    expect(without.map(({ path }) => path)).toEqual([]);
  });
});
