// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { chmod, mkdir, readdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, expect, it, onTestFinished } from "vitest";
import { encodeTar, tinyBase } from "../../../lab/src/index.ts";
import type { ErrorCode } from "../../src/error.ts";
import { expectFailure } from "./expect-failure.ts";
import { openSite, type RunOptions } from "./site.ts";

const site = await openSite(undefined);
afterAll(async () => await site.close());
const base = await tinyBase(site.registry);
/** A user without rights. */
const nobody = 65534;

let count = 0;

/** Builds into a repository of its own, and sees that it stays empty. */
async function failedBuild(files: Record<string, string>, args: readonly string[] = [], options: RunOptions = {}) {
  count += 1;
  const folder = await site.context(`bad-${count}`, files);
  const reference = `${site.registry.name}/bad-${count}:1`;
  const flags = ["build", "--push", "--insecure-registry", site.registry.name, "--tag", reference];
  const outcome = await site.layerwise([...flags, ...args, `bad-${count}`], options);
  expect(await site.tags(`bad-${count}`)).toEqual([]);
  return { outcome, folder };
}

interface DockerfileCase {
  readonly name: string;
  readonly text: string;
  readonly code: ErrorCode;
  /** Line and column of the error. */
  readonly place: string;
  /** The line that the frame points at. */
  readonly line: string;
  readonly says: readonly string[];
  readonly args?: readonly string[];
}

const dockerfiles: readonly DockerfileCase[] = [
  {
    name: "an unknown instruction",
    text: `FROM ${base}\nCOPPY file /file\n`,
    code: "DOCKERFILE_SYNTAX",
    place: "2:1",
    line: "COPPY file /file",
    says: ["COPPY", "hint: write COPY if that is meant"],
  },
  {
    name: "a COPY without destination",
    text: `FROM ${base}\nENV A=1\nCOPY file\n`,
    code: "DOCKERFILE_SYNTAX",
    place: "3:1",
    line: "COPY file",
    says: ["a source and a destination are needed"],
  },
  {
    name: "an instruction before FROM",
    text: `COPY file /file\nFROM ${base}\n`,
    code: "DOCKERFILE_SYNTAX",
    place: "1:1",
    line: "COPY file /file",
    says: ["FROM"],
  },
  {
    name: "a here-document without end",
    text: `FROM ${base}\nCOPY <<END /file\nhello\n`,
    code: "DOCKERFILE_SYNTAX",
    place: "2:8",
    line: "COPY <<END /file",
    says: ["END"],
  },
  {
    name: "a FROM whose ARG is empty",
    text: "ARG BASE\nFROM $BASE\nCOPY file /file\n",
    code: "DOCKERFILE_SYNTAX",
    place: "2:1",
    line: "FROM $BASE",
    says: ["$BASE is empty", "--build-arg"],
  },
  {
    name: "a COPY of what is not there",
    text: `FROM ${base}\nCOPY file /file\nCOPY missing.txt /file\n`,
    code: "CONTEXT_NOT_FOUND",
    place: "3:1",
    line: "COPY missing.txt /file",
    says: ['"missing.txt"', "ignore file"],
  },
  {
    name: "a COPY of what the ignore file leaves out",
    text: `FROM ${base}\nCOPY ignored.txt /file\n`,
    code: "CONTEXT_NOT_FOUND",
    place: "2:1",
    line: "COPY ignored.txt /file",
    says: ['"ignored.txt"', "ignore file"],
  },
  {
    name: "a COPY from outside the context",
    text: `FROM ${base}\nCOPY ../secret /file\n`,
    code: "CONTEXT_ESCAPE",
    place: "2:1",
    line: "COPY ../secret /file",
    says: ['"../secret"'],
  },
  {
    name: "a stage that copies from a later one",
    text: `FROM ${base} AS one\nCOPY --from=two /file /file\nFROM ${base} AS two\nCOPY --from=one /file /file\n`,
    code: "DOCKERFILE_UNKNOWN_STAGE",
    place: "2:1",
    line: "COPY --from=two /file /file",
    says: ["two", "it comes later"],
  },
  {
    name: "a stage number that nothing has",
    text: `FROM ${base}\nCOPY --from=7 /file /file\n`,
    code: "DOCKERFILE_UNKNOWN_STAGE",
    place: "2:1",
    line: "COPY --from=7 /file /file",
    says: ["7"],
  },
];

it.each(dockerfiles)("points at $name", async ({ text, args, code, place, line, says }) => {
  const files = { Dockerfile: text, file: "content", ".dockerignore": "ignored.txt\n", "ignored.txt": "" };

  const { outcome } = await failedBuild(files, args);

  const printed = expectFailure(outcome, { code, says });
  expect(printed).toMatch(new RegExp(`^ {2}at bad-${count}/Dockerfile:${place}$`, "m"));
  expect(printed).toContain(`> ${place.split(":")[0]} | ${line}\n`);
});

