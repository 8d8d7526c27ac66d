// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openArchiveImage, tinyBase, validateImage } from "../../../lab/src/index.ts";
import type { Event } from "../../src/event.ts";
import { bundle, openSite, type Site } from "./site.ts";

let site: Site;
let base: string;
beforeAll(async () => {
  site = await openSite({ generation: 28, store: "classic" });
  base = await tinyBase(site.registry);
});
afterAll(async () => await site.close());

/** What begins a sequence of controls for a terminal. */
const controls = "\u001b";
let count = 0;

/** The arguments of a build in which something executes, something is assembled later, and a tag moves. */
async function buildArgs(instructions = "RUN echo hello from the engine\nCOPY a /a\n"): Promise<string[]> {
  count += 1;
  // The engine has nothing of what builds before this one made.
  const text = `FROM ${base}\nENV BUILD=${count}\n${instructions}`;
  const folder = await site.context(`progress-${count}`, { Dockerfile: text, a: String(count) });
  const reference = `${site.registry.name}/progress-${count}:1`;
  return ["build", "--push", "--insecure-registry", site.registry.name, "--tag", reference, folder];
}

/** Runs the command line in a terminal of its own, and returns all that is shown there. */
async function inTerminal(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const command = [process.execPath, bundle, ...args].map((word) => `'${word}'`).join(" ");
  const path = `${site.engine?.shim}:/usr/bin:/bin:/usr/sbin:/sbin`;
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    env: { PATH: path, HOME: site.work, TMPDIR: site.scratch, TERM: "xterm", SHELL: "/bin/sh", ...env },
    cwd: site.work,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let shown = "";
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) shown += chunk.toString("utf8");
  return shown.replaceAll("\r\n", "\n");
}

describe("in a log, progress", () => {
  it.each(["auto", "plain"])("is plain lines and the closing table: %s", async (kind) => {
    const outcome = await site.layerwise(["build", "--progress", kind, ...(await buildArgs()).slice(1)]);

    expect(outcome.stdout.length).toBe(0);
    expect(outcome.stderr).not.toContain(controls);
    expect(outcome.stderr).not.toContain("\r");
    expect(outcome.stderr).toMatch(/^base +\S+ is sha256:[0-9a-f]{64}$/m);
    expect(outcome.stderr).toMatch(/^route +engine$/m);
    expect(outcome.stderr).toMatch(/^#\d+ .*hello from the engine$/m);
    const table = outcome.stderr.slice(outcome.stderr.indexOf("\nline ") + 1).split("\n");
    expect(table[0]).toMatch(/^line {2}step +by +why +time +size$/);
    expect(table[1]).toMatch(
      /^3 +RUN echo hello from the engine +made +engine +no checkpoint for its inputs +(?:[\d.]+ s +)?[\d.]+ [kM]?B$/,
    );
    expect(table[2]).toMatch(
      /^4 +COPY a \/a +made +engine +comes after a step that was made +(?:[\d.]+ s +)?[\d.]+ [kM]?B$/,
    );
    const rest = table.slice(3).join("\n");
    expect(rest).toMatch(/^saved \d+ checkpoints? for later builds$/m);
    expect(rest).toMatch(/^engine in \d+\.\d\d s: \d+ requests, [\d.]+ [kM]?B up, [\d.]+ [kM]?B down/m);
    expect(rest).toMatch(/^digest sha256:[0-9a-f]{64}$/m);
    expect(rest).toMatch(new RegExp(`^tag +${site.registry.name}/progress-${count}:1$`, "m"));
  });

  it("is one document a line for machines, and nothing else", async () => {
    const args = await buildArgs();

    const outcome = await site.layerwise([...args, "--progress", "json"]);

    const events = outcome.stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Event);
    const kinds = new Set(events.map(({ kind }) => kind));
    const expected = ["base-resolved", "planned", "engine-started", "engine-output", "step", "request", "tag-moved"];
    expect([...kinds]).toEqual(expect.arrayContaining([...expected, "checkpoint-saved"]));
    expect(outcome.stdout.length).toBe(0);
  });

  it("for machines ends with the error of a build that fails", async () => {
    const args = await buildArgs("RUN exit 7\n");

    const outcome = await site.layerwise([...args, "--progress", "json"]);

    const last = JSON.parse(outcome.stderr.trimEnd().split("\n").at(-1) as string) as Record<string, unknown>;
    expect(outcome.exitCode).toBe(1);
    expect(last).toMatchObject({
      kind: "error",
      code: "BUILD_FAILED",
      message: expect.stringMatching(/^could not /),
      hint: expect.any(String),
      at: { start: { line: 3 } },
    });
  });

  it("can be nothing but the image's ID", async () => {
    const args = await buildArgs();
    const iid = join(site.work, "iid");

    const outcome = await site.layerwise([...args, "--progress", "quiet", "--iidfile", iid]);

    expect(outcome.stderr).toBe("");
    expect(outcome.stdout.toString("utf8")).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  });

  it("of the quiet kind keeps out of an archive on stdout", async () => {
    const folder = await site.context("quiet", { Dockerfile: `FROM ${base}\nCOPY a /a\n`, a: "1" });
    const file = join(site.work, "quiet.tar");
    const flags = ["--insecure-registry", site.registry.name, "--output", "type=docker,dest=-"];

    const outcome = await site.layerwise(["build", "--progress", "quiet", ...flags, folder]);

    await site.context(".", { "quiet.tar": outcome.stdout });
    expect(await validateImage(await openArchiveImage(file))).toEqual([]);
    expect(outcome.stdout.toString("latin1")).not.toMatch(/sha256:[0-9a-f]{64}\n$/);
  });

  it("of the quiet kind shows what the engine said when it failed", async () => {
    const args = await buildArgs("RUN echo the reason is this && exit 7\n");

    const outcome = await site.layerwise([...args, "--progress", "quiet"]);

    expect(outcome.stderr).toContain("the reason is this");
    expect(outcome.stderr).toMatch(/^error BUILD_FAILED: /m);
  });
});

describe("on a terminal, progress", () => {
  it("is a line that changes, and colours", async () => {
    const shown = await inTerminal(await buildArgs());

    // To the first column, and the line away.
    expect(shown).toContain(`${controls}[1G${controls}[2K`);
    expect(shown).toContain(`${controls}[2m`);
    const stays = shown.split("\n").map((line) => line.split(`${controls}[2K`).at(-1) ?? "");
    const ofEngine = `${controls}[2m#`;
    expect(shown).toContain(ofEngine);
    expect(stays.filter((line) => line.startsWith(ofEngine) || line.startsWith("#"))).toEqual([]);
    expect(stays.join("\n")).toMatch(/engine.{0,8} in \d+\.\d\d s/);
  });

  it.each([
    ["where CI says that nobody looks", [], { CI: "true" }],
    ["where the terminal can do nothing", [], { TERM: "dumb" }],
    ["if asked for", ["--progress", "plain"], {}],
  ])("is plain lines %s", async (_, flags, env) => {
    const shown = await inTerminal([...(await buildArgs()), ...flags], { NO_COLOR: "1", ...env });

    expect(shown).not.toContain(controls);
    expect(shown).toMatch(/^#\d+ .*hello from the engine$/m);
  });

  it("has no colours with NO_COLOR", async () => {
    const shown = await inTerminal(await buildArgs(), { NO_COLOR: "1" });

    expect(shown).toContain(`${controls}[2K`);
    expect(shown).not.toContain(`${controls}[2m`);
  });
});
