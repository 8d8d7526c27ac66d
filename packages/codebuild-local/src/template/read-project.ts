// SPDX-License-Identifier: Apache-2.0
import { CodeBuildLocalError } from "../error.ts";
import { buildspecPlace, defaultTimeoutMinutes, type Project, type Variable } from "../project.ts";
import { type Resource, resolveIntrinsics, type Template, type TemplateValues } from "./intrinsics.ts";

const type = "AWS::CodeBuild::Project";

interface ProjectProperties {
  readonly Name?: string;
  readonly Source?: { readonly BuildSpec?: string; readonly Type?: string };
  readonly Environment?: {
    readonly Type?: string;
    readonly Image?: string;
    readonly PrivilegedMode?: boolean | string;
    readonly EnvironmentVariables?: readonly {
      readonly Name: string;
      readonly Value: string;
      readonly Type?: string;
    }[];
  };
  readonly TimeoutInMinutes?: number;
  readonly SecondaryArtifacts?: readonly { readonly ArtifactIdentifier?: string }[];
}

/** The projects of a template by logical ID, and their names if they have any. */
export function projectsIn(template: Template): readonly { readonly id: string; readonly name: unknown }[] {
  return Object.entries(template.Resources ?? {})
    .filter(([, resource]) => resource.Type === type)
    .map(([id, resource]) => ({ id, name: resource.Properties?.["Name"] }));
}

/**
 * Reads a project out of a template, all values resolved.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codebuild-project.html
 *
 * @param wanted its logical ID or its name
 * @throws {CodeBuildLocalError} TEMPLATE
 */
export function readProject(
  template: Template,
  { wanted, values }: { readonly wanted: string; readonly values: TemplateValues },
): Project {
  const [id, resource] = findProject(template, wanted);
  const { Name, Source, Environment, TimeoutInMinutes, SecondaryArtifacts } = resolveIntrinsics(
    pick(resource, ["Name", "Source", "Environment", "TimeoutInMinutes", "SecondaryArtifacts"]),
    { template, values },
  ) as ProjectProperties;
  const platform = Environment?.Type ?? "LINUX_CONTAINER";
  if (platform.startsWith("WINDOWS")) throw refused(`${id} builds on ${platform}`, "only Linux projects run here");
  const variables = (Environment?.EnvironmentVariables ?? []).map(readVariable);
  return {
    name: Name ?? id,
    buildspec: buildspecOf(Source?.BuildSpec),
    variables,
    compute: {
      kind: platform.includes("LAMBDA") ? "lambda" : "ec2",
      privileged: String(Environment?.PrivilegedMode) === "true",
      image: Environment?.Image ?? "",
    },
    timeoutMinutes: TimeoutInMinutes ?? defaultTimeoutMinutes,
    secondaryArtifacts: (SecondaryArtifacts ?? []).flatMap(({ ArtifactIdentifier }) => ArtifactIdentifier ?? []),
  };
}

/** The sources of a project are not resolved as a whole: most of them name what only AWS has. */
function pick(resource: Resource, names: readonly string[]): Readonly<Record<string, unknown>> {
  const properties = resource.Properties ?? {};
  const source = properties["Source"] as Readonly<Record<string, unknown>> | undefined;
  const chosen = Object.fromEntries(
    names.flatMap((name) => (properties[name] === undefined ? [] : [[name, properties[name]]])),
  );
  return source === undefined ? chosen : { ...chosen, Source: { BuildSpec: source["BuildSpec"] } };
}

function buildspecOf(given: string | undefined): Project["buildspec"] {
  if (given === undefined || given === "") return { path: "buildspec.yml" };
  if (given.startsWith("arn:")) throw refused(`the buildspec is in S3: ${given}`, "name a local copy with --buildspec");
  return buildspecPlace(given);
}

function readVariable({ Name, Value, Type = "PLAINTEXT" }: { Name: string; Value: unknown; Type?: string }): Variable {
  if (Type !== "PLAINTEXT" && Type !== "PARAMETER_STORE" && Type !== "SECRETS_MANAGER") {
    throw refused(`the variable ${Name} is of type ${Type}`);
  }
  return { name: Name, value: String(Value), type: Type };
}

/**
 * Finds a project by its logical ID or, where none has that, by its name.
 *
 * @throws {CodeBuildLocalError} TEMPLATE
 */
export function findProject(template: Template, wanted: string): readonly [id: string, resource: Resource] {
  const all = projectsIn(template);
  const found = all.find(({ id }) => id === wanted) ?? all.find(({ name }) => name === wanted);
  const resource = template.Resources?.[found?.id ?? ""];
  if (found !== undefined && resource !== undefined) return [found.id, resource];
  const ids = all.map(({ id }) => id).join(", ");
  throw refused(
    `there is no project ${wanted}`,
    ids === "" ? "name a template that has CodeBuild projects" : `name one of ${ids}`,
  );
}

function refused(why: string, hint?: string): CodeBuildLocalError {
  return new CodeBuildLocalError("TEMPLATE", `could not read the project: ${why}`, { hint });
}
