// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { hostPlatform, treeBase } from "../../../lab/src/index.ts";
import { openSite } from "./site.ts";

const standIn = new URL("../../dist/bundle/layerwise-docker.js", import.meta.url).pathname;

const site = await openSite(undefined);
afterAll(async () => await site.close());
const { registry } = site;
const base = await treeBase(registry);
const store = await site.folder(".store");

interface Said {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Calls the stand-in as a program that starts it by its name would. */
async function docker(args: readonly string[], { path = "/nonexistent", stdin = "", env = {} } = {}): Promise<Said> {
  const settings = { PATH: path, HOME: site.work, TMPDIR: site.scratch, LAYERWISE_STORE: store, ...env };
  const all = { LAYERWISE_INSECURE_REGISTRY: registry.name, ...settings };
  return await new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [standIn, ...args],
      { env: all, cwd: site.work },
      (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
    child.stdin?.end(stdin);
  });
}

async function built(name: string, ...flags: readonly string[]): Promise<string> {
  const folder = await site.context(`context ${name}`, { Dockerfile: `FROM ${base}\nENV A=b\nCOPY a /a\n`, a: name });
  const outcome = await docker(["buildx", "build", "--tag", name, "--load", ...flags, folder]);
  expect(outcome.exitCode, outcome.stderr).toBe(0);
  return outcome.stdout;
}

it("shows an image as docker does, by name and by ID, and not one that is not there", async () => {
  const id = (await built("shown", "--quiet", "--cache-from", "type=registry,ref=x")).trim();

  const byName = await docker(["inspect", "shown"]);
  const byId = await docker(["image", "inspect", "--format", "{{.Id}} {{json .RepoTags}} {{.Config.WorkingDir}}", id]);
  const missing = await docker(["inspect", "missing"]);

  const [image] = JSON.parse(byName.stdout);
  expect(image).toMatchObject({ Id: id, RepoTags: ["shown:latest"], Os: "linux", RootFS: { Type: "layers" } });
  expect(image.Config.Env).toContain("A=b");
  expect(byId).toEqual({ exitCode: 0, stdout: `${id} ["shown:latest"] /\n`, stderr: "" });
  expect(missing).toEqual({ exitCode: 1, stdout: "[]\n", stderr: "Error: No such object: missing\n" });
});

it("tags, lists by pattern, and pushes only what is not there", async () => {
  await built("named");
  const target = `${registry.name}/team:hash`;
  const before = await docker(["tag", "named", target]);

  const listed = await docker(["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=*/*:hash"]);
  const pushed = await docker(["push", target]);
  const again = await docker(["image", "push", "--quiet", target]);
  const absent = await docker(["push", `${registry.name}/absent:1`]);
  const removed = await docker(["rmi", target]);

  expect(before).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  expect(listed.stdout).toBe(`${target}\n`);
  expect(pushed.stdout).toMatch(/^hash: digest: sha256:[0-9a-f]{64} size: \d+$/m);
  expect(again).toEqual({ exitCode: 0, stdout: `${target}\n`, stderr: "" });
  expect(await site.flaws(target)).toEqual([]);
  expect(absent.exitCode).toBe(1);
  expect(absent.stderr).toBe(`Error: No such image: ${registry.name}/absent:1\n`);
  expect(removed.stdout).toBe(`Untagged: ${target}\n`);
});

it("pushes while it builds if it is asked to", async () => {
  const target = `${registry.name}/direct:1`;

  await built(target, "--push", "--provenance=false", "--metadata-file", join(site.work, "metadata.json"));

  expect(JSON.parse(await readFile(join(site.work, "metadata.json"), "utf8"))["image.name"]).toContain(target);
  expect(await site.tags("direct")).toEqual(["1"]);
});

it("takes the command lines of AWS SAM", async () => {
  const folder = await site.context("context sam", { Dockerfile: `FROM ${base}\nARG A\nCOPY a /a\n`, a: "sam" });
  const platform = `linux/${hostPlatform().architecture}`;
  const flags = ["--provenance=false", "--sbom=false", "--platform", platform, "--build-arg", "A=1", "--rm"];

  const available = await docker(["buildx", "version"]);
  const built = await docker(["buildx", "build", "-f", join(folder, "Dockerfile"), "-t", "sam", ...flags, folder]);

  expect(available.exitCode).toBe(0);
  expect(built.exitCode, built.stderr).toBe(0);
  expect((await docker(["inspect", "sam"])).exitCode).toBe(0);
});

