// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it, onTestFinished } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import { expectFailure } from "./expect-failure.ts";
import { digestOf, uploads } from "./registry-traffic.ts";
import { noEngine, openSite, type RunOptions } from "./site.ts";

const site = await openSite(undefined, { isProxied: true });
afterAll(async () => await site.close());
const { proxy, registry } = site;
await tinyBase(registry);
const base = `${proxy.name}/tiny:1`;
const dockerfile = `FROM ${base}\nCOPY small /small\nCOPY large /large\n`;
const megabyte = 1024 * 1024;

let count = 0;

/** An application in a repository of its own, whose first version is published; the next one has a layer of this size. */
async function publishedApp(large: number = megabyte) {
  count += 1;
  const name = `app-${count}`;
  await proxy.mend();
  await site.context(name, { Dockerfile: dockerfile, small: "0", large: "0" });
  const build = async (options: RunOptions & { flags?: readonly string[] } = {}) => {
    const flags = ["--push", "--insecure-registry", proxy.name, "--tag", `${proxy.name}/${name}:1`];
    return await site.layerwise(["build", ...flags, ...(options.flags ?? []), name], options);
  };
  const digest = async () => await digestOf(registry, `${name}/manifests/1`);
  const first = await build();
  expect(first, first.stderr).toMatchObject({ exitCode: 0 });
  const published = await digest();
  await site.context(name, { small: randomBytes(megabyte), large: randomBytes(large) });
  return { name, build, digest, published, reference: `${registry.name}/${name}:1` };
}

it("keeps the tag where it was when the registry is gone in the middle, and goes on from there", async () => {
  const app = await publishedApp(12 * megabyte);
  const struck = proxy.strike("refuse", { blobs: 1, bytes: 4 * megabyte });

  const broken = await app.build();
  await struck;
  const uploaded = uploads(proxy);
  const digestAfter = await app.digest();
  await proxy.mend();
  const second = await app.build();

  expectFailure(broken, { code: "REGISTRY_UNREACHABLE", says: [`${proxy.name}/${app.name}`, "ECONNREFUSED"] });
  expect(digestAfter).toBe(app.published);
  expect(second.exitCode).toBe(0);
  const next = uploads(proxy);
  expect(uploaded).not.toEqual([]);
  expect(next.filter((digest) => uploaded.includes(digest))).toEqual([]);
  expect(next).toEqual([...new Set(next)]);
  expect(await app.digest()).not.toBe(app.published);
  expect(await site.flaws(app.reference)).toEqual([]);
});

it("keeps the tag where it was when the registry stays busy", async () => {
  const app = await publishedApp();
  const busy = { status: 503, code: "UNAVAILABLE", headers: { "retry-after": "0" } };
  proxy.rule = ({ method }) => (method === "POST" ? busy : undefined);

  const outcome = await app.build();

  expectFailure(outcome, { code: "REGISTRY_BUSY", says: [`${proxy.name}/${app.name}`, "503"] });
  expect(await app.digest()).toBe(app.published);
});

it.each([
  ["breaks an upload once", () => void proxy.strike("cut", { bytes: 500_000 }), 0],
  ["is busy twice", twice("POST", { status: 503, code: "UNAVAILABLE" }), 503],
  ["asks twice to wait", twice("PUT", { status: 429, code: "TOOMANYREQUESTS", headers: { "retry-after": "1" } }), 429],
  ["fails twice to look up a checkpoint", twice("GET", { status: 500, code: "UNKNOWN" }), 500],
])("publishes although the registry %s", async (_, arm, status) => {
  const app = await publishedApp();
  arm();

  const outcome = await app.build();

  expect(outcome.stderr).toContain(`tagged     ${proxy.name}/${app.name}:1`);
  expect(proxy.requests.map((request) => request.status)).toContain(status);
  expect(await app.digest()).not.toBe(app.published);
  expect(await site.flaws(app.reference)).toEqual([]);
});

