// SPDX-License-Identifier: Apache-2.0
import { SecretValue, Stack, Stage } from "aws-cdk-lib";
import { Annotations, Match } from "aws-cdk-lib/assertions";
import { Repository } from "aws-cdk-lib/aws-ecr";
import {
  BaseImages,
  type BuildSecret,
  ClassicImageBuildStep,
  ImageBuildStep,
  ImageBuilds,
  ImagePlatform,
  ImagePromotionStep,
  ImagePublishRole,
  ImageRepository,
  ImageTag,
  LayerwiseImage,
} from "layerwise-cdk";
import { expect, it } from "vitest";
import { FunctionStage, type ImageProps, makeApp, makePipeline } from "./app.ts";
import { base, goodContext, makeContext } from "./context.ts";
import { refused } from "./refused.ts";

const { LINUX_AMD64, LINUX_ARM64 } = ImagePlatform;

function imageOf(props: Partial<ImageProps> = {}): LayerwiseImage {
  return new FunctionStage(makeApp(), "Dev", { image: { directory: makeContext(), ...props } }).image;
}

it("refuses a repository in the stack that uses the image", () => {
  const stack = new Stack(makeApp(), "Both");
  const repository = new ImageRepository(stack, "Images", { repositoryName: "app" });

  refused(() => new LayerwiseImage(stack, "Image", { directory: makeContext(), repository }), {
    why: "its repository is in the same stack, Both",
    fix: "move the repository into a stack of its own",
  });
});

it("refuses a repository whose name only CloudFormation knows", () => {
  const app = makeApp();
  const repository = new Repository(new Stack(app, "Repository"), "Images");

  refused(() => new LayerwiseImage(new Stack(app, "App"), "Image", { directory: makeContext(), repository }), {
    why: "its name is made by CloudFormation",
    fix: "give it a repositoryName",
  });
});

it.each(["latest", "live"])("refuses the floating tag %s for a function and a task", (tag) => {
  const floating = { floatingTags: ["live"], tag: ImageTag.fixed(tag) };
  const app = makeApp();
  const repository = new ImageRepository(new Stack(app, "Repository"), "Images", {
    repositoryName: "app",
    floatingTags: ["live"],
  });
  const image = new LayerwiseImage(new Stack(app, "App"), "Image", {
    directory: makeContext(),
    repository,
    ...floating,
  });

  for (const use of [() => image.toLambdaCode(), () => image.toEcsImage()]) {
    refused(use, { why: `the tag ${tag} moves`, fix: "leave the tag to ImageTag.contentHash()" });
  }
});

it("refuses several platforms for a function", () => {
  refused(() => imageOf({ platforms: [LINUX_AMD64, LINUX_ARM64] }), {
    why: "AWS Lambda takes images of one platform, and this one has 2",
    fix: "give platforms: [ImagePlatform.LINUX_AMD64]",
  });
});

it("refuses a function in another Region than the repository", () => {
  const app = makeApp();
  const stack = new Stack(app, "App", { env: { account: "111111111111", region: "us-east-1" } });
  const repository = Repository.fromRepositoryArn(stack, "Images", "arn:aws:ecr:eu-west-1:111111111111:repository/app");
  const image = new LayerwiseImage(stack, "Image", { directory: makeContext(), repository });

  refused(() => image.toLambdaCode(), { why: "of its own Region, us-east-1", fix: "ImageRepository in each Region" });
});

it("refuses a secret that is a plain string", () => {
  const buildSecrets = { token: "hunter2" } as unknown as Record<string, BuildSecret>;

  refused(() => imageOf({ buildSecrets }), { why: "it is a plain value", fix: "BuildSecret.secretsManager(…)" });
});

it("refuses a secret, and every other token, as a build argument", () => {
  const value = SecretValue.secretsManager("token").unsafeUnwrap();

  refused(() => imageOf({ buildArgs: { TOKEN: value } }), {
    why: "its value is known at deployment only",
    fix: "name a secret in buildSecrets",
  });
});

