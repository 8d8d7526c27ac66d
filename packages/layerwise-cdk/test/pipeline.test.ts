// SPDX-License-Identifier: Apache-2.0
import { Stack } from "aws-cdk-lib";
import { Annotations, Match, Template } from "aws-cdk-lib/assertions";
import { ComputeType, EnvironmentType, Fleet, FleetComputeType, LinuxBuildImage } from "aws-cdk-lib/aws-codebuild";
import { Vpc } from "aws-cdk-lib/aws-ec2";
import { Repository } from "aws-cdk-lib/aws-ecr";
import {
  BuildCompute,
  BuildSecret,
  ClassicImageBuildStep,
  EngineFallback,
  ImageBuilds,
  ImagePlatform,
  ImagePublishRole,
  ImageTag,
  LambdaMemory,
} from "layerwise-cdk";
import { expect, it } from "vitest";
import { FunctionStage, makeApp, makePipeline, pipelineStack } from "./app.ts";
import { makeContext, writeFiles } from "./context.ts";

const { LINUX_ARM64 } = ImagePlatform;
const commit = "0123456789abcdef0123456789abcdef01234567";

interface Project {
  readonly Source: { readonly BuildSpec: string };
  readonly Environment: {
    readonly Type: string;
    readonly ComputeType: string;
    readonly PrivilegedMode: boolean;
    readonly Image: string;
    readonly EnvironmentVariables?: readonly { readonly Name: string; readonly Value: unknown }[];
  };
  readonly VpcConfig?: object;
}

