// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import {
  differences,
  type Engine,
  makeWorkload,
  openRegistryImage,
  pythonBase,
  type Registry,
  readContents,
  run,
  startEngine,
  startRegistry,
  startWheelIndex,
  validateImage,
  type WheelIndex,
} from "../src/index.ts";
import { httpRequest } from "../src/registry/http.ts";
import { makeWheels } from "../src/workload/wheels.ts";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 900_000 });

let registry: Registry;
let index: WheelIndex;
let base: string;
let engine: Engine;

beforeAll(async () => {
  registry = await startRegistry();
  index = await startWheelIndex({ address: registry.address, wheels: "small" });
  base = await pythonBase(registry);
  engine = await startEngine({ generation: 28, insecureRegistries: [registry.name] });
});
afterAll(async () => {
  await engine.stop();
  await index.stop();
  await registry.stop();
});

it("builds with all its Dockerfiles into images that hold the same application", async () => {
  const folder = join(engine.work, "app");
  const app = await makeWorkload({ folder, base, index, wheels: "small" });
  await app.touch(7);

  const images = Object.entries(app.dockerfiles).map(([variant, file]) => ({
    file,
    name: `${registry.name}/app:${variant}`,
  }));
  for (const { file, name } of images) {
    await engine.exec(["docker", "build", "--file", file, "--tag", name, "."], { cwd: folder });
    await engine.exec(["docker", "push", "--quiet", name]);
  }

  // That pip installed them says that Python's zip reader found the wheels whole.
  const script = "import app, requests, certifi; print(app.app(None, None), requests.__name__)";
  for (const { name } of images) {
    const { stdout } = await engine.exec(["docker", "run", "--rm", name, "python3", "-B", "-c", script]);
    expect(stdout).toBe("7 requests\n");
    expect(await validateImage(await openRegistryImage(name), { completeFrom: 1 })).toEqual([]);
  }
  const [plain, link] = await Promise.all(
    ["plain", "link"].map(async (tag) => readContents(await openRegistryImage(`${registry.name}/app:${tag}`))),
  );
  if (plain === undefined || link === undefined) throw new Error("an image is missing");
  expect(differences(plain, link).filter((line) => !/__pycache__|config/.test(line))).toEqual([]);
});

it("writes the same files each time, about 300 with 3 MB", async () => {
  const folders = await Promise.all([1, 2].map(() => mkdtemp(join(tmpdir(), "layerwise-lab-app-"))));
  const options = { base: "base.example/python:1", index: { url: "http://index.example/", address: "index.example" } };

  for (const folder of folders) await makeWorkload({ folder, ...options, wheels: "full" });

  const [first = "", second = ""] = folders;
  const { stdout } = await run(["diff", "--recursive", first, second]);
  expect(stdout).toBe("");
  const names = await readdir(join(first, "src"), { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(first, "src", name))).size));
  expect(names.length).toBe(302); // with the folder pkg
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(2_900_000);
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

it("changes one file with each deploy, and back with the same number", async () => {
  const folder = await mkdtemp(join(tmpdir(), "layerwise-lab-app-"));
  const app = await makeWorkload({ folder, base, index, wheels: "small" });
  const source = () => readFile(join(folder, "src/app.py"), "utf8");

  const versions: string[] = [];
  for (const deploy of [1, 2, 1]) {
    await app.touch(deploy);
    versions.push(await source());
  }

  expect(versions[0]).not.toBe(versions[1]);
  expect(versions[2]).toBe(versions[0]);
  await rm(folder, { recursive: true });
});

it("upgrades a dependency by one line of requirements.txt, which pip can install", async () => {
  const folder = join(engine.work, "upgraded");
  const app = await makeWorkload({ folder, base, index, wheels: "small" });
  const requirements = async () => (await readFile(join(folder, "requirements.txt"), "utf8")).split("\n");
  const before = await requirements();

  await app.upgrade();

  const after = await requirements();
  expect(after.filter((line, number) => line !== before[number])).toEqual(["six==1.1"]);
  expect(after).toHaveLength(before.length);
  await engine.exec(["docker", "build", "--tag", "upgraded", "."], { cwd: folder });
  const script = "from importlib.metadata import version; print(version('six'))";
  const { stdout } = await engine.exec(["docker", "run", "--rm", "upgraded", "python3", "-B", "-c", script]);
  expect(stdout).toBe("1.1\n");
});

it("serves all its wheels as they are, and nothing else", async () => {
  const folder = await makeWheels("small");
  const page = (await httpRequest(index.url)).body.toString();
  const names = [...page.matchAll(/href="([^"]+)"/g)].map((match) => match[1] ?? "");

  for (const name of names) {
    const { body } = await httpRequest(`${index.url}${name}`);
    expect(body.equals(await readFile(join(folder, name)))).toBe(true);
  }

  expect(names).toHaveLength(7);
  expect((await httpRequest(`${index.url}..%2f..%2fetc%2fpasswd`)).status).toBe(404);
});
