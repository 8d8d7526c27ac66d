// SPDX-License-Identifier: Apache-2.0
import { chmodSync, readFileSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { Stack } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { Repository } from "aws-cdk-lib/aws-ecr";
import { FargateTaskDefinition } from "aws-cdk-lib/aws-ecs";
import { Key } from "aws-cdk-lib/aws-kms";
import { BaseImages, BuildSecret, ImagePlatform, ImageRepository, ImageTag, LayerwiseImage } from "layerwise-cdk";
import { expect, it } from "vitest";
import { FunctionStage, type ImageProps, makeApp } from "./app.ts";
import { base, digest, goodContext, makeContext, writeFiles } from "./context.ts";

function imageOf(props: Partial<ImageProps> = {}): LayerwiseImage {
  return new FunctionStage(makeApp(), "Dev", { image: { directory: makeContext(), ...props } }).image;
}

/** The tag of an image whose context was changed. */
function tagAfter(change: (directory: string) => void, props: Partial<ImageProps> = {}): string {
  const directory = makeContext();
  change(directory);
  return imageOf({ directory, ...props }).imageTag;
}

it("tags by content: the same inputs in another folder have the same tag", () => {
  const tags = [tagAfter(() => undefined), tagAfter((directory) => utimesSync(join(directory, "src/app.py"), 1, 1))];

  expect(tags[0]).toMatch(/^content-[0-9a-f]{40}$/);
  expect(tags[1]).toBe(tags[0]);
});

it.each<[string, (directory: string) => void, Partial<ImageProps>?]>([
  ["a file's content", (directory) => writeFiles(directory, { "src/app.py": "print(2)\n" })],
  ["a file's name", (directory) => writeFiles(directory, { "src/b.py": "" })],
  ["a file less", (directory) => rmSync(join(directory, "src/app.py"))],
  ["a file's mode", (directory) => chmodSync(join(directory, "src/app.py"), 0o755)],
  ["a link", (directory) => symlinkSync("app.py", join(directory, "src/link"))],
  ["the Dockerfile", (directory) => writeFiles(directory, { Dockerfile: `${goodContext["Dockerfile"]}CMD a\n` })],
  ["a build argument", () => undefined, { buildArgs: { A: "1" } }],
  ["the target", () => undefined, { target: "app" }],
  ["the platform", () => undefined, { platforms: [ImagePlatform.LINUX_ARM64] }],
  ["a secret's place", () => undefined, { buildSecrets: { token: BuildSecret.ssmParameter("/token") } }],
  ["the policy for base images", () => undefined, { baseImages: BaseImages.unlocked() }],
  [
    "the digest of a base image",
    (directory) =>
      writeFiles(directory, {
        "layerwise.lock": JSON.stringify({ version: 1, bases: { [base]: digest.replace("1", "2") } }),
        ".dockerignore": "layerwise.lock\n",
      }),
  ],
])("has another tag after a change of %s", (_, change, props = {}) => {
  const before = tagAfter(() => undefined);

  expect(tagAfter(change, props)).not.toBe(before);
});

it("leaves out of the tag what the ignore file leaves out of the build context", () => {
  const ignore = { ".dockerignore": "**/*.pyc\n!src/kept.pyc\n" };
  const before = tagAfter((directory) => writeFiles(directory, ignore));

  const ignored = tagAfter((directory) => writeFiles(directory, { ...ignore, "src/a.pyc": "1" }));
  const kept = tagAfter((directory) => writeFiles(directory, { ...ignore, "src/kept.pyc": "1" }));

  expect(ignored).toBe(before);
  expect(kept).not.toBe(before);
});

it("takes the ignore file beside the Dockerfile before the one of the context", () => {
  const files = { ".dockerignore": "", "Dockerfile.dockerignore": "src/a\n" };
  const before = tagAfter((directory) => writeFiles(directory, files));

  expect(tagAfter((directory) => writeFiles(directory, { ...files, "src/a": "1" }))).toBe(before);
});

it("writes the plan and the program that reads it into the stage's assembly", () => {
  const app = makeApp();
  const directory = makeContext();
  const buildSecrets = { token: BuildSecret.secretsManager("app/token", { field: "value" }) };
  const props = { directory, target: "app", buildArgs: { A: "1" }, buildSecrets, floatingTags: ["latest"] };
  const { image } = new FunctionStage(app, "Dev", { image: props });

  const { directory: out } = app.synth().getNestedAssembly("assembly-Dev");

  const plan = JSON.parse(readFileSync(join(out, `layerwise-image-${image.node.addr}.json`), "utf8"));
  expect(plan).toEqual({
    version: 1,
    path: "Dev/App/Image",
    directory: "services/image",
    file: "Dockerfile",
    target: "app",
    platforms: ["linux/amd64"],
    buildArgs: { A: "1" },
    secrets: [{ id: "token", service: "secretsmanager", name: "app/token", field: "value" }],
    bases: { [base]: digest },
    repository: { name: "app-dev" },
    tag: image.imageTag,
    tagKind: "content",
    floatingTags: ["latest"],
    isForLambda: true,
  });
  const runner = readFileSync(join(out, "layerwise-build.mjs"), "utf8");
  expect(runner.length).toBeGreaterThan(500_000);
});

it("gives a function the image by plain names, and lets AWS Lambda pull it", () => {
  const app = makeApp();
  const stage = new FunctionStage(app, "Dev", { image: { directory: makeContext() } });
  const { imageTag } = stage.image;

  const assembly = app.synth().getNestedAssembly("assembly-Dev");
  const [repository, user] = ["Repository", "App"].map((id) =>
    Template.fromStack(stage.node.findChild(id) as Stack),
  ) as [Template, Template];

  user.hasResourceProperties("AWS::Lambda::Function", {
    Code: {
      ImageUri: {
        "Fn::Join": [
          "",
          [
            { Ref: "AWS::AccountId" },
            ".dkr.ecr.",
            { Ref: "AWS::Region" },
            ".",
            { Ref: "AWS::URLSuffix" },
            `/app-dev:${imageTag}`,
          ],
        ],
      },
    },
  });
  repository.hasResourceProperties("AWS::ECR::Repository", {
    RepositoryPolicyText: {
      Statement: [Match.objectLike({ Principal: { Service: "lambda.amazonaws.com" } })],
    },
  });
  repository.templateMatches({ Outputs: Match.absent() });
  expect(assembly.getStackByName("Dev-App").dependencies.map(({ id }) => id)).toContain(
    assembly.getStackByName("Dev-Repository").id,
  );
});

it("gives a task the image of another account's repository", () => {
  const app = makeApp();
  const stack = new Stack(app, "App");
  const repository = Repository.fromRepositoryArn(stack, "Images", "arn:aws:ecr:eu-west-1:222222222222:repository/app");
  const tag = ImageTag.fixed("1.2.3");
  const platforms = [ImagePlatform.LINUX_AMD64, ImagePlatform.LINUX_ARM64];
  const image = new LayerwiseImage(stack, "Image", { directory: makeContext(), repository, tag, platforms });

  new FargateTaskDefinition(stack, "Task").addContainer("app", { image: image.toEcsImage() });

  const template = Template.fromStack(stack);
  const uri = { "Fn::Join": ["", ["222222222222.dkr.ecr.eu-west-1.", { Ref: "AWS::URLSuffix" }, "/app:1.2.3"]] };
  template.hasResourceProperties("AWS::ECS::TaskDefinition", {
    ContainerDefinitions: [Match.objectLike({ Image: uri })],
  });
  template.hasResourceProperties("AWS::IAM::Policy", {
    PolicyDocument: {
      Statement: Match.arrayWith([Match.objectLike({ Action: Match.arrayWith(["ecr:BatchGetImage"]) })]),
    },
  });
});

it("makes a repository whose tags are immutable but for the cache's and the floating ones", () => {
  const stack = new Stack(makeApp(), "Repository");
  const encryptionKey = Key.fromKeyArn(stack, "Key", "arn:aws:kms:eu-west-1:111111111111:key/1");
  new ImageRepository(stack, "Images", { repositoryName: "app", floatingTags: ["latest"], encryptionKey });

  const template = Template.fromStack(stack);

  template.hasResource("AWS::ECR::Repository", {
    DeletionPolicy: "Retain",
    Properties: {
      RepositoryName: "app",
      ImageScanningConfiguration: { ScanOnPush: true },
      ImageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
      ImageTagMutabilityExclusionFilters: ["lwcache-*", "latest"].map((value) => ({
        ImageTagMutabilityExclusionFilterType: "WILDCARD",
        ImageTagMutabilityExclusionFilterValue: value,
      })),
      EncryptionConfiguration: { EncryptionType: "KMS" },
    },
  });
  const [resource] = Object.values(template.findResources("AWS::ECR::Repository"));
  const { rules } = JSON.parse(resource?.["Properties"].LifecyclePolicy.LifecyclePolicyText);
  const selections = rules.map(({ selection }: { selection: unknown }) => selection);
  expect(selections).toEqual([
    { tagStatus: "tagged", tagPrefixList: ["lwcache-incoming"], countType: "imageCountMoreThan", countNumber: 1 },
    {
      tagStatus: "tagged",
      tagPrefixList: ["lwcache-"],
      countType: "sinceImagePushed",
      countNumber: 30,
      countUnit: "days",
    },
    { tagStatus: "untagged", countType: "sinceImagePushed", countNumber: 14, countUnit: "days" },
  ]);
});