/** The projects of ours, by the descriptions that they have. */
function projectsOf(template: Template): { readonly build: Project; readonly engine: Project | undefined } {
  const all = Object.values(template.findResources("AWS::CodeBuild::Project")).map(({ Properties }) => Properties);
  const find = (text: RegExp) => all.find(({ Description }) => text.test(Description));
  return { build: find(/^builds Pipeline\//), engine: find(/^builds what needs/) };
}

function variablesOf({ Environment }: Project): Record<string, unknown> {
  return Object.fromEntries((Environment.EnvironmentVariables ?? []).map(({ Name, Value }) => [Name, Value]));
}

/** Actions and resources of every policy of a role whose name has this part. */
function statementsOf(template: Template, part: RegExp): { Action: string | string[]; Resource: unknown }[] {
  return Object.entries(template.findResources("AWS::IAM::Policy"))
    .filter(([id]) => part.test(id))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
}

it("builds on AWS Lambda, and hands over to a privileged machine", () => {
  const stack = pipelineStack(makeApp(), { image: { directory: makeContext() } });

  const { build, engine } = projectsOf(Template.fromStack(stack));

  expect(build.Environment).toMatchObject({
    Type: "LINUX_LAMBDA_CONTAINER",
    ComputeType: "BUILD_LAMBDA_2GB",
    PrivilegedMode: false,
  });
  const spec = JSON.parse(build.Source.BuildSpec);
  expect(spec.env).toEqual({
    shell: "bash",
    "exported-variables": ["LAYERWISE_DIGEST", "LAYERWISE_TAG", "LAYERWISE_REUSED_BYTES", "LAYERWISE_ENGINE_USED"],
  });
  expect(spec.phases.install).toBeUndefined();
  expect(spec.phases.build.commands[1]).toMatch(
    /^node "\$CODEBUILD_SRC_DIR_Synth_Output\/assembly-Pipeline-Dev\/layerwise-build\.mjs" build --assembly "\$CODEBUILD_SRC_DIR_Synth_Output" --source "\$CODEBUILD_SRC_DIR" assembly-Pipeline-Dev\/layerwise-image-[0-9a-f]{42}\.json --outputs "\$LAYERWISE_OUTPUTS"$/,
  );
  expect(variablesOf(build)).toMatchObject({ LAYERWISE_ENGINE: "never", LAYERWISE_HAND_OVER_SECONDS: "840" });
  expect(engine?.Environment).toMatchObject({ Type: "LINUX_CONTAINER", PrivilegedMode: true });
  expect(JSON.parse(engine?.Source.BuildSpec ?? "").phases.install).toEqual({ "runtime-versions": { nodejs: "22" } });
});

it("gives the build the rights that it needs, and no others", () => {
  const buildSecrets = {
    one: BuildSecret.secretsManager("app/token"),
    two: BuildSecret.ssmParameter("/app/token"),
  };
  const app = makeApp();
  const bases = new Stack(app, "Bases");
  const base = Repository.fromRepositoryArn(bases, "Base", "arn:aws:ecr:eu-west-1:222222222222:repository/base");
  const image = { directory: makeContext(), buildSecrets };
  const template = Template.fromStack(pipelineStack(app, { image, build: { pullFrom: [base] } }));

  const statements = statementsOf(template, /BuildImagesProject/i);

  const ecr = statements.filter(({ Action }) => JSON.stringify(Action).includes("ecr:"));
  expect(ecr.map(({ Action }) => Action)).toEqual([
    "ecr:GetAuthorizationToken",
    [
      "ecr:BatchGetImage",
      "ecr:GetDownloadUrlForLayer",
      "ecr:BatchCheckLayerAvailability",
      "ecr:InitiateLayerUpload",
      "ecr:UploadLayerPart",
      "ecr:CompleteLayerUpload",
      "ecr:PutImage",
    ],
    ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
  ]);
  expect(JSON.stringify(ecr[1]?.Resource)).toContain(":repository/app-dev");
  expect(JSON.stringify(ecr[2]?.Resource)).toContain("ecr:eu-west-1:222222222222:repository/base");
  const texts = statements.map((statement) => JSON.stringify(statement));
  expect(texts.find((text) => text.includes("GetSecretValue"))).toContain(":secret:app/token-??????");
  expect(texts.find((text) => text.includes("ssm:GetParameter"))).toContain(":parameter/app/token");
  expect(texts.find((text) => text.includes("codebuild:StartBuild"))).toContain("codebuild:BatchGetBuilds");
  const open = statements.filter(({ Resource }) => Resource === "*").map(({ Action }) => Action);
  expect(open).toEqual(["ecr:GetAuthorizationToken"]);
});

it.each([
  ["unprivileged EC2", BuildCompute.ec2(), { Type: "LINUX_CONTAINER", PrivilegedMode: false }, true],
  [
    "privileged EC2",
    BuildCompute.ec2({ privileged: true, size: ComputeType.LARGE }),
    { PrivilegedMode: true, ComputeType: "BUILD_GENERAL1_LARGE" },
    false,
  ],
  [
    "a Docker server",
    BuildCompute.dockerServer({ size: ComputeType.MEDIUM }),
    { DockerServer: { ComputeType: "BUILD_GENERAL1_MEDIUM" }, PrivilegedMode: false },
    false,
  ],
  [
    "AWS Lambda for Arm",
    BuildCompute.lambda({ architecture: LINUX_ARM64, memory: LambdaMemory.GB_10 }),
    { Type: "ARM_LAMBDA_CONTAINER", ComputeType: "BUILD_LAMBDA_10GB" },
    true,
  ],
] as const)("builds on %s", (_, compute, environment, hasFallback) => {
  const image = { directory: makeContext() };
  const stack = pipelineStack(makeApp(), { image, build: { compute } });

  const { build, engine } = projectsOf(Template.fromStack(stack));

  expect(build.Environment).toMatchObject(environment);
  expect(engine !== undefined).toBe(hasFallback);
  expect(variablesOf(build)["LAYERWISE_ENGINE"]).toBe(hasFallback ? "never" : "auto");
});

it("builds on a fleet, and in a VPC", () => {
  const app = makeApp();
  const stack = new Stack(app, "Shared");
  const fleet = new Fleet(stack, "Fleet", {
    baseCapacity: 1,
    computeType: FleetComputeType.SMALL,
    environmentType: EnvironmentType.LINUX_CONTAINER,
  });
  const vpc = new Vpc(stack, "Vpc", { natGateways: 0 });
  const engineFallback = EngineFallback.ec2({ vpc });

  const { source, pipeline, cloudAssembly } = makePipeline(stack);
  const one = new FunctionStage(stack, "Dev", { image: { directory: makeContext() } });
  const two = new FunctionStage(stack, "Other", { image: { directory: makeContext() } });
  const common = { source, cloudAssembly };
  pipeline.addStage(one, {
    stackSteps: ImageBuilds.stackSteps(one, { ...common, compute: BuildCompute.fleet(fleet) }),
  });
  pipeline.addStage(two, {
    stackSteps: ImageBuilds.stackSteps(two, { ...common, compute: BuildCompute.ec2({ vpc }), engineFallback }),
  });
  pipeline.buildPipeline();
  const template = Template.fromStack(stack);

  template.hasResourceProperties("AWS::CodeBuild::Project", {
    Environment: { Fleet: Match.anyValue(), PrivilegedMode: true },
  });
  template.resourcePropertiesCountIs("AWS::CodeBuild::Project", { VpcConfig: Match.anyValue() }, 2);
});

it("has an engine for each platform, and none where none is wanted", () => {
  const image = { directory: makeContext(), platforms: [LINUX_ARM64] };

  const arm = projectsOf(Template.fromStack(pipelineStack(makeApp(), { image })));
  const build = { engineFallback: EngineFallback.none() };
  const none = projectsOf(Template.fromStack(pipelineStack(makeApp(), { image, build })));

  expect(arm.engine?.Environment.Type).toBe("ARM_CONTAINER");
  expect(variablesOf(arm.build)).toHaveProperty("LAYERWISE_FALLBACK_ARM64");
  expect(none.engine).toBeUndefined();
  expect(variablesOf(none.build)).not.toHaveProperty("LAYERWISE_HAND_OVER");
});

it("does not change the pipeline when only an image's source changes", () => {
  const directory = makeContext();
  const synth = () => {
    const app = makeApp();
    const stack = pipelineStack(app, { image: { directory } });
    const assembly = app.synth();
    const deployed = assembly.getNestedAssembly("assembly-Pipeline-Dev").getStackByName("Dev-App").template;
    return { pipeline: assembly.getStackByName(stack.stackName).template, deployed };
  };
  const before = synth();
  writeFiles(directory, { "src/app.py": "print(2)\n" });

  const after = synth();

  expect(after.pipeline).toEqual(before.pipeline);
  expect(after.deployed).not.toEqual(before.deployed);
});

it("tells the build which commit it is, as the pipeline knows it, and later steps the digest", () => {
  const stack = new Stack(makeApp(), "Pipeline");
  const { source, pipeline, cloudAssembly } = makePipeline(stack);
  const image = { directory: makeContext(), tag: ImageTag.commit(commit) };
  const stage = new FunctionStage(stack, "Dev", { image });
  const commitId = source.sourceAttribute("CommitId");
  pipeline.addStage(stage, { stackSteps: ImageBuilds.stackSteps(stage, { source, cloudAssembly, commitId }) });

  const template = Template.fromStack(stack);

  const variables = Match.serializedJson(
    Match.arrayWith([
      Match.objectLike({ name: "LAYERWISE_COMMIT_ID", value: Match.stringLikeRegexp("^#\\{Source.*CommitId\\}$") }),
    ]),
  );
  template.hasResourceProperties("AWS::CodePipeline::Pipeline", {
    Stages: Match.arrayWith([
      Match.objectLike({
        Actions: Match.arrayWith([
          Match.objectLike({ Configuration: Match.objectLike({ EnvironmentVariables: variables }) }),
        ]),
      }),
    ]),
  });
});

it("pushes to another account with the role that the image names", () => {
  const app = makeApp();
  const stack = new Stack(app, "Pipeline", { env: { account: "111111111111", region: "eu-west-1" } });
  const { source, pipeline, cloudAssembly } = makePipeline(stack);
  const env = { account: "222222222222", region: "eu-west-1" };
  const roles = new Stack(app, "Roles", { env });
  const repository = Repository.fromRepositoryName(roles, "Images", "app-dev");
  const publishRole = new ImagePublishRole(roles, "Publish", {
    roleName: "publish-app",
    repositories: [repository],
    trustedAccount: "111111111111",
    externalId: "app",
  });
  const stage = new FunctionStage(stack, "Dev", { env, image: { directory: makeContext(), publishRole } });
  pipeline.addStage(stage, { stackSteps: ImageBuilds.stackSteps(stage, { source, cloudAssembly }) });
  pipeline.buildPipeline();

  const statements = statementsOf(Template.fromStack(stack), /BuildImagesProject/i);

  const texts = statements.map((statement) => JSON.stringify(statement));
  expect(texts.find((text) => text.includes("sts:AssumeRole"))).toContain("arn:aws:iam::222222222222:role/publish-app");
  expect(texts.some((text) => text.includes("ecr:PutImage"))).toBe(false);
  Template.fromStack(roles).hasResourceProperties("AWS::IAM::Role", {
    RoleName: "publish-app",
    AssumeRolePolicyDocument: {
      Statement: [Match.objectLike({ Condition: { StringEquals: { "sts:ExternalId": "app" } } })],
    },
  });
});

it("has the usual recipe, and warns of a Docker whose inline cache alternates", () => {
  const classic = (buildImage?: LinuxBuildImage) => {
    const stack = new Stack(makeApp(), "Pipeline");
    const { source, pipeline, cloudAssembly } = makePipeline(stack);
    const image = { directory: makeContext(), tag: ImageTag.commit(commit), floatingTags: ["latest"] };
    const stage = new FunctionStage(stack, "Dev", { image });
    const step = new ClassicImageBuildStep("Build", { image: stage.image, source, cloudAssembly, buildImage });
    pipeline.addWave("First", { pre: [step] });
    pipeline.addStage(stage);
    pipeline.buildPipeline();
    const warnings = Annotations.fromStack(stage.image.node.scope as Stack).findWarning("*", Match.anyValue());
    return { template: Template.fromStack(stack), warnings };
  };

  const today = classic();
  const older = classic(LinuxBuildImage.STANDARD_6_0 as LinuxBuildImage);

  const [project] = Object.values(
    today.template.findResources("AWS::CodeBuild::Project", {
      Properties: { Description: "builds Pipeline/Dev/App/Image with an inline cache" },
    }),
  );
  expect(JSON.parse(project?.["Properties"].Source.BuildSpec).phases.build.commands).toEqual([
    'export REGISTRY="$LAYERWISE_ACCOUNT.dkr.ecr.$LAYERWISE_REGION.$LAYERWISE_URL_SUFFIX"',
    'export REPOSITORY="$REGISTRY/app-dev"',
    expect.stringMatching(
      /^export LAYERWISE_TAG="\$\(node -p .* "\$CODEBUILD_SRC_DIR_Synth_Output\/assembly-Pipeline-Dev\//,
    ),
    'aws ecr get-login-password --region "$LAYERWISE_REGION" | docker login --username AWS --password-stdin "$REGISTRY"',
    'docker pull "$REPOSITORY:latest" || true',
    'docker build --build-arg BUILDKIT_INLINE_CACHE=1 --file services/image/Dockerfile --cache-from "$REPOSITORY:latest" --tag "$REPOSITORY:latest" --tag "$REPOSITORY:$LAYERWISE_TAG" services/image',
    'docker push "$REPOSITORY:latest"',
    'docker push "$REPOSITORY:$LAYERWISE_TAG"',
  ]);
  expect(today.warnings.map(({ entry }) => entry.data)).toEqual([
    expect.stringContaining("without a cache at every second deployment"),
  ]);
  expect(older.warnings).toEqual([]);
});