/** Answers the next two requests of a kind in the registry's place. */
function twice(kind: string, answer: { status: number; code: string; headers?: Record<string, string> }) {
  return () => {
    let left = 2;
    proxy.rule = ({ method }) => (method === kind && left-- > 0 ? answer : undefined);
  };
}

it("says which right is missing when uploads are denied", async () => {
  const app = await publishedApp();
  proxy.rule = ({ method }) => (method === "POST" ? { status: 403, code: "DENIED" } : undefined);

  const outcome = await app.build();

  const says = [`${proxy.name}/${app.name}`, "403", `hint: give this user the right to push to ${app.name}`];
  expectFailure(outcome, { code: "REGISTRY_DENIED", says });
  expect(await app.digest()).toBe(app.published);
});

it("moves no tag when one of several repositories denies the upload", async () => {
  const app = await publishedApp();
  proxy.rule = ({ method, path }) =>
    method === "POST" && path.includes("/forbidden/") ? { status: 403, code: "DENIED" } : undefined;

  const outcome = await app.build({ flags: ["--tag", `${proxy.name}/forbidden:1`] });

  expectFailure(outcome, { code: "REGISTRY_DENIED", says: [`${proxy.name}/forbidden`] });
  expect(await app.digest()).toBe(app.published);
  expect(await site.tags("forbidden")).toEqual([]);
});

it("says that a tag may not be moved, and uses what is uploaded under another tag", async () => {
  const app = await publishedApp();
  proxy.rule = ({ method, path }) =>
    method === "PUT" && path.endsWith("/manifests/1") ? { status: 400, code: "TAG_INVALID" } : undefined;

  const refused = await app.build();
  const uploaded = uploads(proxy);
  const other = await app.build({ flags: ["--tag", `${proxy.name}/${app.name}:2`] });
  await proxy.mend();
  const second = await site.layerwise([
    ...["build", "--push", "--insecure-registry", proxy.name, "--tag", `${proxy.name}/${app.name}:2`],
    app.name,
  ]);

  expectFailure(refused, { code: "REGISTRY_DENIED", says: [`${proxy.name}/${app.name}`, "choose another tag"] });
  expectFailure(other, { code: "REGISTRY_DENIED", says: ["choose another tag"] });
  expect(await app.digest()).toBe(app.published);
  expect(second.exitCode).toBe(0);
  expect(uploads(proxy).filter((digest) => uploaded.includes(digest))).toEqual([]);
});

it("says that a registry without TLS must be named", async () => {
  const folder = await site.context("plain-http", { Dockerfile: dockerfile, small: "", large: "" });

  const outcome = await site.layerwise(["build", "--push", "--tag", `${registry.name}/plain:1`, folder]);

  expectFailure(outcome, { code: "REGISTRY_UNREACHABLE", says: [`--insecure-registry ${proxy.name}`] });
});

it("says that the disk is full, and keeps the tag where it was", async () => {
  const app = await publishedApp(12 * megabyte);
  const small = await smallDisk();

  const outcome = await app.build({ env: { ...noEngine, TMPDIR: small } });

  expectFailure(outcome, { code: "DISK", says: [small, "the disk is full", "TMPDIR"] });
  expect(await app.digest()).toBe(app.published);
});

it("says that an archive does not fit, and keeps the tag where it was", async () => {
  const app = await publishedApp(12 * megabyte);
  const archive = join(await smallDisk(), "image.tar");

  const outcome = await app.build({ flags: ["--output", `type=docker,dest=${archive}`] });

  expectFailure(outcome, { code: "DISK", says: [archive, "the disk is full"] });
  expect(await app.digest()).toBe(app.published);
});

/** A folder on a disk of 1 MB, until the test is finished. */
async function smallDisk(): Promise<string> {
  const folder = await site.folder(`disk-${count}`);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]);
  onTestFinished(() => void execFileSync("umount", ["--lazy", folder]));
  return folder;
}

const auth = { user: "ci-robot", password: "correct-horse-battery" };
const locked = await openSite(undefined, { auth });
afterAll(async () => await locked.close());
const lockedBase = await tinyBase(locked.registry);
const host = locked.registry.name;
await locked.context("app", { Dockerfile: `FROM ${lockedBase}\nCOPY a /a\n`, a: "1" });