it("tells all errors of a Dockerfile at once", async () => {
  const files = { Dockerfile: `FROM ${base}\nCOPPY a /a\nEXPOS 80\nWORKDIR\n` };

  const { outcome } = await failedBuild(files);

  expectFailure(outcome, { code: "DOCKERFILE_SYNTAX", says: ["COPPY", "EXPOS", "WORKDIR"] });
});

it("names the nearest stage for an unknown target", async () => {
  const files = { Dockerfile: `FROM ${base} AS builder\nCOPY Dockerfile /a\n` };

  const { outcome } = await failedBuild(files, ["--target", "bilder"]);

  expectFailure(outcome, {
    code: "DOCKERFILE_UNKNOWN_STAGE",
    says: ["bilder", "hint: write builder if that is meant"],
  });
});

it("names the nearest stage for an image that nobody has", async () => {
  const files = { Dockerfile: `FROM ${base} AS builder\nFROM ${base}\nCOPY --from=bilder /a /a\n` };

  const { outcome } = await failedBuild(files);

  expect(outcome.stderr).toContain("write builder if that is meant");
  expectFailure(outcome, { code: "ENGINE_MISSING", says: ["COPY --from=bilder /a /a"] });
});

it("names a base that is not there rather than the engine that cannot help", async () => {
  const missing = `${site.registry.name}/nobody/knows:1`;

  const { outcome } = await failedBuild({ Dockerfile: `FROM ${missing}\nCOPY Dockerfile /a\n` });

  expectFailure(outcome, { code: "REGISTRY_NOT_FOUND", says: [missing, `> 1 | FROM ${missing}`, "no docker on PATH"] });
});

it("names a base's registry that does not answer", async () => {
  const { outcome } = await failedBuild({ Dockerfile: "FROM 127.0.0.1:9/app:1\nCOPY Dockerfile /a\n" });

  expectFailure(outcome, { code: "REGISTRY_UNREACHABLE", says: ["127.0.0.1:9/app", "ECONNREFUSED"] });
});

const onlyDockerfile = { Dockerfile: `FROM ${base}\nCOPY Dockerfile /a\n` };

it("says that there is no Dockerfile", async () => {
  const { outcome } = await failedBuild({ file: "" });

  expectFailure(outcome, { code: "DOCKERFILE_NOT_FOUND", says: [`bad-${count}/Dockerfile`, "--file"] });
});

it("says that a named Dockerfile is not there", async () => {
  const { outcome } = await failedBuild(onlyDockerfile, ["--file", "nowhere/Dockerfile"]);

  expectFailure(outcome, { code: "DOCKERFILE_NOT_FOUND", says: ["nowhere/Dockerfile"] });
});

it("says that a Dockerfile is a directory", async () => {
  await mkdir(join(await site.folder(`bad-${count + 1}`), "Dockerfile"));

  const { outcome } = await failedBuild({});

  expectFailure(outcome, { code: "CONTEXT_UNREADABLE", says: ["Dockerfile", "directory"] });
});

it.each([
  ["is not there", "nowhere", "could not find the build context"],
  ["is a file", "a-file", "it is no directory"],
])("says that the context %s", async (_, context, why) => {
  await site.context(".", { "a-file": "" });

  const outcome = await site.layerwise(["build", "--push", "--tag", `${site.registry.name}/none:1`, context]);

  expectFailure(outcome, { code: "CONTEXT_NOT_FOUND", says: [context, why] });
});

it("says which file this user may not read", async () => {
  const folder = await site.context("unreadable", { ...onlyDockerfile, "src/key": "secret" });
  await chmod(join(folder, "src/key"), 0);
  const build = ["build", "--push", "--insecure-registry", site.registry.name, "--tag"];
  await site.context("unreadable", { Dockerfile: `FROM ${base}\nCOPY src /src\n` });

  const outcome = await site.layerwise([...build, `${site.registry.name}/unreadable:1`, folder], {
    uid: nobody,
  });

  expectFailure(outcome, { code: "CONTEXT_UNREADABLE", says: ["src/key", "permission denied", "ignore file"] });
  expect(await site.tags("unreadable")).toEqual([]);
});

it("builds as a user without rights if the unreadable file is ignored", async () => {
  const files = { Dockerfile: `FROM ${base}\nCOPY . /src\n`, ".dockerignore": "key\n", key: "secret" };
  const folder = await site.context("readable", files);
  await chmod(join(folder, "key"), 0);

  const { report } = await site.build(["--tag", `${site.registry.name}/readable:1`, folder], { uid: nobody });

  expect(report.route).toBe("assemble");
});

it("refuses a socket in the context", async () => {
  const folder = await site.context(`bad-${count + 1}`, {});
  const server = createServer().listen(join(folder, "agent.sock"));
  await once(server, "listening");
  onTestFinished(() => void server.close());

  const { outcome } = await failedBuild({ Dockerfile: `FROM ${base}\nCOPY . /src\n` });

  expectFailure(outcome, { code: "CONTEXT_UNSUPPORTED", says: ["agent.sock", "> 2 | COPY . /src", "ignore file"] });
});

