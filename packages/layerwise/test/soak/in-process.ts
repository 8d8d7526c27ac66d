// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { run } from "../../src/cli/run.ts";
import type { Report } from "../../src/report/report.ts";
import type { Site } from "../e2e/site.ts";

/** How a build of the command line ended. */
export type OwnBuild =
  | { readonly isBuilt: true; readonly report: Report }
  | {
      readonly isBuilt: false;
      /** Of the table of errors. */
      readonly code: string;
      readonly text: string;
    };

/** Runs the command line in this process, which saves its start: `build --push` with a report. */
export async function buildInProcess(site: Site, args: readonly string[]): Promise<OwnBuild> {
  const report = join(site.scratch, `report-${randomUUID()}.json`);
  const stderr = collector();
  const argv = ["build", "--push", "--insecure-registry", site.registry.name, "--report", report, ...args];
  const exitCode = await run(argv, {
    stdin: nothing(),
    stdout: collector(),
    stderr,
    env: environmentOf(site),
    version: "0.0.0-soak",
    signal: new AbortController().signal,
  });
  if (exitCode !== 0) {
    const text = stderr.text();
    return { isBuilt: false, code: /^error (\w+): /m.exec(text)?.[1] ?? "none", text };
  }
  const text = await readFile(report, "utf8");
  await rm(report);
  return { isBuilt: true, report: JSON.parse(text) as Report };
}

function environmentOf({ engine, work, scratch }: Site): Readonly<Record<string, string>> {
  const path = engine === undefined ? "/nonexistent" : `${engine.shim}:/usr/bin:/bin:/usr/sbin:/sbin`;
  return { PATH: path, HOME: work, TMPDIR: scratch, CI: "true" };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function collector(): Writable & { text(): string } {
  const parts: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      parts.push(chunk);
      done();
    },
  });
  return Object.assign(stream, { text: () => Buffer.concat(parts).toString("utf8") });
}