it.each([
  ["NPM_TOKEN", 1],
  ["password", 1],
  ["PUBLIC_KEY", 0],
  ["KEYCLOAK_VERSION", 0],
])("warns of a secret that is a plain build argument: %s", (name, count) => {
  const image = imageOf({ buildArgs: { [name]: "hunter2" } });

  const warnings = Annotations.fromStack(Stack.of(image)).findWarning("*", Match.stringLikeRegexp("in buildSecrets"));

  expect(warnings).toHaveLength(count);
  expect(JSON.stringify(warnings.map(({ entry }) => entry.data))).not.toContain("hunter2");
});

it("refuses a directory or a Dockerfile that is not there, or elsewhere", () => {
  const { Dockerfile: _, ...files } = goodContext;

  refused(() => imageOf({ directory: "/nowhere" }), {
    why: "there is no directory /nowhere",
    fix: "give the directory",
  });
  refused(() => imageOf({ directory: makeContext(files) }), { why: /there is no Dockerfile in/, fix: "write one" });
  refused(() => imageOf({ file: "../Dockerfile" }), { why: "is not in the build context", fix: "name a file in it" });
});

it("refuses a build context outside of the source", () => {
  const app = makeApp({ context: { "layerwise:source-root": "/elsewhere" } });

  refused(() => new FunctionStage(app, "Dev", { image: { directory: makeContext() } }), {
    why: "it is not below the root of the source, /elsewhere",
    fix: 'context value "layerwise:source-root"',
  });
});

it("refuses a lock file that is missing, broken or out of date", () => {
  const { "layerwise.lock": _, ...without } = goodContext;
  const lockOf = (content: string) => makeContext({ ...goodContext, "layerwise.lock": content });
  const other = JSON.stringify({ version: 1, bases: { "registry.example/other:1": `sha256:${"2".repeat(64)}` } });

  refused(() => imageOf({ directory: makeContext(without) }), { why: "there is no", fix: "run `npx layerwise lock /" });
  refused(() => imageOf({ directory: lockOf("{}") }), { why: "it is not of the form", fix: "write it again with" });
  refused(() => imageOf({ directory: lockOf(other) }), { why: `${base} is missing`, fix: "run `npx layerwise lock /" });
});

it("refuses tags that are none, or that move where they must not", () => {
  const repository = new ImageRepository(new Stack(makeApp(), "Repository"), "Images", { repositoryName: "app" });
  const image = { directory: makeContext(), repository, floatingTags: ["latest"] };

  refused(() => ImageTag.commit(""), { why: "the commit id is empty", fix: "ImageTag.commit(process.env.COMMIT_ID)" });
  refused(() => ImageTag.fixed("a b"), { why: '"a b" is no tag', fix: "give at most 128 letters" });
  refused(() => new LayerwiseImage(new Stack(repository.node.root, "App"), "Image", image), {
    why: "the repository's tags are immutable",
    fix: 'floatingTags: ["latest"]',
  });
});

it("refuses floating tags that Amazon ECR cannot exclude", () => {
  const make = (floatingTags: string[]) =>
    new ImageRepository(new Stack(makeApp(), "Repository"), "Images", { repositoryName: "app", floatingTags });

  refused(() => make(["*"]), { why: '"*" is no tag', fix: "name each floating tag exactly" });
  refused(() => make(["a", "b", "c", "d", "e"]), { why: "there are 5 floating tags", fix: "give at most 4" });
});

it("refuses a step that is not told the commit, or that has no images or no source", () => {
  const app = makeApp();
  const { source, cloudAssembly } = makePipeline(new Stack(app, "Pipeline"));
  const tag = ImageTag.commit("0123456789abcdef0123456789abcdef01234567");
  const stage = new FunctionStage(app, "Dev", { image: { directory: makeContext(), tag } });

  refused(() => ImageBuilds.stackSteps(stage, { source, cloudAssembly }), {
    why: "the step is not told which one it builds",
    fix: "give commitId: source.sourceAttribute('CommitId')",
  });
  const stack = new Stack(app, "NoSource");
  const sourceless = makePipeline(stack);
  const other = new FunctionStage(stack, "Other", { image: { directory: makeContext() } });
  const stackSteps = ImageBuilds.stackSteps(other, { cloudAssembly: sourceless.cloudAssembly });
  sourceless.pipeline.addStage(other, { stackSteps });

  refused(() => sourceless.pipeline.buildPipeline(), {
    why: "AWS CodeBuild checks nothing out",
    fix: "give source: the file set that the synth step has",
  });
  refused(() => new ImageBuildStep("Build", { images: [], source, cloudAssembly }), {
    why: "it has no images",
    fix: "give at least one",
  });
  refused(() => new ImagePromotionStep("Promote", { images: [], cloudAssembly }), {
    why: "no images",
    fix: "at least",
  });
  refused(() => ImageBuilds.stackSteps(new Stage(app, "Empty"), { source, cloudAssembly }), {
    why: "it has none",
    fix: "make a LayerwiseImage in the stack that uses it",
  });
});