it.each([
  ["what is neither an archive nor a Dockerfile", Buffer.from("neither of them"), "DOCKERFILE_SYNTAX", "neither"],
  ["an archive that xz compressed", Buffer.from("fd377a585a00000004", "hex"), "CONTEXT_UNREADABLE", "tar"],
  ["nothing", Buffer.alloc(0), "DOCKERFILE_NOT_FOUND", "Dockerfile"],
  [
    "an archive without Dockerfile",
    encodeTar([{ path: "a", type: "file", content: "" }]),
    "DOCKERFILE_NOT_FOUND",
    "tar",
  ],
  ["an archive that leads out", encodeTar([{ path: "../a", type: "file", content: "" }]), "CONTEXT_ESCAPE", "../a"],
] as const)("refuses %s on stdin", async (_, stdin, code, says) => {
  const reference = `${site.registry.name}/stdin:1`;

  const outcome = await site.layerwise(["build", "--push", "--tag", reference, "-"], { stdin });

  expectFailure(outcome, { code, says: [says] });
  expect(await site.tags("stdin")).toEqual([]);
});

const flags: readonly (readonly [string, readonly string[], ErrorCode, readonly string[]])[] = [
  ["an unknown flag", ["--psh"], "USAGE", ["--psh", "--push"]],
  ["a flag of docker build that has no meaning here", ["--cache-from", "x"], "USAGE", ["--cache-from"]],
  ["too many arguments", ["."], "USAGE", ["too many arguments"]],
  ["half a platform", ["--platform", "linux"], "USAGE", ["--platform linux", "linux/arm64"]],
  ["two platforms", ["--platform", "linux/amd64,linux/arm64"], "USAGE", ["several platforms"]],
  ["an unknown output", ["--output", "type=tarball,dest=x"], "USAGE", ["type=tarball,dest=x", "type=oci"]],
  ["an output without destination", ["--output", "type=oci"], "USAGE", ["type=oci,dest=DIR"]],
  ["a layout as a tar", ["--output", "type=oci,dest=x,tar=true"], "USAGE", ["tar=true", "directory"]],
  ["an output with an unknown field", ["--output", "type=docker,destination=x"], "USAGE", ["destination"]],
  ["a build argument without name", ["--build-arg", "=x"], "USAGE", ["it has no name"]],
  ["a label without name", ["--label", "=x"], "USAGE", ["--label =x"]],
  ["an annotation without value", ["--annotation", "x"], "USAGE", ["--annotation x"]],
  ["an age without unit", ["--refresh-after", "7"], "USAGE", ["--refresh-after 7", "7d"]],
  ["an unknown progress", ["--progress", "fancy"], "USAGE", ["--progress fancy", "plain"]],
  ["unknown checkpoints", ["--checkpoints", "some"], "USAGE", ["--checkpoints some", "final"]],
  ["attestations", ["--provenance=mode=max"], "USAGE", ["--provenance=mode=max"]],
  ["a build context without name", ["--build-context", "foo"], "USAGE", ["--build-context foo"]],
  ["a tag in upper case", ["--tag", "example.com/Team/App:1"], "REFERENCE_INVALID", ["example.com/Team/App"]],
  ["a tag that is no name", ["--tag", "a b"], "REFERENCE_INVALID", ['"a b"']],
  ["a tag with a digest", ["--tag", `a@sha256:${"0".repeat(64)}`], "USAGE", ["it has a digest"]],
  ["a cache that is no name", ["--cache-repo", "a b"], "REFERENCE_INVALID", ['"a b"']],
];

it.each(flags)("refuses %s", async (_, args, code, says) => {
  const { outcome } = await failedBuild(onlyDockerfile, args);

  expectFailure(outcome, { code, says });
});

it("refuses certificates that are not there, where some are needed", async () => {
  const files = { Dockerfile: "FROM 127.0.0.1:9/app:1\nCOPY Dockerfile /a\n" };

  const { outcome } = await failedBuild(files, ["--registry-ca", "nowhere.pem"]);

  expectFailure(outcome, { code: "DISK", says: ["nowhere.pem", "ENOENT"] });
});

it("refuses to push without a tag", async () => {
  await site.context("untagged", onlyDockerfile);

  const outcome = await site.layerwise(["build", "--push", "untagged"]);

  expectFailure(outcome, { code: "USAGE", says: ["there is no tag", "--tag"] });
});

it("refuses a flag without its value", async () => {
  const outcome = await site.layerwise(["build", "--file"]);

  expectFailure(outcome, { code: "USAGE", says: ["--file"] });
});

it("refuses an unknown command and suggests one", async () => {
  const outcome = await site.layerwise(["bild", "."]);

  expectFailure(outcome, { code: "USAGE", says: ["bild", "build"] });
});

it.each(["plan", "build"])("writes nothing for the help of %s but the help", async (command) => {
  const outcome = await site.layerwise([command, "--help"]);

  expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
  expect(outcome.stdout.toString("utf8")).toContain(`Usage: layerwise ${command}`);
});

it("leaves no scratch files after an error", async () => {
  const before = await readdir(site.scratch);

  await failedBuild({ Dockerfile: `FROM ${base}\nRUN true\n` });

  expect(await readdir(site.scratch)).toEqual(before);
});
