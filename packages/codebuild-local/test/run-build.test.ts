// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { build, folderWith, written } from "./workshop.ts";

describe.each(["bash", "/bin/sh"])("a build in %s", (shell) => {
  const head = `version: 0.2\nenv:\n  shell: ${shell}\n`;

  it("keeps variables, functions and the folder between commands and phases", async () => {
    const { log, result } = await build(`${head}
phases:
  install:
    commands: [mkdir inner, cd inner, "A=plain", "export B='two words'", "greet() { echo hello $1; }"]
  build:
    commands: [greet "$A", 'echo "$B"', basename "$PWD", 'sh -c ''echo "[$A][$B]"''']
`);

    expect(result.status).toBe("SUCCEEDED");
    expect(written(log)).toEqual(["hello plain", "two words", "inner", "[][two words]"]);
  });

  it("goes on with the same state after a command that ends the shell", async () => {
    const { log, result } = await build(`${head}
phases:
  build:
    commands: ["A=\\"it's\\"", "mkdir inner; cd inner", "export B=1", "exit 3", "echo never"]
    finally: ['echo "$A $B"', basename "$PWD"]
  post_build:
    commands: ["set -e", "false", "echo never"]
    finally: ['echo "$A" still']
`);

    expect(written(log)).toEqual(["it's 1", "inner", "it's still"]);
    expect(result.status).toBe("FAILED");
    expect(result.phases.map(({ context }) => context?.message)).toContain(
      "Error while executing command: exit 3. Reason: exit status 3",
    );
  });

  it("survives a syntax error, and a command that only a shell without it would not have", async () => {
    const { log, result } = await build(`${head}
phases:
  build:
    commands: ["A=1", "if then"]
    finally: ['echo "A is $A"']
`);

    expect(result.status).toBe("FAILED");
    expect(written(log).at(-1)).toBe("A is 1");
  });

  it("writes both streams in their order, and what has no end of line", async () => {
    const { log } = await build(`${head}
phases:
  build:
    commands: ["echo 1; echo 2 >&2; echo 3", "printf 'no end'", "echo next"]
`);

    expect(log).toMatch(/1\n2\n3\n/);
    expect(log).toMatch(/no end\[Container\] .* Running command echo next\nnext\n/);
  });

  it("exports variables, but for secrets and what is not set", async () => {
    const { result } = await build(`${head}
  secrets-manager: { TOKEN: "id:key" }
  exported-variables: [TAG, LINES, TOKEN, AWS_REGION, NONE, PLAIN]
phases:
  build:
    commands: ["export TAG=1", "export LINES=\\"a\\nb=c\\""]
  post_build:
    commands: ["TAG=2", "PLAIN=3"]
`);

    expect(result.exportedVariables).toEqual({ TAG: "2", LINES: "a\nb=c", PLAIN: "3" });
  });
});

describe("phases", () => {
  const failing = (phase: string, onFailure = "") => `
version: 0.2
phases:
${["install", "pre_build", "build", "post_build"]
  .map((name) => {
    const failure = name === phase ? onFailure : "";
    const fails = name === phase ? ", exit 7" : "";
    return `  ${name}:\n${failure === "" ? "" : `    on-failure: ${failure}\n`}    commands: [echo ${name} $CODEBUILD_BUILD_SUCCEEDING${fails}]`;
  })
  .join("\n")}
artifacts: { files: [buildspec.yml] }
`;

  it.each([
    ["install", "", ["install 1"], false],
    ["pre_build", "", ["install 1", "pre_build 1"], false],
    ["build", "", ["install 1", "pre_build 1", "build 1", "post_build 0"], true],
    ["post_build", "", ["install 1", "pre_build 1", "build 1", "post_build 1"], true],
    ["build", "ABORT", ["install 1", "pre_build 1", "build 1"], false],
    ["install", "CONTINUE", ["install 1", "pre_build 0", "build 0", "post_build 0"], true],
    ["install", "RETRY-2", ["install 1", "install 1", "install 1"], false],
    ["install", "RETRY-2-nothing of this", ["install 1"], false],
    ["build", "RETRY-1-exit status 7", ["install 1", "pre_build 1", "build 1", "build 1", "post_build 0"], true],
  ])("go on as in CodeBuild when %s fails, %s", async (phase, onFailure, lines, uploads) => {
    const { result, log } = await build(failing(phase, onFailure));

    expect(written(log)).toEqual(lines);
    expect(result.status).toBe("FAILED");
    expect(Object.keys(result.artifacts)).toEqual(uploads ? ["primary"] : []);
  });

  it("run finally in any case, and the first failure is the one that is told", async () => {
    const { result, log } = await build(`
version: 0.2
phases:
  build:
    commands: ["false", echo never]
    finally: [echo last $CODEBUILD_BUILD_SUCCEEDING, exit 2, echo never]
`);

    expect(written(log)).toEqual(["last 0"]);
    const message = "Error while executing command: false. Reason: exit status 1";
    expect(result.phases.find(({ type }) => type === "BUILD")?.context?.message).toBe(message);
  });

  it("are ended when time is up, with all that they started", async () => {
    const { log, result } = await build(
      'version: 0.2\nphases: { build: { commands: ["sleep 600 & echo $!; sleep 600"] }, post_build: { commands: [echo never] } }',
      {
        project: { timeoutMinutes: 0.02 },
      },
    );

    expect(result.status).toBe("TIMED_OUT");
    await expectGone(written(log));
    expect(result.phases.at(-1)).toMatchObject({ type: "BUILD", status: "TIMED_OUT" });
  });

  it("leave nothing running that a shell started which has ended itself", async () => {
    const { log, result } = await build(
      'version: 0.2\nphases: { build: { commands: ["sleep 600 & echo $!; exit 3"] }, post_build: { commands: ["true"] } }',
    );

    expect(result.status).toBe("FAILED");
    await expectGone(written(log));
  });

  it("are ended by a signal", async () => {
    const stop = new AbortController();
    const { result } = await build("version: 0.2\nphases: { build: { commands: [echo ready; sleep 600] } }", {
      options: {
        signal: stop.signal,
        emit: (event) => {
          if (event.kind === "output" && event.text.includes("ready")) stop.abort();
        },
      },
    });

    expect(result.status).toBe("STOPPED");
  });
});

