// SPDX-License-Identifier: Apache-2.0
import type { Variable } from "../project.ts";
import { resolveIntrinsics, type Template, type TemplateValues } from "./intrinsics.ts";

/** An action of a pipeline that builds a project. */
export interface BuildAction {
  readonly stage: string;
  readonly name: string;
  /** The order within the stage. */
  readonly runOrder: number;
  /** The logical ID of the project. */
  readonly project: string;
  /** The namespace of its output variables. */
  readonly namespace: string | undefined;
  /** Names of artifacts; the primary one first. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Variables of the action as they stand there, with `#{NAMESPACE.VARIABLE}` in their values. */
  readonly variables: readonly Variable[];
}

interface ActionProperties {
  readonly Name: string;
  readonly RunOrder?: number;
  readonly Namespace?: string;
  readonly ActionTypeId?: { readonly Provider?: string };
  readonly Configuration?: Readonly<Record<string, unknown>>;
  readonly InputArtifacts?: readonly { readonly Name: string }[];
  readonly OutputArtifacts?: readonly { readonly Name: string }[];
}

/**
 * The actions of all pipelines in a template that build projects, in the order in which they run.
 * https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html
 */
export function buildActionsIn(template: Template, values: TemplateValues): readonly BuildAction[] {
  const pipelines = Object.values(template.Resources ?? {}).filter(
    ({ Type }) => Type === "AWS::CodePipeline::Pipeline",
  );
  return pipelines.flatMap(({ Properties = {} }) => {
    const stages = Properties["Stages"] as readonly {
      readonly Name: string;
      readonly Actions: readonly ActionProperties[];
    }[];
    return stages.flatMap(({ Name: stage, Actions }) =>
      Actions.filter(({ ActionTypeId }) => ActionTypeId?.Provider === "CodeBuild")
        .sort((one, other) => (one.RunOrder ?? 1) - (other.RunOrder ?? 1))
        .map((action) => readAction(action, { stage, template, values })),
    );
  });
}

function readAction(
  action: ActionProperties,
  { stage, template, values }: { readonly stage: string; readonly template: Template; readonly values: TemplateValues },
): BuildAction {
  const { ProjectName, EnvironmentVariables, PrimarySource } = action.Configuration ?? {};
  const json = resolveIntrinsics(EnvironmentVariables ?? "[]", { template, values });
  const variables = JSON.parse(String(json)) as readonly { name: string; value: string; type?: Variable["type"] }[];
  const names = (action.InputArtifacts ?? []).map(({ Name }) => Name);
  const inputs =
    typeof PrimarySource === "string" ? [PrimarySource, ...names.filter((name) => name !== PrimarySource)] : names;
  const reference = (ProjectName as { readonly Ref?: string } | undefined)?.Ref;
  return {
    stage,
    name: action.Name,
    runOrder: action.RunOrder ?? 1,
    project: reference ?? String(ProjectName),
    namespace: action.Namespace,
    inputs,
    outputs: (action.OutputArtifacts ?? []).map(({ Name }) => Name),
    variables: variables.map(({ name, value, type = "PLAINTEXT" }) => ({ name, value, type })),
  };
}

/**
 * Puts the values of a pipeline's variables into those of an action; unknown ones stay as they are.
 *
 * @param known values by `NAMESPACE.VARIABLE`
 */
export function withPipelineVariables(
  variables: readonly Variable[],
  known: Readonly<Record<string, string>>,
): readonly Variable[] {
  return variables.map((variable) => ({
    ...variable,
    value: variable.value.replace(/#\{([^}]+)\}/g, (whole, name: string) => known[name] ?? whole),
  }));
}
