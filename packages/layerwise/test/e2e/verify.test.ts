// SPDX-License-Identifier: Apache-2.0
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import type { Verification } from "../../src/verify/verify.ts";
import { expectFailure } from "./expect-failure.ts";
import { noEngine, openSite } from "./site.ts";

const site = await openSite({ generation: 28, store: "containerd" });
afterAll(async () => await site.close());
const base = await tinyBase(site.registry);
const host = site.registry.name;
const insecure = ["--insecure-registry", host];

/** What a RUN reads and no key holds: two values of a secret make one key stand for two results. */
const readsSecret = `FROM ${base}
RUN --mount=type=secret,id=token cat /run/secrets/token > /token && cat /proc/sys/kernel/random/uuid > /random
COPY a /a
`;

/** An application whose RUN has kept a secret's first value; with `secret` it is built with another one. */
async function publishedApp(name: string) {
  const folder = await site.context(name, { Dockerfile: readsSecret, a: "1", one: "first", two: "second" });
  const reference = `${host}/${name}:1`;
  const secret = (file: "one" | "two") => ["--secret", `id=token,src=${join(folder, file)}`];
  await site.build(["--tag", reference, ...secret("one"), folder]);
  await writeFile(join(folder, "a"), "2");
  return { folder, reference, secret, flags: ["--tag", reference, ...insecure] };
}

it("finds an assembled image equal to the engine's, whatever varies from build to build", async () => {
  const { folder, flags, secret } = await publishedApp("same");

  const outcome = await site.layerwise(["verify", "--json", ...flags, ...secret("one"), folder]);

  expect(outcome, outcome.stderr).toMatchObject({ exitCode: 0 });
  const found = JSON.parse(outcome.stdout.toString("utf8")) as Verification;
  expect(found).toMatchObject({ outcome: "equal", differences: [], checkpoints: [expect.stringMatching(/^lwcache-/)] });
  expect(found.varying.map(({ path, field }) => [path, field])).toEqual([["/random", "content"]]);
});

it("says which path differs and which instruction made it", async () => {
  const { folder, flags, secret } = await publishedApp("other");

  const outcome = await site.layerwise(["verify", ...flags, ...secret("two"), folder]);

  expect(outcome.exitCode, outcome.stderr).toBe(1);
  const text = outcome.stdout.toString("utf8");
  expect(text).toMatch(/^RUN .*cat \/run\/secrets\/token/m);
  expect(text).toMatch(/^ {2}\/token: content sha256:[0-9a-f]{64}, and not sha256:[0-9a-f]{64}$/m);
  expect(text).not.toContain("/random:");
  expect(text).not.toContain("second");
});

it("publishes and saves nothing that differs, names the checkpoint, and builds once it is pruned", async () => {
  const { folder, flags, secret, reference } = await publishedApp("pruned");
  const before = await site.contents(reference);

  const refused = await site.layerwise(["build", "--push", "--verify", ...flags, ...secret("two"), folder]);
  const after = await site.contents(reference);
  const tag = /lwcache-[0-9a-f]{40}/.exec(refused.stderr.split("error IMAGES_DIFFER")[1] ?? "")?.[0] ?? "";
  const pruned = await site.layerwise(["prune", "--key", tag, "--cache-repo", `${host}/pruned`, ...insecure]);
  const { report } = await site.build(["--verify", ...flags, ...secret("two"), folder]);

  expectFailure(refused, { code: "IMAGES_DIFFER", says: ["/token: content", tag, "layerwise prune --key"] });
  expect(refused.stderr).not.toContain("saved      lwcache-");
  expect(after).toEqual(before);
  expect(pruned.stdout.toString("utf8")).toBe(`${host}/pruned:${tag} removed\n`);
  expect(report).toMatchObject({ route: "engine", verification: "own" });
  expect((await site.contents(reference)).tree.get("token")?.content).not.toBe(before.tree.get("token")?.content);
});

it("verifies one build in many, and says in the report that it did", async () => {
  const { folder, flags, secret } = await publishedApp("sampled");

  const always = await site.build(["--verify=sample:1", ...flags, ...secret("one"), folder]);
  await writeFile(join(folder, "a"), "3");
  const never = await site.build(["--verify=sample:1000000", ...flags, ...secret("one"), folder]);

  expect(always.report.verification).toBe("equal");
  expect(never.report.verification).toBeUndefined();
});

it("says that there is nothing to compare when an engine makes it all", async () => {
  const folder = await site.context("cold", { Dockerfile: `FROM ${base}\nRUN echo x > /x\n` });

  const outcome = await site.layerwise(["verify", "--tag", `${host}/cold:1`, ...insecure, folder]);

  expect(outcome).toMatchObject({ exitCode: 0 });
  expect(outcome.stdout.toString("utf8")).toContain("an engine makes all of this image");
});

it("compares two published images without an engine", async () => {
  const { reference: one, folder, secret } = await publishedApp("one");
  const other = `${host}/one:2`;
  await writeFile(join(folder, "a"), "1");
  await site.build(["--tag", other, "--no-cache", ...secret("one"), folder]);
  const env = noEngine;

  const equal = await site.layerwise(["verify", ...insecure, one, one], { env });
  const different = await site.layerwise(["verify", "--json", ...insecure, one, other], { env });

  expect(equal).toMatchObject({ exitCode: 0 });
  expect(equal.stdout.toString("utf8")).toContain(`no container can tell ${one} from ${one}`);
  expect(different.exitCode).toBe(1);
  const { differences } = JSON.parse(different.stdout.toString("utf8")) as Verification;
  expect(differences.map(({ path }) => path)).toEqual(["/random"]);
});

it.each([
  ["an image that is not there", [`${host}/none:1`, base], "REGISTRY_NOT_FOUND", "none:1"],
  ["three images", ["a:1", "b:1", "c:1"], "USAGE", "two references"],
  ["a sample that is no number", ["--verify=sample:x", "."], "USAGE", "sample:N"],
] as const)("refuses %s", async (_, args, code, says) => {
  const command = args[0].startsWith("--verify") ? "build" : "verify";

  const outcome = await site.layerwise([command, ...insecure, ...args]);

  expectFailure(outcome, { code, says: [says] });
});

it.each([
  ["without a key", ["--cache-repo", `${host}/same`], "there is no key"],
  ["without a repository", ["--key", `lwcache-${"0".repeat(40)}`], "there is no repository"],
  ["what is no key", ["--key", "latest", "--cache-repo", `${host}/same`], "--key latest"],
] as const)("does not prune %s", async (_, args, says) => {
  const outcome = await site.layerwise(["prune", ...insecure, ...args]);

  expectFailure(outcome, { code: "USAGE", says: [says] });
});