describe("a build's environment", () => {
  it("has CodeBuild's variables, the project's, and folders of its own", async () => {
    const secondary = await folderWith({ "other.txt": "other" });
    const { log } = await build(
      `
version: 0.2
env: { variables: { A: spec, B: spec } }
phases:
  build:
    commands:
      - echo "$A $B $C"
      - echo "$AWS_REGION $AWS_DEFAULT_REGION $CODEBUILD_BUILD_NUMBER $CODEBUILD_INITIATOR"
      - echo "$CODEBUILD_RESOLVED_SOURCE_VERSION $CODEBUILD_BUILD_IMAGE"
      - echo "$CODEBUILD_BUILD_ARN" | sed 's/:[0-9a-f-]*$//'
      - test "$PWD" = "$CODEBUILD_SRC_DIR" && cat "$CODEBUILD_SRC_DIR_extra/other.txt" && echo
      - test -w "$HOME" && test -z "$(ls -A "$HOME")" && echo empty home
      - echo changed > own.txt
`,
      {
        files: { "own.txt": "own" },
        project: { variables: [{ name: "B", value: "project", type: "PLAINTEXT" }] },
        options: {
          secondarySources: { extra: secondary },
          variables: [{ name: "C", value: "start", type: "PLAINTEXT" }],
          identity: { region: "eu-central-1", number: 7, initiator: "codepipeline/p", resolvedSourceVersion: "abc" },
        },
      },
    );

    expect(written(log)).toEqual([
      "spec project start",
      "eu-central-1 eu-central-1 7 codepipeline/p",
      "abc standard",
      "arn:aws:codebuild:eu-central-1:111122223333:build/app",
      "other",
      "empty home",
    ]);
  });

  it("leaves the source as it was, and nothing else behind", async () => {
    const [source, scratch] = [await folderWith({ "own.txt": "own" }), await folderWith({})];
    const buildspecOverride = '{"version":"0.2","phases":{"build":{"commands":["echo changed > own.txt"]}}}';
    const { result } = await build("", { options: { source, scratch, buildspecOverride } });

    expect(result.status).toBe("SUCCEEDED");
    expect(await readFile(join(source, "own.txt"), "utf8")).toBe("own");
    expect(await readdir(scratch)).toEqual([]);
  });

  it("hides secrets in the log", async () => {
    const { log } = await build(`
version: 0.2
env: { parameter-store: { P: /p }, secrets-manager: { S: "npm:token" } }
phases: { build: { commands: ['echo "P is $P, S is $S"'] } }
`);

    expect(written(log)).toEqual(["P is ***, S is ***"]);
  });

  it("has no engine on Lambda compute, and may write below its own folder only", async () => {
    const programs = await folderWith({ docker: "#!/bin/sh\necho engine\n", other: "#!/bin/sh\necho other\n" });
    for (const name of ["docker", "other"]) await chmod(join(programs, name), 0o755);
    const spec = `
version: 0.2
phases:
  build:
    commands:
      - docker version || echo no docker
      - other
      - test -z "$DOCKER_HOST" && echo no host
      - echo text > "$TMPDIR/file" && echo written
      - echo text > ${programs}/file || echo refused
`;
    const machine = { PATH: `${programs}:${process.env["PATH"]}`, DOCKER_HOST: "unix:///engine" };
    const { log, result } = await build(spec, {
      project: { compute: { kind: "lambda", privileged: false, image: "lambda" } },
      options: { machine },
    });

    const canRestrict = spawnSync("unshare", ["--mount", "true"]).status === 0;
    expect(log.includes("not enforced here")).toBe(!canRestrict);
    const lines = written(log).filter((line) => !/not found|Read-only/.test(line));
    expect(lines).toEqual(["no docker", "other", "no host", "written", ...(canRestrict ? ["refused"] : [])]);
    expect(existsSync(join(programs, "file"))).toBe(!canRestrict);
    expect(result.status).toBe("SUCCEEDED");
  });

  it("has a client and no daemon without privileges", async () => {
    const project = { compute: { kind: "ec2", privileged: false, image: "standard" } } as const;
    const { log } = await build(
      "version: 0.2\nphases: { build: { commands: ['test -S \"${DOCKER_HOST#unix://}\" || echo nobody'] } }",
      {
        project,
      },
    );

    expect(written(log)).toEqual(["nobody"]);
  });

  it("tells which runtimes this machine has instead of those that are asked for", async () => {
    const { log } = await build(
      "version: 0.2\nphases: { install: { runtime-versions: { nodejs: 1, android: 29 } }, build: { commands: ['true'] } }",
    );

    expect(log).toMatch(/runtime nodejs 1: this machine has \d+\.\d+\.\d+, which differs\n/);
    expect(log).toContain("runtime android 29: not known here, and not checked\n");
  });
});

