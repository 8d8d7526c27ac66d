// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateRepositoryCommand, DescribeImagesCommand, PutLifecyclePolicyCommand } from "@aws-sdk/client-ecr";
import {
  awsValues,
  type BuildResult,
  buildActionsIn,
  readProject,
  renderEvent,
  resolveIntrinsics,
  runBuild,
  type Template,
  type TemplateValues,
} from "codebuild-local";
import type { AwsLocal } from "../../src/index.ts";
import type { clientsOf } from "../clients.ts";

/** What a pipeline runs with. */
export interface PipelineOptions {
  readonly aws: AwsLocal;
  readonly clients: ReturnType<typeof clientsOf>;
  /** The cloud assembly, and the source that it was synthesized from. */
  readonly assembly: string;
  readonly source: string;
  /** The file of the pipeline's template in it. */
  readonly template: Template;
  /** Values of the template by logical ID. */
  readonly given: Readonly<Record<string, string>>;
  /** What the machine has in its environment that builds the project with this logical ID. */
  readonly machine: (project: string) => Readonly<Record<string, string>>;
  readonly scratch: string;
  /** Hears what builds write. */
  readonly log?: (text: string) => void;
}

/** A function that was deployed. */
export interface Deployed {
  readonly uri: string;
  /** The digest that the tag in the URI stands for, when it was deployed. */
  readonly digest: string;
}

/** What a run of a pipeline did. */
export interface PipelineRun {
  /** Actions in the order in which they ran. */
  readonly actions: readonly string[];
  /** Builds by the name of the action. */
  readonly builds: Readonly<Record<string, BuildResult>>;
  /** Functions by stage. */
  readonly functions: Readonly<Record<string, Deployed>>;
}

interface Action {
  readonly Name: string;
  readonly RunOrder?: number;
  readonly ActionTypeId: { readonly Provider: string };
  readonly Configuration?: Readonly<Record<string, unknown>>;
}

/** The stages that CDK Pipelines itself makes: source, synth and self-mutation are done by the test. */
const before: ReadonlySet<string> = new Set(["Source", "Build", "UpdatePipeline"]);

/**
 * Runs what a pipeline of CDK Pipelines does after its self-mutation: builds by codebuild-local, and of each stack the
 * repositories and the functions.
 */
export async function runPipeline(options: PipelineOptions): Promise<PipelineRun> {
  const { template, aws, given } = options;
  const values: TemplateValues = { account: aws.account, region: aws.region, given };
  const exported: Record<string, string> = {};
  const [actions, stacks] = [[] as string[], new Map<string, string>()];
  const builds: Record<string, BuildResult> = {};
  const functions: Record<string, Deployed> = {};
  for (const { name, actions: list } of stagesOf(template)) {
    for (const action of list) {
      actions.push(`${name}.${action.Name}`);
      const { Provider } = action.ActionTypeId;
      const { ActionMode, StackName, TemplatePath } = action.Configuration ?? {};
      if (Provider === "CodeBuild") {
        const built = await runAction(`${name}.${action.Name}`, { options, values });
        builds[`${name}.${action.Name}`] = built.result;
        if (built.result.status !== "SUCCEEDED")
          throw new Error(`${name}.${action.Name} ${built.result.status}:\n${built.log}`);
      } else if (ActionMode === "CHANGE_SET_REPLACE") {
        stacks.set(String(StackName), String(TemplatePath).split("::")[1] ?? "");
      } else if (ActionMode === "CHANGE_SET_EXECUTE") {
        const file = stacks.get(String(StackName)) ?? "";
        const found = await deploy(join(options.assembly, file), { options, values, exported });
        if (found !== undefined) functions[name] = found;
      }
    }
  }
  return { actions, builds, functions };
}

function stagesOf(template: Template): readonly { readonly name: string; readonly actions: readonly Action[] }[] {
  const pipeline = Object.values(template.Resources ?? {}).find(({ Type }) => Type === "AWS::CodePipeline::Pipeline");
  const stages = (pipeline?.Properties?.["Stages"] ?? []) as readonly { Name: string; Actions: readonly Action[] }[];
  return stages
    .filter(({ Name }) => !before.has(Name) && !Name.startsWith("Assets"))
    .map(({ Name, Actions }) => ({
      name: Name,
      actions: [...Actions].sort((one, other) => (one.RunOrder ?? 1) - (other.RunOrder ?? 1)),
    }));
}