async function lockedBuild(env: Record<string, string>, flags: readonly string[] = []) {
  count += 1;
  const report = join(locked.scratch, `report-${count}.json`);
  const all = ["build", "--push", "--insecure-registry", host, "--report", report, ...flags, "app"];
  return { outcome: await locked.layerwise(all, { env }), report };
}

/** The ways in which a password can be shown. */
const secrets = [auth.password, Buffer.from(`${auth.user}:${auth.password}`).toString("base64")];

it("says that there are no credentials", async () => {
  const { outcome } = await lockedBuild({}, ["--tag", `${host}/none:1`]);

  const says = [`${host}/tiny`, "401", `log in with "docker login ${host}"`, "no credentials were found"];
  expectFailure(outcome, { code: "REGISTRY_UNAUTHORIZED", says });
});

it("says that the registry does not take the credentials that were sent", async () => {
  const config = { auths: { [host]: { auth: Buffer.from(`${auth.user}:wrong-secret`).toString("base64") } } };
  const folder = await locked.context("wrong-config", { "config.json": JSON.stringify(config) });

  const { outcome } = await lockedBuild({ DOCKER_CONFIG: folder }, ["--tag", `${host}/wrong:1`]);

  expectFailure(outcome, { code: "REGISTRY_UNAUTHORIZED", says: [`${host}/tiny`, "were sent", "config.json"] });
  expect(outcome.stderr).not.toContain("wrong-secret");
});

it("says which credential helper is missing", async () => {
  const config = { credHelpers: { [host]: "nowhere" } };
  const folder = await locked.context("helper-missing", { "config.json": JSON.stringify(config) });

  const { outcome } = await lockedBuild({ DOCKER_CONFIG: folder }, ["--tag", `${host}/missing:1`]);

  expectFailure(outcome, { code: "CREDENTIALS_UNREADABLE", says: ["docker-credential-nowhere"] });
});

it.each(["plain", "json", "quiet"])(
  "logs in with Docker's config, and shows no password with --progress %s",
  async (kind) => {
    const config = { auths: { [host]: { auth: secrets[1] } } };
    const folder = await locked.context("config", { "config.json": JSON.stringify(config) });

    const flags = ["--progress", kind, "--tag", `${host}/config-${kind}:1`];
    const { outcome, report } = await lockedBuild({ DOCKER_CONFIG: folder }, flags);

    expect(outcome).toMatchObject({ exitCode: 0 });
    const shown = [outcome.stderr, outcome.stdout.toString("utf8"), await readFile(report, "utf8")].join("\n");
    for (const secret of secrets) expect(shown).not.toContain(secret);
    expect(await locked.tags(`config-${kind}`)).toEqual(["1"]);
  },
);

it("logs in with a credential helper, and shows nothing of it", async () => {
  const answer = JSON.stringify({ ServerURL: host, Username: auth.user, Secret: auth.password });
  const helper = `#!/bin/sh\nread -r server\n[ "$1 $server" = "get ${host}" ] || exit 1\nprintf '%s' '${answer}'\n`;
  const folder = await locked.context("helper", {
    "config.json": JSON.stringify({ credHelpers: { [host]: "lab" } }),
    "docker-credential-lab": helper,
  });
  await chmod(join(folder, "docker-credential-lab"), 0o755);

  const env = { DOCKER_CONFIG: folder, PATH: `${folder}:/nonexistent` };
  const { outcome, report } = await lockedBuild(env, ["--progress", "json", "--tag", `${host}/helper:1`]);

  expect(outcome).toMatchObject({ exitCode: 0 });
  const shown = [outcome.stderr, outcome.stdout.toString("utf8"), await readFile(report, "utf8")].join("\n");
  for (const secret of secrets) expect(shown).not.toContain(secret);
  expect(await locked.flaws(`${host}/helper:1`)).toEqual([]);
});
