// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Output, run, startEngine } from "../../lab/src/index.ts";
import { isMatrix } from "../../lab/test/engine-kinds.ts";
import type { DemoRecord } from "../src/record.ts";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const changes = ["cold", "source", "source", "nothing", "dependency"];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "layerwise-demo-test-"));
  await chmod(folder, 0o777);
});
afterEach(async () => await rm(folder, { recursive: true }));

interface Shown {
  readonly output: Output;
  readonly record: DemoRecord;
}

interface Surroundings {
  /** What comes before the program's own command line. */
  readonly prefix?: readonly string[];
  readonly path: string;
  /** For what it makes; the test's folder by default. */
  readonly temporary?: string;
}

async function demo(args: readonly string[], { prefix = [], path, temporary = folder }: Surroundings): Promise<Shown> {
  const json = join(folder, "figures.json");
  const env = { ...process.env, PATH: path, TMPDIR: temporary, LAYERWISE_LAB: await labHome() };
  const output = await run([...prefix, process.execPath, program, "--quick", "--json", json, ...args], { env });
  return { output, record: JSON.parse(await readFile(json, "utf8")) as DemoRecord };
}

/** Where engines are kept must not move with the temporary folder. */
async function labHome(): Promise<string> {
  return process.env["LAYERWISE_LAB"] ?? join(tmpdir(), "layerwise-lab");
}

function deploysOf({ series: [first] }: DemoRecord) {
  return first?.deploys ?? [];
}

it("shows reuse and assemble to a user without rights and without an engine", async () => {
  const asNobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

  const { output, record } = await demo([], { prefix: asNobody, path: "/nonexistent" });

  expect(record).toMatchObject({ version: 1, mode: "layout", quick: true, series: [{ engine: null, rival: null }] });
  expect(deploysOf(record).map(({ change }) => change)).toEqual(changes);
  expect(deploysOf(record).map(({ layerwise }) => layerwise.route)).toEqual([
    "assemble",
    "assemble",
    "assemble",
    "reuse",
    "assemble",
  ]);
  // The source alone, nothing, the dependencies and the source.
  const [cold, source, , nothing, dependency] = deploysOf(record).map(({ layerwise }) => layerwise.uploaded);
  expect(source).toBeLessThan(5_000_000);
  expect(nothing).toBe(0);
  expect(dependency).toBeGreaterThan(15_000_000);
  expect(cold).toBeGreaterThan(60_000_000);
  expect(output.stdout).toMatch(/^No Docker with BuildKit answers here: install one/);
  expect(output.stdout).toMatch(/^\| 4 nothing changed +\| reuse /m);
  expect(await readdir(folder)).toEqual(["figures.json"]);
});

// With an engine, one mode is enough on every run.
const matrixIt = isMatrix ? it : () => undefined;

matrixIt("tells the story on the Docker that is there, and leaves no image behind", async () => {
  const engine = await startEngine({ generation: 28 });
  const temporary = join(engine.work, "tmp");
  await mkdir(temporary);

  const path = `${engine.shim}:/usr/bin:/bin`;
  const { output, record } = await demo(["--mode", "docker"], { path, temporary });

  expect(record).toMatchObject({ mode: "docker", series: [{ rival: "docker build --no-cache" }] });
  expect(record.series[0]?.engine?.version).toMatch(/^28\./);
  expect(deploysOf(record).map(({ rival }) => rival?.executed)).toEqual([true, true, true, true, true]);
  expect(deploysOf(record).map(({ layerwise }) => layerwise.executed)).toEqual([true, false, false, false, true]);
  expect(output.stdout).toContain("RUN again in 2 of 2 of these deploys, layerwise in 0.");
  expect((await engine.exec(["docker", "images", "--quiet"])).stdout).toBe("");
  expect(await readdir(temporary)).toEqual([]);
  await engine.stop();
});

it("tells the whole story on engines of its own, and writes its figures", async () => {
  const { output, record } = await demo(["--mode", "engines"], { path: process.env["PATH"] ?? "" });

  expect(record).toEqual({
    version: 1,
    date: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    machine: {
      system: expect.any(String),
      processors: expect.any(Number),
      memory: expect.any(Number),
      node: process.versions.node,
    },
    mode: "engines",
    quick: true,
    seconds: expect.any(Number),
    series: [
      {
        engine: { version: expect.stringMatching(/^28\./), store: "classic" },
        rival: "classic recipe",
        imageBytes: expect.any(Number),
        deploys: changes.map((change, index) => ({
          number: index + 1,
          change,
          rival: { seconds: expect.any(Number), executed: expect.any(Boolean), received: expect.any(Number) },
          layerwise: {
            seconds: expect.any(Number),
            route: expect.stringMatching(/^(?:reuse|assemble|engine)$/),
            executed: expect.any(Boolean),
            received: expect.any(Number),
            requests: expect.any(Number),
            uploaded: expect.any(Number),
          },
        })),
      },
    ],
  });
  // With this store the recipe finds its dependencies on every second deploy only.
  expect(deploysOf(record).map(({ rival }) => rival?.executed)).toEqual([true, false, true, false, true]);
  expect(deploysOf(record).map(({ layerwise }) => layerwise.executed)).toEqual([true, false, false, false, true]);
  expect(deploysOf(record).map(({ layerwise }) => layerwise.route)).toEqual([
    "engine",
    "assemble",
    "assemble",
    "reuse",
    "engine",
  ]);
  for (const { change, layerwise, rival } of deploysOf(record)) {
    if (change === "source" || change === "nothing") expect(layerwise.received).toBeLessThan(256 * 1024);
    expect(rival?.received).toBeGreaterThan(80_000_000);
  }
  expect(output.stdout).toContain("RUN again in 1 of 2 of these deploys, layerwise in 0.");
});
