// SPDX-License-Identifier: Apache-2.0
import { Stack, Token } from "aws-cdk-lib";
import type { IProject, PipelineProject } from "aws-cdk-lib/aws-codebuild";
import type { IStage } from "aws-cdk-lib/aws-codepipeline";
import { CodeBuildAction } from "aws-cdk-lib/aws-codepipeline-actions";
import { type IRole, Role } from "aws-cdk-lib/aws-iam";
import type { CodePipelineActionFactoryResult, FileSetLocation, ProduceActionOptions } from "aws-cdk-lib/pipelines";
import { Construct } from "constructs";
import { refusal } from "./refuse";

/** Where a build begins that is not AWS CodeBuild's: the assembly is below the source. */
export const assemblyFolder = ".layerwise-assembly";

/** What every build of ours is told, from the stack that its project is in. */
export function placeVariables(scope: Construct): Record<string, string> {
  const { account, region, urlSuffix } = Stack.of(scope);
  return { LAYERWISE_ACCOUNT: account, LAYERWISE_REGION: region, LAYERWISE_URL_SUFFIX: urlSuffix };
}

/** The same for builds outside of AWS CodeBuild, as far as it is known at synth. */
export function knownPlaceVariables(variables: Record<string, string | undefined>): Record<string, string> {
  const known = Object.entries(variables).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !Token.isUnresolved(entry[1]),
  );
  return Object.fromEntries(known);
}

/** A folder of its own for the constructs of an action. */
export function actionScope({ scope, actionName }: ProduceActionOptions): Construct {
  return new Construct(scope, actionName);
}

/** The project of the step with this id. Throws before the pipeline is built, which is when the project is made. */
export function madeProject(id: string, made: IProject | undefined): IProject {
  if (made !== undefined) return made;
  throw refusal({
    what: `read the project of ${id}`,
    why: "the pipeline is not built yet",
    fix: "call pipeline.buildPipeline() before",
  });
}

/** What an action is made of, besides its place in the pipeline. */
export interface ActionParts {
  readonly project: PipelineProject;
  readonly inputs: readonly FileSetLocation[];
  /** Values of the pipeline that only an action can be given. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Adds the action of a project: the first input is the folder that the build begins in. */
export function addProjectAction(
  stage: IStage,
  options: ProduceActionOptions,
  { project, inputs, variables = {} }: ActionParts,
): CodePipelineActionFactoryResult {
  const [input, ...extraInputs] = inputs.map(({ fileSet }) => options.artifacts.toCodePipeline(fileSet));
  stage.addAction(
    new CodeBuildAction({
      actionName: options.actionName,
      runOrder: options.runOrder,
      input: input as NonNullable<typeof input>,
      extraInputs,
      project,
      role: actionRole(options),
      variablesNamespace: options.variablesNamespace,
      environmentVariables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, { value }])),
    }),
  );
  return { runOrdersConsumed: 1, project };
}

/** One role starts all builds of a pipeline, as CDK Pipelines has it for its own, so that policies stay small. */
function actionRole({ pipeline }: ProduceActionOptions): IRole | undefined {
  if (pipeline.usePipelineRoleForActions) return undefined;
  const id = "CodeBuildActionRole";
  const shared = pipeline.node.tryFindChild(id) as IRole | undefined;
  return shared ?? new Role(pipeline, id, { assumedBy: pipeline.pipeline.role });
}