it("refuses to read a project before the pipeline is built", () => {
  const stack = new Stack(makeApp(), "Pipeline");
  const { source, cloudAssembly } = makePipeline(stack);
  const { image } = new FunctionStage(stack, "Dev", { image: { directory: makeContext() } });
  const step = new ImageBuildStep("Build", { images: [image], source, cloudAssembly });

  refused(() => step.grantPrincipal, { why: "the pipeline is not built yet", fix: "call pipeline.buildPipeline()" });
});

it("refuses to promote what would have been built differently", () => {
  const app = makeApp();
  const { cloudAssembly } = makePipeline(new Stack(app, "Pipeline"));
  const directory = makeContext();
  const from = new FunctionStage(app, "Dev", { image: { directory } });
  const to = new FunctionStage(app, "Prod", { image: { directory, buildArgs: { STAGE: "prod" } } });

  refused(() => ImageBuilds.promotionSteps(to, { from, cloudAssembly }), {
    why: "they have other inputs",
    fix: "read what differs between stages when the image runs",
  });
  refused(() => ImageBuilds.promotionSteps(to, { from: new Stage(app, "Empty"), cloudAssembly }), {
    why: "the stage Empty has no image at App/Image",
    fix: "make both stages of the same class",
  });
});

it("refuses to push into another account without a role there", () => {
  const app = makeApp();
  const stack = new Stack(app, "Pipeline", { env: { account: "111111111111", region: "eu-west-1" } });
  const { source, pipeline, cloudAssembly } = makePipeline(stack);
  const env = { account: "222222222222", region: "eu-west-1" };
  const stage = new FunctionStage(stack, "Dev", { env, image: { directory: makeContext() } });
  pipeline.addStage(stage, { stackSteps: ImageBuilds.stackSteps(stage, { source, cloudAssembly }) });

  refused(() => pipeline.buildPipeline(), { why: "the pipeline is in 111111111111", fix: "make an ImagePublishRole" });
});

it("refuses a publish role that no other account can name", () => {
  const app = makeApp();
  const unknown = new Stack(app, "Unknown");
  const repository = new ImageRepository(unknown, "Images", { repositoryName: "app" });
  const props = { roleName: "publish", repositories: [repository], externalId: "app" };
  const publishRole = new ImagePublishRole(unknown, "Role", { ...props, trustedAccount: "111111111111" });

  refused(() => new ImagePublishRole(unknown, "Other", { ...props, trustedAccount: "me" }), {
    why: '"me" is no account',
    fix: "give the 12 digits",
  });
  refused(
    () => new LayerwiseImage(new Stack(app, "App"), "Image", { directory: makeContext(), repository, publishRole }),
    { why: "the account of the role is not known at synth", fix: "env with account and region" },
  );
});

it("refuses the usual recipe for what it cannot do", () => {
  const stack = new Stack(makeApp(), "Pipeline");
  const { source, cloudAssembly } = makePipeline(stack);
  const tag = ImageTag.commit("0123456789abcdef0123456789abcdef01234567");
  const make = (id: string, props: Partial<ImageProps>) => {
    const image = { directory: makeContext(), baseImages: BaseImages.unlocked(), ...props };
    return () =>
      new ClassicImageBuildStep("Build", {
        image: new FunctionStage(stack, id, { image }).image,
        source,
        cloudAssembly,
      });
  };

  refused(make("Content", { floatingTags: ["latest"] }), {
    why: "a tag of its own for each commit",
    fix: "ImageTag.commit",
  });
  refused(make("Alone", { tag }), { why: "one floating tag", fix: 'floatingTags: ["latest"]' });
});
