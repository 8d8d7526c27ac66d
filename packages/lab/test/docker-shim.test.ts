// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Engine, type Registry, run, startEngine, startRegistry, tinyBase } from "../src/index.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

let registry: Registry;
let base: string;
let engine: Engine;

beforeAll(async () => {
  registry = await startRegistry();
  base = await tinyBase(registry);
  engine = await startEngine({ generation: 28, insecureRegistries: [registry.name] });
});
afterAll(async () => {
  await engine.stop();
  await registry.stop();
});

function environment(more: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
  const { PATH } = process.env;
  return { ...process.env, PATH: `${engine.shim}:${PATH}`, ...more };
}

it("builds a context by a path relative to where it is called", async () => {
  const context = join(engine.work, "relative", "context");
  await mkdir(context, { recursive: true });
  await writeFile(join(context, "Dockerfile"), `FROM ${base}\nCOPY note /\n`);
  await writeFile(join(context, "note"), "note");

  await run(["docker", "build", "--tag", "relative", "context"], {
    cwd: join(engine.work, "relative"),
    env: environment(),
  });

  const { stdout } = await engine.exec(["docker", "run", "--rm", "relative", "cat", "/note"]);
  expect(stdout).toBe("note");
});

it("hands through what comes in and what goes out", async () => {
  const stdin = `FROM ${base}\nRUN echo from stdin\n`;

  const built = await run(["docker", "build", "--quiet", "-"], { stdin, env: environment() });
  const output = await run(
    ["docker", "run", "--rm", "--interactive", built.stdout.trim(), "sh", "-c", "cat; echo error >&2"],
    {
      stdin: "to the container",
      env: environment(),
    },
  );

  expect(built.stdout).toMatch(/^sha256:/);
  expect(output).toEqual({ code: 0, stdout: "to the container", stderr: "error\n" });
});

it("gives the client's exit code", async () => {
  const output = await run(["docker", "run", "--rm", base, "sh", "-c", "exit 37"], {
    env: environment(),
    allowFailure: true,
  });

  expect(output.code).toBe(37);
});

it("hands words through as they are", async () => {
  const words = ["two words", "", "$HOME", "'quoted'", "*", "-x", "new\nline"];

  const { stdout } = await run(["docker", "run", "--rm", base, "printf", "<%s>", ...words], { env: environment() });

  expect(stdout).toBe(words.map((word) => `<${word}>`).join(""));
});

it("uses the Docker config that DOCKER_CONFIG names", async () => {
  const config = join(engine.work, "config");
  await mkdir(config, { recursive: true });
  await writeFile(join(config, "config.json"), JSON.stringify({ imagesFormat: "from the config" }));
  await engine.exec(["docker", "pull", base]);

  const { stdout } = await run(["docker", "images"], { env: environment({ DOCKER_CONFIG: config }) });

  expect(stdout).toContain("from the config");
});

it("hands variables through, for secrets and for BuildKit", async () => {
  await writeFile(
    join(engine.work, "Dockerfile.secret"),
    `FROM ${base}\nRUN --mount=type=secret,id=word,env=WORD echo "said $WORD"\n`,
  );
  const argv = ["docker", "build", "--secret", "id=word,env=WORD", "--file", "Dockerfile.secret", "."];

  const { stderr } = await run(argv, {
    cwd: engine.work,
    env: environment({ WORD: "swordfish", BUILDKIT_PROGRESS: "plain" }),
  });

  expect(stderr).toContain("said swordfish");
});

it("keeps its home apart from this machine's", async () => {
  await run(["docker", "context", "create", "mine"], { env: environment() });

  const { stdout } = await engine.exec(["sh", "-c", "ls -d ~/.docker/contexts; echo $HOME"]);

  const home = join(engine.shim, "..", "home");
  expect(stdout).toBe(`${home}/.docker/contexts\n${home}\n`);
});

it("works from a folder that the engine does not see, and offers it no other", async () => {
  const version = await run(["docker", "version"], { cwd: "/etc", env: environment() });
  const build = await run(["docker", "build", "."], { cwd: "/etc", env: environment(), allowFailure: true });

  expect(version.code).toBe(0);
  expect(build.stderr).toContain("failed to read dockerfile");
});

it("stops the client when it is told to end", async () => {
  const name = "to-be-stopped";
  const argv = ["run", "--rm", "--name", name, base, "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"];
  const client = spawn("docker", argv, { env: environment(), stdio: "ignore" });
  const closed = new Promise((resolve) => client.once("close", resolve));
  await waitUntil(async () => (await running(name)) === 1);

  client.kill("SIGTERM");
  await closed;

  // The client hands the signal on to its container, which ends then.
  await waitUntil(async () => (await running(name)) === 0);
  expect(await running(name)).toBe(0);
});

it("says so after the engine has been stopped", async () => {
  const stopped = await startEngine({ generation: 28 });
  const { stdout: shim } = await run(["cat", join(stopped.shim, "docker")]);

  await stopped.stop();

  const output = await run(["bash", "-c", shim, "docker", "version"], { allowFailure: true });
  expect(output).toMatchObject({ code: 125, stderr: "the laboratory's engine has been stopped\n" });
});

async function running(name: string): Promise<number> {
  const { stdout } = await engine.exec(["docker", "ps", "--quiet", "--filter", `name=${name}`]);
  return stdout.split("\n").filter((line) => line !== "").length;
}

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await holds()) && performance.now() < deadline) await pause(50);
}
