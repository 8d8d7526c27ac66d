// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { encodeTar, type TarItem, tinyBase } from "../../../lab/src/index.ts";
import { expectFailure } from "./expect-failure.ts";
import { type Built, openSite } from "./site.ts";
import { expectSound } from "./sound-image.ts";

const site = await openSite({ generation: 28, store: "containerd" });
afterAll(async () => await site.close());
const base = await tinyBase(site.registry);

let count = 0;

/** A repository that no other test uses. */
function repository(): string {
  count += 1;
  return `${site.registry.name}/context-${count}`;
}

/** Checks an image against what the engine makes of the same. */
async function expectTruth(reference: string, args: readonly string[], stdin?: Uint8Array | string): Promise<void> {
  const truth = `${reference}-truth`;
  const build = ["docker", "build", "--no-cache", "--provenance=false", "--tag", truth, ...args];
  await site.engine?.exec(build, { cwd: site.work, ...(stdin === undefined ? {} : { stdin }) });
  await site.engine?.exec(["docker", "push", truth]);
  await expectSound(site, reference);
  expect(await site.differences(reference, truth)).toEqual([]);
}

const file = (path: string, content: string, rest: Partial<TarItem> = {}): TarItem => ({
  path,
  type: "file",
  content,
  ...rest,
});

describe("a tar on stdin", () => {
  const items: readonly TarItem[] = [
    file("Dockerfile", `FROM ${base}\nCOPY . /ctx/\nWORKDIR /ctx\n`),
    file(".dockerignore", "ignored\n"),
    file("ignored", "here all the same: an ignore file does not count in a tar\n"),
    file("src/owned", "1", { uid: 1000, gid: 1001, mode: 0o640 }),
    { path: "src/link", type: "symlink", linkPath: "owned" },
    { path: "src/twin", type: "link", linkPath: "src/owned", mode: 0o640, uid: 1000, gid: 1001 },
  ];

  it.each([
    ["plain", encodeTar(items)],
    ["compressed with gzip", gzipSync(encodeTar(items))],
    ["with paths that begin with a dot", encodeTar(items.map((item) => ({ ...item, path: `./${item.path}` })))],
  ])("is the build context: %s", async (_, stdin) => {
    const reference = `${repository()}:1`;

    const { report } = await site.build(["--tag", reference, "-"], { stdin });

    expect(report.route).toBe("assemble");
    await expectTruth(reference, ["-"], stdin);
  });

  it("holds the Dockerfile that --file names, and goes to the engine when something executes", async () => {
    const run = `FROM ${base}\nCOPY src /ctx/\nRUN cat /ctx/owned > /made\n`;
    const stdin = encodeTar([...items, file("build/app.Dockerfile", run)]);
    const reference = `${repository()}:1`;
    const args = ["--file", "build/app.Dockerfile", "-"];

    const first = await site.build(["--tag", reference, ...args], { stdin });
    const second = await site.build(["--tag", reference, ...args], { stdin });

    expect([first.report.route, second.report.route]).toEqual(["engine", "reuse"]);
    await expectTruth(reference, args, stdin);
  });
});

describe("a Dockerfile on stdin", () => {
  it("comes with a directory for --file -", async () => {
    const folder = await site.context("file-stdin", { Dockerfile: "FROM nothing-of-this", a: "1", b: "2" });
    await site.context("file-stdin", { ".dockerignore": "b\n" });
    const text = `FROM ${base}\nCOPY . /ctx/\n`;
    const reference = `${repository()}:1`;

    const { report } = await site.build(["--tag", reference, "--file", "-", folder], { stdin: text });

    expect(report.route).toBe("assemble");
    await expectTruth(reference, ["--file", "-", folder], text);
  });

  it("comes with an empty context where the context should be", async () => {
    const text = `FROM ${base}\nENV A=1\nWORKDIR /made\nRUN ls -A . > /listing\n`;
    const reference = `${repository()}:1`;

    const { report } = await site.build(["--tag", reference, "-"], { stdin: text });

    expect(report.route).toBe("engine");
    await expectTruth(reference, ["-"], text);
  });

  it("is not taken where --file names another", async () => {
    const args = ["build", "--push", "--tag", `${repository()}:1`, "--file", "app.Dockerfile", "-"];

    const outcome = await site.layerwise(args, { stdin: "FROM scratch\n" });

    expectFailure(outcome, { code: "USAGE", says: ["app.Dockerfile", "no tar archive"] });
  });
});

