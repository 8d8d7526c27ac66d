// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { resolveIntrinsics, type Template } from "./intrinsics.ts";
import { buildActionsIn, withPipelineVariables } from "./read-action.ts";
import { readProject } from "./read-project.ts";

const template: Template = {
  Parameters: { Stage: { Type: "String", Default: "test" }, Name: { Type: "String" } },
  Mappings: { Sizes: { small: { memory: 2 } } },
  Conditions: {
    IsTest: { "Fn::Equals": [{ Ref: "Stage" }, "test"] },
    IsNot: { "Fn::Not": [{ Condition: "IsTest" }] },
    Either: { "Fn::Or": [{ Condition: "IsNot" }, { "Fn::And": [{ Condition: "IsTest" }, { Condition: "IsTest" }] }] },
  },
  Resources: {
    Repository: { Type: "AWS::ECR::Repository", Properties: { RepositoryName: { "Fn::Sub": "app-${Stage}" } } },
    Bucket: { Type: "AWS::S3::Bucket" },
    Fast: {
      Type: "AWS::CodeBuild::Project",
      Properties: {
        Source: {
          Type: "CODEPIPELINE",
          BuildSpec: {
            "Fn::Join": [
              "",
              ['{"version":"0.2","phases":{"build":{"commands":["push ', { Ref: "Repository" }, '"]}}}'],
            ],
          },
        },
        Environment: {
          Type: "LINUX_LAMBDA_CONTAINER",
          Image: "aws/codebuild/lambda",
          EnvironmentVariables: [
            { Name: "BUCKET", Type: "PLAINTEXT", Value: { Ref: "Bucket" } },
            { Name: "TOKEN", Type: "SECRETS_MANAGER", Value: "npm:token" },
          ],
        },
        TimeoutInMinutes: 10,
        EncryptionKey: { "Fn::GetAtt": ["Nothing", "Arn"] },
      },
    },
    Full: {
      Type: "AWS::CodeBuild::Project",
      Properties: { Name: "full", Environment: { PrivilegedMode: true, Image: "standard" }, Source: { Type: "S3" } },
    },
    Pipeline: {
      Type: "AWS::CodePipeline::Pipeline",
      Properties: {
        Stages: [
          { Name: "Source", Actions: [{ Name: "Source", ActionTypeId: { Provider: "S3" } }] },
          {
            Name: "Deploy",
            Actions: [
              {
                Name: "Later",
                RunOrder: 2,
                ActionTypeId: { Provider: "CodeBuild" },
                Configuration: { ProjectName: { Ref: "Full" } },
              },
              {
                Name: "Build",
                RunOrder: 1,
                Namespace: "build",
                ActionTypeId: { Provider: "CodeBuild" },
                InputArtifacts: [{ Name: "Assembly" }, { Name: "Source" }],
                Configuration: {
                  ProjectName: { Ref: "Fast" },
                  PrimarySource: "Source",
                  EnvironmentVariables: '[{"name":"COMMIT","type":"PLAINTEXT","value":"#{Source@1.CommitId}"}]',
                },
              },
            ],
          },
        ],
      },
    },
  },
};
const values = { account: "111122223333", region: "eu-central-1", given: { Bucket: "artifacts-1" } };

describe("resolveIntrinsics", () => {
  it.each<[unknown, unknown]>([
    [{ Ref: "Stage" }, "test"],
    [{ Ref: "AWS::Region" }, "eu-central-1"],
    [{ Ref: "Repository" }, "app-test"],
    [{ "Fn::GetAtt": ["Repository", "Arn"] }, "arn:aws:ecr:eu-central-1:111122223333:repository/app-test"],
    [{ "Fn::GetAtt": "Bucket.Arn" }, "arn:aws:s3:::artifacts-1"],
    [{ "Fn::Join": ["-", ["a", { Ref: "Stage" }]] }, "a-test"],
    [
      { "Fn::Sub": "${!Literal} ${AWS::AccountId} ${Repository.Arn}" },
      "${Literal} 111122223333 arn:aws:ecr:eu-central-1:111122223333:repository/app-test",
    ],
    [{ "Fn::Sub": ["${x}-${Stage}", { x: { Ref: "Bucket" } }] }, "artifacts-1-test"],
    [{ "Fn::Select": [1, { "Fn::Split": [",", "a,b"] }] }, "b"],
    [{ "Fn::FindInMap": ["Sizes", "small", "memory"] }, 2],
    [{ "Fn::If": ["IsTest", "yes", "no"] }, "yes"],
    [{ "Fn::If": ["IsNot", "yes", "no"] }, "no"],
    [{ "Fn::If": ["Either", "yes", "no"] }, "yes"],
    [{ "Fn::Base64": "text" }, "dGV4dA=="],
    [{ a: [{ Ref: "AWS::NoValue" }, 1], b: { Ref: "AWS::NoValue" } }, { a: [1] }],
  ])("resolves %j", (value, resolved) => {
    expect(resolveIntrinsics(value, { template, values })).toEqual(resolved);
  });

  it.each<[unknown, string, string | undefined]>([
    [{ Ref: "Name" }, "the parameter Name has no value", "give it with --value Name=VALUE"],
    [
      { "Fn::GetAtt": ["Other", "Url"] },
      "the attribute Other.Url has no value",
      "give it with --value Other.Url=VALUE",
    ],
    [{ "Fn::ImportValue": "shared" }, "the export shared has no value", "give it with --value shared=VALUE"],
    [{ "Fn::Transform": {} }, "the function Fn::Transform is not known here", undefined],
  ])("refuses %j", (value, why, hint) => {
    const resolve = () => resolveIntrinsics(value, { template, values });

    expect(resolve).toThrow(expect.objectContaining({ message: `could not resolve the template: ${why}`, hint }));
  });
});

describe("readProject", () => {
  it("reads a project on Lambda compute, whatever else of the template has no value", () => {
    expect(readProject(template, { wanted: "Fast", values })).toEqual({
      name: "Fast",
      buildspec: { text: '{"version":"0.2","phases":{"build":{"commands":["push app-test"]}}}' },
      variables: [
        { name: "BUCKET", type: "PLAINTEXT", value: "artifacts-1" },
        { name: "TOKEN", type: "SECRETS_MANAGER", value: "npm:token" },
      ],
      compute: { kind: "lambda", privileged: false, image: "aws/codebuild/lambda" },
      timeoutMinutes: 10,
      secondaryArtifacts: [],
    });
  });

  it("finds a project by its name, and has CodeBuild's defaults", () => {
    expect(readProject(template, { wanted: "full", values })).toMatchObject({
      name: "full",
      buildspec: { path: "buildspec.yml" },
      compute: { kind: "ec2", privileged: true },
      timeoutMinutes: 60,
    });
  });

  it("names the projects that there are", () => {
    const read = () => readProject(template, { wanted: "Slow", values });

    expect(read).toThrow(expect.objectContaining({ hint: "name one of Fast, Full" }));
  });
});

describe("buildActionsIn", () => {
  it("lists the builds of a pipeline in their order, with the values that it gives them", () => {
    const actions = buildActionsIn(template, values);

    expect(actions.map(({ name, project, inputs }) => [name, project, inputs])).toEqual([
      ["Build", "Fast", ["Source", "Assembly"]],
      ["Later", "Full", []],
    ]);
    const known = { "Source@1.CommitId": "abc" };
    expect(withPipelineVariables(actions[0]?.variables ?? [], known)).toEqual([
      { name: "COMMIT", type: "PLAINTEXT", value: "abc" },
    ]);
  });
});
