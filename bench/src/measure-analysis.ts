// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { installPackages, run } from "layerwise-lab";
import type { AnalysisTimes } from "./results.ts";
import { type BenchSite, bundle } from "./site.ts";
import { timed } from "./timed.ts";

/** Files that each commit changes, and commits between two changes of the dependencies. */
const changedFiles = 5;
const dependencyEvery = 50;

/** Seconds between two commits. */
const pace = 7200;

const dockerfile = `FROM python:3
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY . /app
`;

/** Replays a history whose every commit changes some of many files that a COPY selects all of. */
export async function measureAnalysis(
  { work }: BenchSite,
  { files, commits, rounds }: { readonly files: number; readonly commits: number; readonly rounds: number },
): Promise<AnalysisTimes> {
  await installPackages(["git"]);
  const repository = join(work, "history");
  await run(["git", "init", "--quiet", "--initial-branch=main", repository]);
  await importHistory(repository, historyOf(files, commits));
  const seconds: number[] = [];
  const command = [process.execPath, bundle, "analyze", "--offline", "--branch", "main", "--last", String(commits)];
  for (let round = 0; round < rounds; round++) {
    seconds.push((await timed(() => run([...command, repository]))).seconds);
  }
  await rm(repository, { recursive: true });
  return { files, commits, seconds };
}

/** https://git-scm.com/docs/git-fast-import */
async function importHistory(repository: string, commands: Iterable<string>): Promise<void> {
  const child = spawn("git", ["-C", repository, "fast-import", "--quiet"], { stdio: ["pipe", "inherit", "inherit"] });
  const ended = once(child, "close");
  await pipeline(Readable.from(commands), child.stdin);
  const [exitCode] = await ended;
  if (exitCode !== 0) throw new Error(`git fast-import ended with ${exitCode}`);
}

function* historyOf(files: number, commits: number): Generator<string> {
  for (let commit = 0; commit < commits; commit++) {
    const from = commit === 0 ? "" : `from :${commit}\n`;
    yield `commit refs/heads/main\nmark :${commit + 1}\ncommitter A <a@example.test> ${1_700_000_000 + commit * pace} +0000\n${data(`change ${commit}`)}${from}`;
    if (commit === 0) {
      yield file("Dockerfile", dockerfile) + file(".dockerignore", ".git\n**/*.pyc\n");
      for (let index = 0; index < files; index++) yield file(pathOf(index), contentOf(index));
    }
    if (commit % dependencyEvery === 0) yield file("requirements.txt", `a==${commit}\n`);
    // Steps through all files in an order that repeats late.
    for (let index = 0; index < changedFiles; index++) {
      const changed = ((commit * changedFiles + index) * 7919) % files;
      yield file(pathOf(changed), contentOf(commit * files + changed));
    }
  }
}

function pathOf(index: number): string {
  return `src/package${index % 40}/part${Math.floor(index / 40) % 10}/file${index}.py`;
}

/** Two kilobytes, as a source file has. */
function contentOf(seed: number): string {
  return `value = ${seed}\n`.repeat(120);
}

function file(path: string, content: string): string {
  return `M 100644 inline ${path}\n${data(content)}`;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}