describe("an ignore file", () => {
  const files = {
    "app.Dockerfile": `FROM ${base}\nCOPY . /ctx/\n`,
    "other.Dockerfile": `FROM ${base}\nCOPY . /ctx/\n`,
    "app.Dockerfile.dockerignore": "*\n!keep\nkeep/*.tmp\n",
    ".dockerignore": "keep\n",
    "keep/a": "1",
    "keep/a.tmp": "",
    beside: "2",
  };

  it("beside the Dockerfile wins over the one of the context", async () => {
    const folder = await site.context("ignore", files);
    const [own, common] = [`${repository()}:own`, `${repository()}:common`];

    await site.build(["--tag", own, "--file", join(folder, "app.Dockerfile"), folder]);
    await site.build(["--tag", common, "--file", join(folder, "other.Dockerfile"), folder]);

    await expectTruth(own, ["--file", join(folder, "app.Dockerfile"), folder]);
    await expectTruth(common, ["--file", join(folder, "other.Dockerfile"), folder]);
    expect(await site.differences(own, common)).not.toEqual([]);
  });

  it("is the one that the engine gets as well", async () => {
    const folder = await site.context("ignore-engine", files);
    await site.context("ignore-engine", { "app.Dockerfile": `FROM ${base}\nRUN true\nCOPY . /ctx/\nRUN true\n` });
    const reference = `${repository()}:1`;
    const args = ["--file", join(folder, "app.Dockerfile"), folder];

    await site.build(["--tag", reference, ...args]);

    await expectTruth(reference, args);
  });
});

describe("a context without an image's kind of file", () => {
  it.each([
    ["a pipe", "p"],
    ["a device", "c"],
  ])("is built while %s is not selected, and refused when it is", async (_, kind) => {
    const name = `special-${kind}`;
    const folder = await site.context(name, { "one.Dockerfile": `FROM ${base}\nCOPY src/a /a\n`, "src/a": "1" });
    await site.context(name, { "all.Dockerfile": `FROM ${base}\nCOPY src /src\n` });
    await rm(join(folder, "src/special"), { force: true });
    await promisify(execFile)("mknod", [join(folder, "src/special"), kind, ...(kind === "c" ? ["1", "3"] : [])]);
    const reference = `${repository()}:1`;
    const push = ["build", "--push", "--insecure-registry", site.registry.name, "--tag", reference];

    const refused = await site.layerwise([...push, "--file", join(folder, "all.Dockerfile"), folder]);
    const { report } = await site.build(["--tag", reference, "--file", join(folder, "one.Dockerfile"), folder]);

    expectFailure(refused, { code: "CONTEXT_UNSUPPORTED", says: ["src/special", "ignore file"] });
    expect(report.route).toBe("assemble");
  });
});

it("builds the same image from another path, in another order, with other times", async () => {
  const [one, other] = ["order-one", "deeper/order-other"];
  const names = ["a", "b", "c/d", "c/e"];
  const text = `FROM ${base}\nCOPY . /ctx/\n`;
  const first = await site.context(one, { Dockerfile: text });
  const second = await site.context(other, { Dockerfile: text });
  await mkdir(join(second, "c"), { recursive: true });
  for (const name of names) await site.context(one, { [name]: name });
  for (const name of [...names].reverse()) await site.context(other, { [name]: name });
  const place = repository();

  const built: Built[] = [];
  for (const [tag, folder] of Object.entries({ first, second })) {
    built.push(await site.build(["--tag", `${place}:${tag}`, "--tag-by-content", folder]));
  }

  expect(built.map(({ report }) => report.route)).toEqual(["assemble", "reuse"]);
  expect(built[1]?.report.image.contentTag).toBe(built[0]?.report.image.contentTag);
  expect(await site.differences(`${place}:first`, `${place}:second`)).toEqual([]);
});
