// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLayoutImage, readContents, validateImage } from "../../../lab/src/index.ts";
import { apiProgram, typeProgram } from "./packed-programs.ts";

const packageFolder = fileURLToPath(new URL("../../", import.meta.url));
const compiler = fileURLToPath(new URL("../../../../node_modules/typescript/bin/tsc", import.meta.url));
const execute = promisify(execFile);

let folder: string;
let packed: readonly string[];
const installed = (...parts: string[]) => join(folder, "node_modules", "layerwise", ...parts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "layerwise-packed-"));
  await writeFile(join(folder, "package.json"), '{"private":true,"type":"module"}\n');
  const pack = await execute("npm", ["pack", "--json", "--pack-destination", folder], { cwd: packageFolder });
  const [{ filename, files }] = JSON.parse(pack.stdout) as [{ filename: string; files: { path: string }[] }];
  packed = files.map(({ path }) => path);
  const flags = ["--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts"];
  await execute("npm", ["install", ...flags, join(folder, filename)], { cwd: folder });
  await context({ Dockerfile: "FROM scratch\nCOPY hello /greetings/\n", hello: "hello\n" });
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

/** Writes the build context of all tests. */
async function context(files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(folder, "app"), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, "app", name), text);
}

async function layerwise(...args: readonly string[]): Promise<string> {
  return await installedProgram("layerwise", args);
}

async function installedProgram(name: string, args: readonly string[]): Promise<string> {
  const env = { HOME: folder, PATH: `${join(process.execPath, "..")}:/nonexistent`, TMPDIR: folder, CI: "true" };
  return (await execute(join(folder, "node_modules", ".bin", name), args, { cwd: folder, env })).stdout;
}

describe("the packed tarball", () => {
  it("holds what users need, and no sources, tests or maps", () => {
    const allowed = /^(?:package\.json|README\.md|LICENSE|dist\/.+\.(?:js|d\.ts))$/;

    expect(packed).toEqual(expect.arrayContaining(["LICENSE", "README.md", "dist/index.d.ts", "dist/index.js"]));
    expect(packed.filter((path) => !allowed.test(path) || path.includes(".test."))).toEqual([]);
    expect(packed.filter((path) => path.startsWith("dist/cli/"))).toEqual([]);
  });

  it("has the shape that resolvers and bundlers expect", async () => {
    const { messages } = await publint({ pkgDir: installed(), pack: false });

    expect(messages.filter(({ type }) => type !== "suggestion")).toEqual([]);
  });

  it("carries the licence of the repository", async () => {
    const [own, ours] = await Promise.all(
      [installed("LICENSE"), fileURLToPath(new URL("../../../../LICENSE", import.meta.url))].map((path) =>
        readFile(path, "utf8"),
      ),
    );

    expect(own).toBe(ours);
  });
});

describe("the installed API", () => {
  it("builds into an OCI layout, and reuses what is there the second time", async () => {
    await writeFile(join(folder, "consumer.js"), apiProgram);

    const { stdout } = await execute(process.execPath, ["consumer.js"], { cwd: folder });

    const { routes, code, digests } = JSON.parse(stdout);
    expect(routes).toEqual(["assemble", "assemble", "reuse"]);
    expect(code).toBe("DOCKERFILE_SYNTAX");
    expect(digests[1]).toBe(digests[0]);
  });

  it("has types that accept right calls and refuse wrong ones", async () => {
    await writeFile(join(folder, "consumer.ts"), typeProgram);
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--lib", "es2023,dom"];

    const checked = await execute(process.execPath, [compiler, ...options, "consumer.ts"], { cwd: folder }).catch(
      ({ stdout }: { stdout: string }) => ({ stdout }),
    );

    expect(checked.stdout).toBe("");
  });
});

describe("the installed command line", () => {
  it("says its version", async () => {
    const { version } = JSON.parse(await readFile(join(packageFolder, "package.json"), "utf8"));

    expect(await layerwise("--version")).toBe(`${version}\n`);
  });

  it("is there in docker's place too, and keeps its images", async () => {
    await installedProgram("layerwise-docker", ["build", "--tag", "app", "app"]);

    const format = ["--format", "{{.Repository}}:{{.Tag}}"];
    expect(await installedProgram("layerwise-docker", ["images", ...format])).toBe("app:latest\n");
  });

  it("says what it would do", async () => {
    const plan = JSON.parse(await layerwise("plan", "--json", "app"));

    expect(plan).toMatchObject({ version: 1, route: "assemble", reasons: [] });
    expect(plan.steps).toMatchObject([{ line: 2, state: "made", by: "assemble" }]);
  });

  it("builds into an OCI layout from scratch, without an engine", async () => {
    await layerwise("build", "--output", "type=oci,dest=out", "--tag", "app:1", "app");

    const image = await openLayoutImage(join(folder, "out"), { tag: "1" });
    expect(await validateImage(image)).toEqual([]);
    const { tree } = await readContents(image);
    expect([...tree.keys()]).toEqual(expect.arrayContaining(["greetings", "greetings/hello"]));
  });
});
