// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Engine, startEngine } from "../../../lab/src/index.ts";
import { endKinds, sampleOf } from "../../../lab/test/engine-kinds.ts";
import { createIgnoreMatcher, parseIgnoreFile } from "../../src/dockerfile/ignore.ts";
import { isLayerwiseError } from "../../src/error.ts";
import { ignoring } from "../../src/plan/context-files.ts";
import { openContextDirectory } from "../../src/system/context-directory.ts";
import { entriesIn } from "../../src/system/context-tree.ts";

// The patterns of our tables and of moby's own, each in the ignore file of a context that a real client sends.

interface Case {
  readonly patterns: string;
  /** Files; directories with a slash at their end. */
  readonly paths: readonly string[];
}

const all = [...(await readTable("ignore-patterns.txt")), ...(await readTable("moby/patterns.txt"))];
const isOdd = ({ patterns }: Case) => /[()+|{}^]|\*\*(?![/ ]|$)/.test(patterns);
const cases = [...all.filter(isOdd), ...sampleOf(all, 8).filter((one) => !isOdd(one))];

describe.each(endKinds)("the client of Docker $generation", (kind) => {
  it(`sends what we take, in ${cases.length} contexts`, async () => {
    const engine = await startEngine(kind);
    try {
      const differences: string[] = [];
      const waiting = [...cases.entries()];
      const judge = async () => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const [index, one] = next;
          const difference = await differenceOf(engine, { folder: join(engine.work, String(index)), ...one });
          if (difference !== undefined) differences.push(difference);
        }
      };

      await Promise.all(Array.from({ length: 4 }, judge));

      expect(differences).toEqual([]);
    } finally {
      await engine.stop();
    }
  });
});

async function readTable(name: string): Promise<readonly Case[]> {
  const text = await readFile(new URL(`../${name}`, import.meta.url), "utf8");
  const byPatterns = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [, patterns, tree = ""] = /^(?!# )(.*) !?\| (.*)$/.exec(line) ?? [];
    if (patterns === undefined) continue;
    // The lines of the one table say several paths, those of the other one at a time.
    const paths = tree.split(" ").map((path) => path.replace(/^>/, ""));
    byPatterns.set(patterns, [...(byPatterns.get(patterns) ?? []), ...paths]);
  }
  return [...byPatterns].map(([patterns, paths]) => ({ patterns, paths: [...new Set(paths)] }));
}

async function differenceOf(
  engine: Engine,
  { folder, patterns, paths }: Case & { readonly folder: string },
): Promise<string | undefined> {
  const context = join(folder, "context");
  await makeContext(context, paths);
  const ignoreFile = patterns.replaceAll(" ", "\n");
  await writeFile(join(context, ".dockerignore"), ignoreFile);
  await writeFile(join(folder, "Dockerfile"), "FROM scratch\nCOPY . /\n");
  const output = join(folder, "output");

  const ours = await takenPaths(context, ignoreFile);
  const build = ["docker", "build", "--file", join(folder, "Dockerfile"), "--output", output, context];
  const { code, stderr } = await engine.exec(build, { env: { DOCKER_BUILDKIT: "1" }, allowFailure: true });

  const theirs = code === 0 ? (await readdir(output, { recursive: true })).filter((path) => !ours?.disputed(path)) : [];
  await rm(folder, { recursive: true });
  // Docker 20.10 refuses some patterns; then we are sure of nothing.
  const isUnsure = ours === undefined || ours.paths.length === 0;
  if (code !== 0 ? !isUnsure : ours === undefined) return `${patterns}: it ended with ${code}: ${stderr.slice(-500)}`;
  const [one, other] = [ours?.paths ?? [], theirs].map((list) => [...list].sort().join(" "));
  return one === other ? undefined : `${patterns}: we take ${one}, the engine ${other}`;
}

async function makeContext(folder: string, paths: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const path of paths) {
    const isDirectory = path.endsWith("/") || paths.some((other) => other.startsWith(`${path}/`));
    await mkdir(join(folder, isDirectory ? path : dirname(path)), { recursive: true });
    if (!isDirectory) await writeFile(join(folder, path), path);
  }
}

interface Taken {
  readonly paths: readonly string[];
  /** Whether engines differ about a path; whoever copies it goes to the engine. */
  readonly disputed: (path: string) => boolean;
}

/** Undefined if a pattern is refused. */
async function takenPaths(folder: string, ignoreFile: string): Promise<Taken | undefined> {
  try {
    const tree = await openContextDirectory(folder).list(() => false);
    const matcher = createIgnoreMatcher(parseIgnoreFile(ignoreFile));
    const files = ignoring(matcher)(tree);
    const walk = matcher.startWalk();
    const disputed = (path: string) =>
      files.differs(path) ||
      files.isDisputedIn(path.includes("/") ? dirname(path) : "") ||
      (tree.get(path)?.kind === "directory" && (walk.isDisputed(path) || walk.isNamed(path)));
    const all = [...entriesIn(tree)]
      .map(({ path }) => path)
      .filter((path) => path !== "" && files.get(path) !== undefined);
    return { paths: all.filter((path) => !disputed(path)), disputed };
  } catch (error) {
    if (!isLayerwiseError(error)) throw error;
    return undefined;
  }
}