it("builds several images at once in one folder", async () => {
  const names = ["a", "b", "c", "d"].map((name) => `many-${name}`);

  await Promise.all(names.map(async (name) => await built(name)));

  const { stdout } = await docker(["images", "--format", "{{.Repository}}", "--filter", "reference=many-*"]);
  expect(stdout.trim().split("\n").sort()).toEqual(names);
});

it("keeps credentials for the folder that --config names, and shows none", async () => {
  const config = await site.folder("config");
  const login = ["--config", config, "login", "--username", "AWS", "--password-stdin", "https://registry.example"];

  const said = await docker(login, { stdin: "t0ken\n" });
  const out = await docker(["--config", config, "logout", "registry.example"]);

  expect(said.exitCode).toBe(0);
  expect(said.stdout + said.stderr).not.toContain("t0ken");
  expect(said.stdout).toBe("Login Succeeded\n");
  expect(out.stdout).toBe("Removing login credentials for registry.example\n");
  expect(JSON.parse(await readFile(join(config, "config.json"), "utf8"))).toEqual({ auths: {} });
});

it.each([
  [["run", "--rm", "alpine"], 4, "error ENGINE_MISSING: could not run docker run: only a real docker can"],
  [["compose", "up"], 4, "error ENGINE_MISSING: could not run docker compose: only a real docker can"],
  [["build", "--squash", "."], 2, "error USAGE: could not read the command line of docker build: unknown option"],
  [["build", "--output", "type=local,dest=x", "."], 2, "error USAGE: could not use --output type=local,dest=x"],
  [["login", "registry.example"], 2, "error USAGE: could not log in: a user name and a password are needed"],
  [["images", "--filter", "dangling=true"], 2, "error USAGE: could not use --filter dangling=true"],
  [["push", "--all-tags", "a"], 2, "error USAGE: could not read the command line of docker push"],
  [["tag", "a"], 2, "error USAGE: could not read the command line of docker tag"],
])("refuses %j in a sentence where there is no docker", async (args, exitCode, sentence) => {
  const outcome = await docker(args);

  expect(outcome.stderr).toContain(sentence);
  expect(outcome.stderr).toMatch(/^ {2}hint: /m);
  expect(outcome.exitCode).toBe(exitCode);
});

it("says a version where there is no docker", async () => {
  expect((await docker(["--version"])).stdout).toMatch(/^Docker version \d+\.\d+\.\d+, build layerwise-/);
  expect((await docker(["version", "--format", "{{.Server.Version}}"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

it("hands over what is docker's, and never to itself", async () => {
  const folder = await site.folder("both");
  const real = await site.folder("real");
  await symlink(standIn, join(folder, "docker"));
  const script = `#!/bin/sh\necho "real docker: $*"\nexit 7\n`;
  await writeFile(join(real, "docker"), script, { mode: 0o755 });
  // A wrapper under docker's name that calls the stand-in again is no engine either.
  const wrapper = await site.folder("wrapper");
  await writeFile(join(wrapper, "docker"), `#!/bin/sh\nexec ${process.execPath} ${standIn} "$@"\n`, { mode: 0o755 });

  const alone = await docker(["ps"], { path: folder, env: { CDK_DOCKER: standIn } });
  const handed = await docker(["ps", "-a"], { path: `${folder}:${real}`, env: { CDK_DOCKER: standIn } });
  const unknown = await docker(["push", "only:docker"], { path: `${folder}:${real}` });
  const looped = await docker(["ps"], { path: `${wrapper}:/bin:/usr/bin` });

  expect(alone.exitCode).toBe(4);
  expect(handed).toEqual({ exitCode: 7, stdout: "real docker: ps -a\n", stderr: "" });
  expect(unknown.stdout).toBe("real docker: push only:docker\n");
  expect(looped.exitCode).toBe(4);
  expect(looped.stderr).toContain("could not act as an engine");
});
