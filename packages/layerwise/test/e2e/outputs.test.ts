// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  differences,
  type Image,
  openArchiveImage,
  openLayoutImage,
  openRegistryImage,
  readContents,
  runTool,
  type SkopeoInspection,
  tinyBase,
  validateImage,
} from "../../../lab/src/index.ts";
import type { Report } from "../../src/report/report.ts";
import { expectFailure } from "./expect-failure.ts";
import { openSite } from "./site.ts";

const site = await openSite(undefined);
afterAll(async () => await site.close());
const base = await tinyBase(site.registry);

let count = 0;

/** A context, and a build of it that is no push. */
async function output(name: string, args: readonly string[]) {
  const text = `FROM ${base}\nWORKDIR /app\nCOPY . .\nCMD ["cat", "a"]\n`;
  const folder = await site.context(name, { Dockerfile: text, a: name });
  const [report, metadata] = [join(site.scratch, `${name}.json`), join(site.scratch, `${name}-metadata.json`)];
  const flags = ["--insecure-registry", site.registry.name, "--report", report, "--metadata-file", metadata];
  const run = async (...more: string[]) => {
    const outcome = await site.layerwise(["build", ...flags, ...args, ...more, folder]);
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    const read = async (path: string) => JSON.parse(await readFile(path, "utf8"));
    return { outcome, report: (await read(report)) as Report, metadata: (await read(metadata)) as unknown };
  };
  return { folder, run };
}

/** Compares with what a push of the same context gives. */
async function expectPushed(folder: string, image: Image): Promise<void> {
  count += 1;
  const reference = `${site.registry.name}/pushed:${count}`;
  await site.build(["--tag", reference, folder]);
  expect(await validateImage(image)).toEqual([]);
  const [one, other] = [await readContents(image), await readContents(await openRegistryImage(reference))];
  expect(differences(one, other, { history: true })).toEqual([]);
}

/** What skopeo says of an image in a folder of the site. */
async function inspect(name: string): Promise<SkopeoInspection> {
  return JSON.parse((await runTool(["skopeo", "inspect", name], { work: site.work })).stdout) as SkopeoInspection;
}

describe("an OCI layout", () => {
  it("holds the image under its tags, and later builds continue from it", async () => {
    const directory = join(site.work, "layout");
    const { folder, run } = await output("layout-build", [
      ...["--output", `type=oci,dest=${directory}`],
      ...["--tag", "app:1", "--tag", "app:latest"],
    ]);

    const first = await run();
    const second = await run("--label", "second=yes");
    await writeFile(join(folder, "a"), "changed");
    const third = await run();

    expect([first, second, third].map(({ report }) => report.route)).toEqual(["assemble", "reuse", "assemble"]);
    for (const tag of ["1", "latest"]) {
      const image = await openLayoutImage(directory, { tag });
      await expectPushed(folder, image);
      expect((await inspect(`oci:${directory}:${tag}`)).Digest).toBe(third.report.image.digest);
    }
    expect(third.metadata).toMatchObject({ "containerimage.digest": third.report.image.digest });
  });

  it("is not written as a tar", async () => {
    const folder = await site.context("layout-tar", { Dockerfile: "FROM scratch\n" });

    const outcome = await site.layerwise(["build", "--output", "type=oci,dest=x,tar=true", folder]);

    expectFailure(outcome, { code: "USAGE", says: ["tar=true", "directory"] });
  });
});

describe("an archive", () => {
  it("is what docker save writes, as a file", async () => {
    const file = join(site.work, "image.tar");
    const { folder, run } = await output("archive-file", [
      ...["--output", `type=docker,dest=${file}`],
      ...["--tag", "app:1", "--tag", "other.example/app:2"],
    ]);

    const { report, metadata } = await run();

    await expectPushed(folder, await openArchiveImage(file));
    await runTool(["crane", "validate", "--tarball", file], { work: site.work });
    expect(await inspect(`docker-archive:${file}:app:1`)).toMatchObject({ Os: "linux" });
    expect(report.image.references).toEqual(["app:1", "other.example/app:2"]);
    expect(metadata).toMatchObject({ "image.name": "docker.io/library/app:1,other.example/app:2" });
  });

  it("comes on stdout alone, whatever is said about the build", async () => {
    const file = join(site.work, "stdout.tar");
    const { folder, run } = await output("archive-stdout", ["--output", "type=docker,dest=-", "--tag", "app:1"]);

    const { outcome } = await run();

    await writeFile(file, outcome.stdout);
    await expectPushed(folder, await openArchiveImage(file));
    expect(outcome.stderr).toMatch(/^assemble in /m);
  });

  it("needs no tag", async () => {
    const file = join(site.work, "untagged.tar");
    const { folder, run } = await output("archive-untagged", ["--output", `type=docker,dest=${file}`]);

    const { report } = await run();

    expect(report.image.references).toEqual([]);
    await expectPushed(folder, await openArchiveImage(file));
  });
});

it("goes to several places in one build", async () => {
  const [directory, file] = [join(site.work, "both-layout"), join(site.work, "both.tar")];
  const reference = `${site.registry.name}/both:1`;
  const { folder, run } = await output("both", [
    ...["--output", `type=oci,dest=${directory}`, "--output", `type=docker,dest=${file}`],
    ...["--push", "--tag", reference],
  ]);

  const { report } = await run();

  expect(await site.flaws(reference)).toEqual([]);
  await expectPushed(folder, await openLayoutImage(directory, { tag: "1" }));
  await expectPushed(folder, await openArchiveImage(file));
  expect(report.image.references).toEqual([reference, `oci-layout:${directory}:1`, reference]);
});