interface Running {
  readonly options: PipelineOptions;
  readonly values: TemplateValues;
}

/** Runs the build of an action, by stage and name. */
export async function runAction(
  name: string,
  { options, values }: Running,
): Promise<{ result: BuildResult; log: string }> {
  const { template, source, assembly, machine, scratch, aws } = options;
  const action = buildActionsIn(template, values).find((one) => `${one.stage}.${one.name}` === name);
  if (action === undefined) throw new Error(`there is no build ${name}`);
  const folderOf = (artifact: string) => (artifact.startsWith("Synth") ? assembly : source);
  const [primary = "", ...others] = action.inputs;
  let log = "";
  const result = await runBuild({
    project: readProject(template, { wanted: action.project, values }),
    source: folderOf(primary),
    secondarySources: Object.fromEntries(others.map((artifact) => [artifact, folderOf(artifact)])),
    variables: action.variables,
    identity: { account: aws.account, region: aws.region, initiator: "codepipeline/orders" },
    machine: machine(action.project),
    values: awsValues(aws.region),
    scratch,
    emit: (event) => {
      const text = renderEvent(event, new Date());
      log += text;
      options.log?.(text);
    },
  });
  return { result, log };
}

interface StackTemplate extends Template {
  readonly Outputs?: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: unknown } }>
  >;
}

/** Does what CloudFormation would do with repositories and functions, by the same API. */
async function deploy(
  file: string,
  { options, values, exported }: Running & { readonly exported: Record<string, string> },
): Promise<Deployed | undefined> {
  const template = JSON.parse(await readFile(file, "utf8")) as StackTemplate;
  const scope = { template, values: { ...values, given: { ...values.given, ...exported } } };
  let deployed: Deployed | undefined;
  for (const { Type, Properties = {} } of Object.values(template.Resources ?? {})) {
    if (Type === "AWS::ECR::Repository")
      await makeRepository(resolveIntrinsics(Properties, scope) as Repository, options);
    if (Type === "AWS::Lambda::Function") {
      const { ImageUri } = resolveIntrinsics(Properties["Code"], scope) as { ImageUri: string };
      deployed = await imageAt(ImageUri, options);
    }
  }
  for (const { Value, Export } of Object.values(template.Outputs ?? {})) {
    if (Export !== undefined)
      exported[String(resolveIntrinsics(Export.Name, scope))] = String(resolveIntrinsics(Value, scope));
  }
  return deployed;
}

interface Repository {
  readonly RepositoryName: string;
  readonly ImageTagMutability?: "IMMUTABLE_WITH_EXCLUSION";
  readonly ImageTagMutabilityExclusionFilters?: readonly {
    readonly ImageTagMutabilityExclusionFilterType: "WILDCARD";
    readonly ImageTagMutabilityExclusionFilterValue: string;
  }[];
  readonly LifecyclePolicy?: { readonly LifecyclePolicyText: string };
}

async function makeRepository(properties: Repository, { clients }: PipelineOptions): Promise<void> {
  const { RepositoryName: repositoryName, LifecyclePolicy, ImageTagMutability: imageTagMutability } = properties;
  const imageTagMutabilityExclusionFilters = (properties.ImageTagMutabilityExclusionFilters ?? []).map((filter) => ({
    filterType: filter.ImageTagMutabilityExclusionFilterType,
    filter: filter.ImageTagMutabilityExclusionFilterValue,
  }));
  const input = { repositoryName, imageTagMutability, imageTagMutabilityExclusionFilters };
  try {
    await clients.ecr.send(new CreateRepositoryCommand(input));
  } catch (error) {
    if ((error as Error).name !== "RepositoryAlreadyExistsException") throw error;
  }
  const { LifecyclePolicyText: lifecyclePolicyText } = LifecyclePolicy ?? {};
  if (lifecyclePolicyText !== undefined) {
    await clients.ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }));
  }
}

/** Lambda resolves the tag when the function is deployed, and refuses one that is not there. */
async function imageAt(uri: string, { aws, clients }: PipelineOptions): Promise<Deployed> {
  const [, repositoryName = "", imageTag = ""] = new RegExp(`^${aws.registryHost()}/(.+):([^:]+)$`).exec(uri) ?? [];
  const { imageDetails = [] } = await clients.ecr.send(
    new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag }] }),
  );
  return { uri, digest: imageDetails[0]?.imageDigest ?? "" };
}
