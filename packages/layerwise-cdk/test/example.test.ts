// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { makeSharedFolder, writeFiles } from "./context.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const example = join(root, "examples/cdk-lambda-pipeline");
const modules = join(root, "node_modules");

/** No credentials, and nothing that asks for some. */
const env = {
  ...process.env,
  AWS_EC2_METADATA_DISABLED: "true",
  CDK_DISABLE_CLI_TELEMETRY: "true",
  CDK_VALIDATION: "true",
  CI: "true",
};

/** Copies the example into a folder of its own, with the packages that it is synthesized with. */
function copyExample(cdkLib: string): string {
  const folder = makeSharedFolder();
  const app = join(folder, "app");
  for (const part of ["dist", "image", "cdk.json", "package.json"]) {
    cpSync(join(example, part), join(app, part), { recursive: true });
  }
  const target = join(app, "node_modules");
  mkdirSync(target);
  symlinkSync(join(modules, cdkLib), join(target, "aws-cdk-lib"));
  symlinkSync(join(modules, "constructs"), join(target, "constructs"));
  // A copy, so that it takes the aws-cdk-lib beside it.
  for (const part of ["dist/lib", "dist/assets", "package.json"]) {
    cpSync(join(modules, "layerwise-cdk", part), join(target, "layerwise-cdk", part), { recursive: true });
  }
  return app;
}

/** Synthesizes with the real CDK command line; gives what it said. */
function cdkSynth(app: string, out: string, more: Record<string, string> = {}): string {
  const cli = join(modules, "aws-cdk/bin/cdk");
  const args = [cli, "synth", "--quiet", "--no-notices", "--output", out];
  return execFileSync(process.execPath, args, {
    cwd: app,
    env: { ...env, ...more },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

interface Action {
  readonly Name: string;
  readonly RunOrder: number;
  readonly Configuration: Readonly<Record<string, string>>;
}

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>>;
}

function templateOf(path: string): Template {
  return JSON.parse(readFileSync(path, "utf8")) as Template;
}

function resourcesOf({ Resources }: Template, type: string): readonly Record<string, unknown>[] {
  return Object.values(Resources)
    .filter(({ Type }) => Type === type)
    .map(({ Properties }) => Properties);
}

/** The actions of the pipeline in the order in which they run, stage by stage. */
function orderOf(template: Template): readonly string[] {
  const [pipeline] = resourcesOf(template, "AWS::CodePipeline::Pipeline");
  const stages = pipeline?.["Stages"] as readonly { readonly Name: string; readonly Actions: readonly Action[] }[];
  return stages.flatMap(({ Name, Actions }) =>
    [...Actions].sort((a, b) => a.RunOrder - b.RunOrder).map((action) => `${Name}: ${action.Name}`),
  );
}

/** Host and digest parts that are those of this machine's installation. */
function withoutAssets(text: string): string {
  return text.replaceAll(/[0-9a-f]{64}/g, "<digest>");
}

beforeAll(() => {
  execFileSync("npm", ["run", "--silent", "build"], { cwd: example, stdio: ["ignore", "inherit", "inherit"] });
});

describe.each([
  ["newest", "aws-cdk-lib"],
  ["lowest", "aws-cdk-lib-floor"],
])("the example with the %s aws-cdk-lib", (name, cdkLib) => {
  let app = "";
  let out = "";
  beforeAll(() => {
    app = copyExample(cdkLib);
    out = join(dirname(app), "cdk.out");
    cdkSynth(app, out);
  });

  it("runs the version that it should", () => {
    const { version } = JSON.parse(readFileSync(join(app, "node_modules/aws-cdk-lib/package.json"), "utf8"));

    expect(version).toBe(name === "lowest" ? "2.221.0" : "2.276.0");
  });

  it("goes from source over synth to two stages, each with repository, image and function", () => {
    const order = orderOf(templateOf(join(out, "OrdersPipeline.template.json")));

    expect(order).toEqual([
      "Source: orders",
      "Build: Synth",
      "UpdatePipeline: SelfMutate",
      "Dev: Repository.Prepare",
      "Dev: Repository.Deploy",
      "Dev: Function.BuildImages",
      "Dev: Function.Prepare",
      "Dev: Function.Deploy",
      "Prod: Release",
      "Prod: Repository.Prepare",
      "Prod: Repository.Deploy",
      "Prod: Function.PromoteImages",
      "Prod: Function.Prepare",
      "Prod: Function.Deploy",
    ]);
  });

  it("deploys in both stages the tag of the plan, each from its own repository", () => {
    for (const stage of ["Dev", "Prod"]) {
      const folder = join(out, `assembly-OrdersPipeline-${stage}`);
      const [file = ""] = readdirSync(folder).filter((path) => path.startsWith("layerwise-image-"));
      const plan = JSON.parse(readFileSync(join(folder, file), "utf8"));
      const [template = ""] = readdirSync(folder).filter((path) => /Function.*\.template\.json$/.test(path));
      const [lambda] = resourcesOf(templateOf(join(folder, template)), "AWS::Lambda::Function");

      expect(JSON.stringify(lambda)).toContain(`/orders-${stage.toLowerCase()}:${plan.tag}"`);
      expect(plan).toMatchObject({ tagKind: "content", floatingTags: ["latest"], directory: "image" });
    }
  });

  it("keeps the pipeline as it is when the image's source changes", () => {
    const before = readFileSync(join(out, "OrdersPipeline.template.json"), "utf8");
    writeFiles(join(app, "image"), { "src/more.py": "# more\n" });
    const changed = join(dirname(app), "changed");

    cdkSynth(app, changed, { CDK_VALIDATION: "false" });

    expect(readFileSync(join(changed, "OrdersPipeline.template.json"), "utf8")).toBe(before);
  });

  it("has the pipeline that was reviewed", async () => {
    const template = templateOf(join(out, "OrdersPipeline.template.json"));

    const text = withoutAssets(JSON.stringify(template, undefined, 2));
    await expect(`${text}\n`).toMatchFileSnapshot(`snapshots/pipeline-${name}.json`);
  });
});
