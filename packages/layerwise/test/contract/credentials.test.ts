// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createCredentialSource } from "../../src/system/credentials.ts";
import type { Credentials } from "../../src/system/docker-config.ts";
import { writeCredentialHelper } from "../credential-helper.ts";
import { temporaryFolder } from "../open-repositories.ts";

const name = { host: "registry.example", path: "team/app" };

describe("files", () => {
  it("are not needed", async () => {
    const { source, folder } = await start();

    const found = await source.credentialsFor(name);

    expect(found).toEqual({ kind: "anonymous", source: join(folder, "config.json") });
  });

  it("are found in the home directory", async () => {
    const home = await temporaryFolder();
    await mkdir(join(home, ".docker"));
    await writeFile(join(home, ".docker", "config.json"), configOf("me"));
    const { source } = await start({ environment: { DOCKER_CONFIG: undefined, HOME: home } });

    const found = await source.credentialsFor(name);

    expect(found).toMatchObject({ kind: "password", username: "me" });
  });

  it("are asked in order: REGISTRY_AUTH_FILE before Docker's config", async () => {
    const folder = await temporaryFolder();
    const podman = join(folder, "auth.json");
    await writeFile(podman, configOf("podman"));
    const { source } = await start({ config: configOf("docker"), environment: { REGISTRY_AUTH_FILE: podman } });

    const found = await source.credentialsFor(name);

    expect(found).toMatchObject({ username: "podman", source: `the entry registry.example of ${podman}` });
  });

  it("are asked on when the first knows nothing of the host", async () => {
    const folder = await temporaryFolder();
    const podman = join(folder, "auth.json");
    await writeFile(podman, '{"auths":{"other.example":{"auth":"YTpi"}}}');
    const { source } = await start({ config: configOf("docker"), environment: { REGISTRY_AUTH_FILE: podman } });

    const found = await source.credentialsFor(name);

    expect(found).toMatchObject({ username: "docker" });
  });

  it("must be readable", async () => {
    const { source, folder } = await start();
    await mkdir(join(folder, "config.json"));
    await chmod(folder, 0o755);

    const finding = source.credentialsFor(name);

    await expect(finding).rejects.toMatchObject({
      code: "CREDENTIALS_UNREADABLE",
      message: `could not read the credentials in ${join(folder, "config.json")}: EISDIR`,
    });
  });
});

describe("a helper", () => {
  const config = '{"credHelpers":{"registry.example":"test"}}';

  it("is asked for the host, and its answer is kept", async () => {
    const log = join(await temporaryFolder(), "log");
    const PATH = await writeCredentialHelper(
      "test",
      `read server; echo "$1 $server" >> ${log}; ${answer("me", "secret")}`,
    );
    const { source, secrets } = await start({ config, environment: { PATH } });

    const found = [await source.credentialsFor(name), await source.credentialsFor({ ...name, path: "other" })];

    const expected = {
      kind: "password",
      username: "me",
      password: "secret",
      source: "the credential helper docker-credential-test",
    };
    expect(found).toEqual([expected, expected]);
    expect(await readFile(log, "utf8")).toBe("get registry.example\n");
    expect(secrets).toContain("secret");
  });

  it("is asked again after ten minutes, since what it hands out may expire", async () => {
    const log = join(await temporaryFolder(), "log");
    const PATH = await writeCredentialHelper("test", `echo asked >> ${log}; ${answer("me", "secret")}`);
    const { source, advance } = await start({ config, environment: { PATH } });

    await source.credentialsFor(name);
    advance(601_000);
    await source.credentialsFor(name);

    expect(await readFile(log, "utf8")).toBe("asked\nasked\n");
  });

  it("may answer with an identity token", async () => {
    const PATH = await writeCredentialHelper("test", answer("<token>", "identity"));
    const { source } = await start({ config, environment: { PATH } });

    const found = await source.credentialsFor(name);

    expect(found).toMatchObject({ kind: "identity-token", token: "identity" });
  });

  it("may know nothing; then the file counts", async () => {
    const PATH = await writeCredentialHelper("test", 'echo "credentials not found in native keychain"; exit 1');
    const both = '{"credsStore":"test","auths":{"registry.example":{"username":"file","password":"x"}}}';
    const { source } = await start({ config: both, environment: { PATH } });

    const found = await source.credentialsFor(name);

    expect(found).toMatchObject({ username: "file" });
  });

  it.each([
    { what: "fails", script: 'echo "the keychain is locked"; exit 1', why: "the keychain is locked" },
    { what: "fails on stderr", script: 'echo "no session" >&2; exit 1', why: "no session" },
    { what: "fails silently", script: "exit 4", why: "it ended with code 4" },
    { what: "answers no JSON", script: "echo hunter2", why: "its answer is no JSON" },
    {
      what: "answers something else",
      script: "echo '{\"Username\":5}'",
      why: "its answer has no user name and secret",
    },
    { what: "is killed", script: "kill -9 $$", why: "it was ended by SIGKILL" },
  ])("that $what is an error", async ({ script, why }) => {
    const PATH = await writeCredentialHelper("test", script);
    const { source } = await start({ config, environment: { PATH } });

    const finding = source.credentialsFor(name);

    await expect(finding).rejects.toMatchObject({
      code: "CREDENTIALS_UNREADABLE",
      message: `could not ask the credential helper docker-credential-test: ${why}`,
    });
  });

  it("that is not there is an error", async () => {
    const { source } = await start({ config, environment: { PATH: "/nonexistent" } });

    const finding = source.credentialsFor(name);

    await expect(finding).rejects.toMatchObject({ message: /there is no such program in PATH$/ });
  });

  it("is never a path", async () => {
    const { source } = await start({ config: '{"credsStore":"../../bin/sh"}' });

    const finding = source.credentialsFor(name);

    await expect(finding).rejects.toMatchObject({ message: /its name is no name of a helper$/ });
  });
});

describe("the cloud", () => {
  const cloud = (host: string): Promise<Credentials> | undefined =>
    host === name.host
      ? Promise.resolve({ kind: "password", username: "cloud", password: "x", source: "cloud" })
      : undefined;

  it("is asked when the files know nothing", async () => {
    const { source } = await start({ cloud });

    const found = [await source.credentialsFor(name), await source.credentialsFor({ ...name, host: "other.example" })];

    expect(found).toMatchObject([{ username: "cloud" }, { kind: "anonymous" }]);
  });

  it("is not asked when a file knows", async () => {
    const { source } = await start({ cloud, config: configOf("file") });

    const found = await source.credentialsFor(name);

    expect(found).toMatchObject({ username: "file" });
  });
});

interface StartOptions {
  readonly config?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly cloud?: (host: string) => Promise<Credentials> | undefined;
}

async function start({ config, environment, cloud }: StartOptions = {}) {
  const folder = await temporaryFolder();
  if (config !== undefined) await writeFile(join(folder, "config.json"), config);
  const secrets = new Set<string>();
  let ticks = 0;
  const advance = (milliseconds: number) => {
    ticks += milliseconds;
  };
  const source = createCredentialSource({
    environment: { PATH: process.env["PATH"], DOCKER_CONFIG: folder, ...environment },
    clock: { now: () => 0, ticks: () => ticks },
    secrets,
    cloud,
  });
  return { source, secrets, folder, advance };
}

function configOf(username: string): string {
  const auth = Buffer.from(`${username}:password`).toString("base64");
  return JSON.stringify({ auths: { "registry.example": { auth } } });
}

function answer(username: string, secret: string): string {
  return `echo '${JSON.stringify({ ServerURL: "registry.example", Username: username, Secret: secret })}'`;
}
