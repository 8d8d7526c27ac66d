// SPDX-License-Identifier: Apache-2.0
import { chmodSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { expect, it } from "vitest";
import { openHandOver, packHandOver } from "../runner/hand-over-package.ts";
import type { ImagePlan } from "../src/private/plan-file.ts";
import { makeFolder, writeFiles } from "./context.ts";
import { digest, holding, plan, run } from "./run-runner.ts";
import { startScriptedAws } from "./scripted-aws.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";

it("ends at once when the tag is there, and exports what the pipeline is told", async () => {
  const { endpoint, calls } = await startScriptedAws(holding(["content-1", "latest"]));

  const { exitCode, outputs, stdout } = await run(["build", plan], { endpoint });

  expect(exitCode).toBe(0);
  expect(outputs).toBe(
    [
      `export LAYERWISE_DIGEST='${digest}'`,
      "export LAYERWISE_TAG='content-1'",
      "export LAYERWISE_REUSED_BYTES='1234'",
      "export LAYERWISE_ENGINE_USED='false'\n",
    ].join("\n"),
  );
  expect(stdout).toContain("111111111111.dkr.ecr.eu-west-1.amazonaws.com/app:content-1 is sha256:");
  expect(calls.map(({ operation, input }) => [operation, input["repositoryName"], input["imageIds"]])).toEqual([
    ["BatchGetImage", "app", [{ imageTag: "content-1" }]],
    ["BatchGetImage", "app", [{ imageTag: "latest" }]],
  ]);
});

it("copies nothing when the next stage has the image already, and stops when the first has none", async () => {
  const { endpoint } = await startScriptedAws(holding(["content-1", "latest"]));
  const empty = await startScriptedAws(holding([]));

  const done = await run(["promote", plan, { ...plan, path: "Prod/App/Image" }], { endpoint });
  const none = await run(["promote", plan, plan], { endpoint: empty.endpoint });

  expect(done.exitCode).toBe(0);
  expect(done.outputs).toContain(`LAYERWISE_DIGEST='${digest}'`);
  expect(none.exitCode).toBe(1);
  expect(none.stderr).toContain("error: could not promote Dev/App/Image: ");
  expect(none.stderr).toContain("hint: run the step that builds it before this one");
});

it.each([
  ["an empty commit", {}, "it is tagged with its commit, and LAYERWISE_COMMIT_ID is empty"],
  [
    "another commit",
    { LAYERWISE_COMMIT_ID: "1".repeat(40) },
    `it was synthesized for the commit ${commit}, and this is 1`,
  ],
])("refuses %s before anything is asked", async (_, env, says) => {
  const { endpoint, calls } = await startScriptedAws(() => undefined);

  const { exitCode, stderr } = await run(["build", { ...plan, tag: commit, tagKind: "commit" }], { endpoint, env });

  expect(exitCode).toBe(1);
  expect(stderr).toContain(says);
  expect(stderr).toContain("hint: give the synth step and the build step the same");
  expect(calls).toEqual([]);
});

it("says what is wrong without a stack trace", async () => {
  const { endpoint } = await startScriptedAws(() => undefined);

  const denied = await run(["build", plan], { endpoint });
  const missing = await run(["build", "nowhere.json"]);
  const newer = await run(["build", { ...plan, version: 2 } as unknown as ImagePlan]);
  const nowhere = await run(["build", plan], { env: { LAYERWISE_ACCOUNT: "" } });
  const unknown = await run(["biuld", plan]);

  expect(denied.exitCode).toBe(3);
  expect(denied.stderr).toContain("could not look for app:content-1 in ECR: NotScripted");
  expect(missing.stderr).toContain("could not read the plan nowhere.json of an image: ENOENT");
  expect(newer.stderr).toContain("its version is 2");
  expect(nowhere.stderr).toContain("LAYERWISE_ACCOUNT is not set");
  expect(unknown.stderr).toContain('there is no command "biuld"');
  for (const { stderr } of [denied, missing, newer, nowhere, unknown]) {
    expect(stderr).toContain("hint: ");
    expect(stderr).not.toMatch(/^ {4}at /m);
  }
});

it("hands a build context over with exact modes and links", async () => {
  const folder = makeFolder();
  const directory = join(folder, "image");
  writeFiles(directory, { Dockerfile: "FROM scratch\n", "bin/run": "#!/bin/sh\n", "open/file": "1" });
  chmodSync(join(directory, "bin/run"), 0o775);
  chmodSync(join(directory, "open"), 0o777);
  symlinkSync("bin/run", join(directory, "start"));

  const archive = await packHandOver({ plan, platform: "linux/amd64", directory }, folder);
  const source = join(folder, "unpacked");
  mkdirSync(source);
  for (const [name, bytes] of Object.entries(unzipSync(readFileSync(archive))))
    writeFileSync(join(source, name), bytes);
  const opened = await openHandOver(source, folder);

  expect(opened.order).toEqual({ version: 1, plan, platform: "linux/amd64" });
  const modeOf = (path: string) => (lstatSync(join(opened.directory, path)).mode & 0o7777).toString(8);
  expect([modeOf("bin/run"), modeOf("open"), modeOf("open/file")]).toEqual(["775", "777", "644"]);
  expect(readlinkSync(join(opened.directory, "start"))).toBe("bin/run");
  expect(readFileSync(join(source, "layerwise-build.mjs"))).toEqual(readFileSync(process.argv[1] as string));
});
