// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eraseCredentials, type LoginOptions, saveCredentials } from "../../src/system/save-credentials.ts";

const ada = { username: "ada", password: "s3cret" };
const entry = { auth: Buffer.from("ada:s3cret").toString("base64") };

let folder: string;
let options: LoginOptions;
const config = () => join(folder, "config.json");
const read = async () => JSON.parse(await readFile(config(), "utf8")) as Record<string, unknown>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "layerwise-login-"));
  options = { environment: { DOCKER_CONFIG: folder, PATH: `${folder}:/usr/bin:/bin` }, host: "registry.example:5000" };
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

/** Puts a credential helper on PATH that writes down what it is told. */
async function helper(script: string): Promise<void> {
  await writeFile(join(folder, "docker-credential-kept"), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, "docker-credential-kept"), 0o755);
}

describe("a login", () => {
  it("is kept in a config file that only its owner reads, and the rest of the file stays", async () => {
    await writeFile(config(), '{"proxies":{"default":{}},"auths":{"other.example":{"auth":"x"}}}', { mode: 0o644 });

    const kept = await saveCredentials(ada, options);

    expect(kept).toBe(config());
    expect(await read()).toEqual({
      proxies: { default: {} },
      auths: { "other.example": { auth: "x" }, "registry.example:5000": entry },
    });
    expect((await stat(config())).mode & 0o777).toBe(0o600);
  });

  it("makes the folder and the file, under docker's name for Docker Hub", async () => {
    const environment = { ...options.environment, DOCKER_CONFIG: join(folder, "new", "er") };

    await saveCredentials(ada, { environment, host: "docker.io" });

    expect(JSON.parse(await readFile(join(folder, "new", "er", "config.json"), "utf8"))).toEqual({
      auths: { "https://index.docker.io/v1/": entry },
    });
  });

  it("is handed to the helper of the host, or of all hosts, and not written", async () => {
    await helper(`cat >> ${join(folder, "told")}`);
    await writeFile(config(), '{"credHelpers":{"registry.example:5000":"kept"},"credsStore":"missing"}');

    const kept = await saveCredentials(ada, options);

    expect(kept).toBe("docker-credential-kept");
    expect(JSON.parse(await readFile(join(folder, "told"), "utf8"))).toEqual({
      ServerURL: "registry.example:5000",
      Username: "ada",
      Secret: "s3cret",
    });
    expect(await readFile(config(), "utf8")).not.toContain(entry.auth);
  });

  it("fails as the helper does, without its secret", async () => {
    await helper("echo cannot keep s3cret; exit 1");
    await writeFile(config(), '{"credsStore":"kept"}');

    const saving = saveCredentials(ada, options);

    await expect(saving).rejects.toMatchObject({ code: "CREDENTIALS_UNREADABLE" });
    await expect(saving).rejects.toThrow(/cannot keep (?!s3cret)/);
  });

  it("is not written into a file that is no config", async () => {
    await writeFile(config(), "not json");

    await expect(saveCredentials(ada, options)).rejects.toMatchObject({ code: "CREDENTIALS_UNREADABLE" });
    expect(await readFile(config(), "utf8")).toBe("not json");
  });

  it("loses no other that happens at the same time", async () => {
    const hosts = ["a.example", "b.example", "c.example", "d.example"];

    await Promise.all(hosts.map(async (host) => await saveCredentials(ada, { ...options, host })));

    expect(Object.keys((await read())["auths"] as object).sort()).toEqual(hosts);
  });

  it("is forgotten by a logout, which says whether there was one", async () => {
    await saveCredentials(ada, options);

    expect(await eraseCredentials(options)).toBe(true);
    expect(await eraseCredentials(options)).toBe(false);
    expect(await read()).toEqual({ auths: {} });
  });
});
