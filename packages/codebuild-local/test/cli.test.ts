// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../src/cli/run.ts";
import { folderWith } from "./workshop.ts";

async function run(...argv: readonly string[]): Promise<{ code: number; out: string; error: string }> {
  let [out, error] = ["", ""];
  const code = await runCli(argv, {
    environment: { PATH: process.env["PATH"] },
    out: (text) => {
      out += text;
    },
    error: (text) => {
      error += text;
    },
    signal: new AbortController().signal,
  });
  return { code, out, error };
}

describe("the command line", () => {
  it("runs the buildspec of a folder, and writes how it ended", async () => {
    const source = await folderWith({
      "buildspec.yml": "version: 0.2\nphases: { build: { commands: ['echo $NAME'] } }",
    });
    const result = join(source, "result.json");

    const { code, out } = await run("--source", source, "--env", "NAME=value=1", "--result", result);

    expect(code).toBe(0);
    expect(out).toContain("\nvalue=1\n");
    expect(out).toMatch(/\nbuild local:[0-9a-f-]+ SUCCEEDED\n$/);
    expect(JSON.parse(await readFile(result, "utf8"))).toMatchObject({ status: "SUCCEEDED" });
  });

  it("runs a project of a template as its pipeline would", async () => {
    const BuildSpec = JSON.stringify({
      version: "0.2",
      phases: { build: { commands: ["echo $STAGE $COMMIT", "exit 1"] } },
    });
    const EnvironmentVariables = [{ Name: "STAGE", Type: "PLAINTEXT", Value: { Ref: "Stage" } }];
    const Configuration = {
      ProjectName: { Ref: "Build" },
      EnvironmentVariables: '[{"name":"COMMIT","type":"PLAINTEXT","value":"#{Source.CommitId}"}]',
    };
    const Actions = [{ Name: "Build", ActionTypeId: { Provider: "CodeBuild" }, Configuration }];
    const template = {
      Parameters: { Stage: { Type: "String" } },
      Resources: {
        Build: {
          Type: "AWS::CodeBuild::Project",
          Properties: { Source: { BuildSpec }, Environment: { EnvironmentVariables } },
        },
        Pipeline: { Type: "AWS::CodePipeline::Pipeline", Properties: { Stages: [{ Name: "Build", Actions }] } },
      },
    };
    const source = await folderWith({ "template.json": JSON.stringify(template) });
    const flags = ["--source", source, "--template", join(source, "template.json"), "--project", "Build"];

    const without = await run(...flags);
    const { code, out } = await run(...flags, "--value", "Stage=test", "--pipeline-variable", "Source.CommitId=abc");

    expect(without).toMatchObject({ code: 2 });
    expect(without.error).toBe(
      "error TEMPLATE: could not resolve the template: the parameter Stage has no value\n  hint: give it with --value Stage=VALUE\n",
    );
    expect(code).toBe(1);
    expect(out).toContain("\ntest abc\n");
  });

  it("prints its help", async () => {
    const { code, out } = await run("--help");

    expect(code).toBe(0);
    expect(out).toMatch(/^Usage: codebuild-local/);
  });

  it.each([
    [["--unknown"], "could not read the command line: Unknown option '--unknown'"],
    [["extra"], "could not read the command line: Unexpected argument 'extra'"],
    [["--env", "NAME"], "could not read the command line: --env is NAME"],
    [["--compute", "gpu"], "could not read the command line: --compute is gpu"],
    [["--timeout", "soon"], "could not read the command line: --timeout is soon"],
    [["--project", "Build"], "could not read the command line: --template and --project belong together"],
    [["--source", "/nonexistent"], "could not copy the source /nonexistent"],
    [["--buildspec", "/nonexistent"], "could not read the buildspec /nonexistent: ENOENT"],
    [["--template", "/dev/null", "--project", "x"], "could not read the template /dev/null: it is no JSON"],
  ])("refuses %j in a sentence", async (argv, message) => {
    const { code, error } = await run(...argv);

    expect(code).toBe(2);
    expect(error).toContain(message);
    expect(error).not.toContain("    at ");
  });
});