describe("artifacts and reports", () => {
  const files = {
    "dist/app.js": "js",
    "dist/app.js.map": "map",
    "dist/deep/.hidden": "hidden",
    "docs-a/one.md": "1",
    "docs-b/two.md": "2",
    "out/tests.xml": "<tests/>",
  };

  it("are copied as the buildspec says", async () => {
    const { result, output } = await build(
      `
version: 0.2
phases: { build: { commands: [echo made > dist/made.txt] } }
reports: { unit: { files: ["**/*.xml"], base-directory: out } }
artifacts:
  files: ["**/*"]
  base-directory: dist
  exclude-paths: ["**/*.map"]
  secondary-artifacts:
    docs: { files: ["**/*"], base-directory: "docs-*", discard-paths: yes }
    one: { files: [dist/app.js, docs-a] }
`,
      { files },
    );

    expect(Object.fromEntries(Object.entries(result.artifacts).map(([id, artifact]) => [id, artifact.files]))).toEqual({
      primary: ["app.js", "deep/.hidden", "made.txt"],
      docs: ["one.md", "two.md"],
      one: ["dist/app.js", "docs-a/one.md"],
    });
    expect(result.reports).toMatchObject([{ group: "unit", format: "JUNITXML", files: ["tests.xml"] }]);
    expect(await readFile(join(output, "artifacts/primary/deep/.hidden"), "utf8")).toBe("hidden");
    expect(await readFile(join(output, "reports/unit/tests.xml"), "utf8")).toBe("<tests/>");
  });

  it("fail the build if there are none, or the project has no such artifact", async () => {
    const spec = (artifacts: string) =>
      `version: 0.2\nphases: { build: { commands: ['true'] } }\nartifacts: ${artifacts}`;
    const nothing = await build(spec("{ files: [none/**/*] }"));
    const project = { secondaryArtifacts: ["docs"] };
    const unknown = await build(spec("{ secondary-artifacts: { other: { files: ['**/*'] } } }"), { project });

    expect([nothing.result.status, unknown.result.status]).toEqual(["FAILED", "FAILED"]);
    expect(nothing.result.phases.at(-1)?.context?.message).toContain("no matching artifact paths found: none/**/*");
    expect(unknown.result.phases.at(-1)?.context?.message).toContain("could not collect the artifact other");
  });
});

/** A process that is killed stays known until its new parent has heard of it. */
async function expectGone(pids: readonly string[]): Promise<void> {
  expect(pids).toEqual([expect.stringMatching(/^\d+$/)]);
  await expect.poll(() => existsSync(`/proc/${pids[0]}/cwd`), { timeout: 10_000 }).toBe(false);
}
