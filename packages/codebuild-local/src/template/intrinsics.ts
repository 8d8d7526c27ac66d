// SPDX-License-Identifier: Apache-2.0
import { CodeBuildLocalError } from "../error.ts";

/** A synthesized CloudFormation template. */
export interface Template {
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown; readonly Type?: string }>>;
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources?: Readonly<Record<string, Resource>>;
}

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** What intrinsic functions are resolved from. */
export interface TemplateValues {
  readonly account: string;
  readonly region: string;
  /** Values by parameter, by logical ID, by `LOGICAL_ID.ATTRIBUTE`, and by the name of an export. */
  readonly given: Readonly<Record<string, string>>;
}

interface Scope {
  readonly template: Template;
  readonly values: TemplateValues;
}

type Arguments = readonly unknown[];

/** Functions by name. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html */
const functions: Readonly<Record<string, (argument: unknown, scope: Scope) => unknown>> = {
  Ref: (argument, scope) => referenceOf(String(argument), scope),
  "Fn::GetAtt": (argument, scope) =>
    attributeOf(Array.isArray(argument) ? argument.join(".") : String(argument), scope),
  "Fn::Join": (argument, scope) => {
    const [separator, parts] = listOf(argument) as [string, unknown];
    return listOf(resolveValue(parts, scope)).map(String).join(separator);
  },
  "Fn::Sub": substitute,
  "Fn::Select": (argument, scope) => {
    const [index, list] = listOf(resolveValue(argument, scope));
    return listOf(list)[Number(index)];
  },
  "Fn::Split": (argument, scope) => {
    const [separator, text] = listOf(resolveValue(argument, scope));
    return String(text).split(String(separator));
  },
  "Fn::Base64": (argument, scope) => Buffer.from(String(resolveValue(argument, scope))).toString("base64"),
  "Fn::ImportValue": (argument, scope) =>
    givenValue(String(resolveValue(argument, scope)), { scope, what: "the export" }),
  "Fn::FindInMap": (argument, scope) => {
    const [map, first, second] = listOf(resolveValue(argument, scope)).map(String);
    const found = scope.template.Mappings?.[map ?? ""]?.[first ?? ""]?.[second ?? ""];
    if (found === undefined) throw refused(`there is no ${first}, ${second} in the mapping ${map}`);
    return found;
  },
  "Fn::If": (argument, scope) => {
    const [condition, yes, no] = listOf(argument);
    return resolveValue(holds({ Condition: condition }, scope) ? yes : no, scope);
  },
};

/** Conditions by name. */
const conditions: Readonly<Record<string, (argument: unknown, scope: Scope) => boolean>> = {
  Condition: (argument, scope) => {
    const condition = scope.template.Conditions?.[String(argument)];
    if (condition === undefined) throw refused(`there is no condition ${String(argument)}`);
    return holds(condition, scope);
  },
  "Fn::Equals": (argument, scope) => {
    const [one, other] = listOf(resolveValue(argument, scope));
    return String(one) === String(other);
  },
  "Fn::And": (argument, scope) => listOf(argument).every((one) => holds(one, scope)),
  "Fn::Or": (argument, scope) => listOf(argument).some((one) => holds(one, scope)),
  "Fn::Not": (argument, scope) => !holds(listOf(argument)[0], scope),
};

/** A value of AWS::NoValue; the property that has it is left out. */
const noValue = Symbol("AWS::NoValue");

/**
 * Resolves all intrinsic functions in a value.
 *
 * @throws {CodeBuildLocalError} TEMPLATE if a value is not known
 */
export function resolveIntrinsics(value: unknown, scope: Scope): unknown {
  const resolved = resolveValue(value, scope);
  return resolved === noValue ? undefined : resolved;
}

function resolveValue(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) return value.map((one) => resolveValue(one, scope)).filter((one) => one !== noValue);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) {
    const [name, argument] = only;
    const resolve = functions[name];
    if (resolve !== undefined) return resolve(argument, scope);
    if (name.startsWith("Fn::")) throw refused(`the function ${name} is not known here`);
  }
  const resolved = entries.map(([key, one]) => [key, resolveValue(one, scope)] as const);
  return Object.fromEntries(resolved.filter(([, one]) => one !== noValue));
}

function holds(condition: unknown, scope: Scope): boolean {
  const [name = "", argument] = Object.entries(condition ?? {})[0] ?? [];
  const evaluate = conditions[name];
  if (evaluate === undefined) throw refused(`the condition ${name} is not known here`);
  return evaluate(argument, scope);
}

/** `${Name}`, `${Name.Attribute}`, `${!Literal}`. */
function substitute(argument: unknown, scope: Scope): string {
  const [text, variables = {}] = Array.isArray(argument) ? (argument as [string, object?]) : [String(argument)];
  const own = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, resolveValue(value, scope)]));
  return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal !== "") return `\${${name}}`;
    const known = own[name.trim()];
    if (known !== undefined) return String(known);
    return String(name.includes(".") ? attributeOf(name.trim(), scope) : referenceOf(name.trim(), scope));
  });
}

function referenceOf(name: string, scope: Scope): unknown {
  const { account, region, given } = scope.values;
  const pseudo: Readonly<Record<string, unknown>> = {
    "AWS::AccountId": account,
    "AWS::Region": region,
    "AWS::Partition": region.startsWith("cn-") ? "aws-cn" : "aws",
    "AWS::URLSuffix": region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com",
    "AWS::StackName": given["AWS::StackName"] ?? "stack",
    "AWS::NoValue": noValue,
  };
  if (name in pseudo) return given[name] ?? pseudo[name];
  const parameter = scope.template.Parameters?.[name];
  if (parameter !== undefined) {
    const value = given[name] ?? parameter.Default;
    if (value !== undefined) return value;
  }
  return (
    given[name] ??
    nameOf(name, scope) ??
    givenValue(name, { scope, what: parameter === undefined ? "the resource" : "the parameter" })
  );
}

/** The properties in which resources have the name that a reference to them gives. */
const nameProperties: Readonly<Record<string, string>> = {
  "AWS::CodeBuild::Project": "Name",
  "AWS::ECR::Repository": "RepositoryName",
  "AWS::S3::Bucket": "BucketName",
  "AWS::IAM::Role": "RoleName",
  "AWS::SSM::Parameter": "Name",
};

/** The name that a template itself gives a resource; a project without one has its logical ID. */
function nameOf(id: string, scope: Scope): unknown {
  const resource = scope.template.Resources?.[id];
  const property = nameProperties[resource?.Type ?? ""];
  const name = property === undefined ? undefined : resource?.Properties?.[property];
  if (name !== undefined) return resolveValue(name, scope);
  return resource?.Type === "AWS::CodeBuild::Project" ? id : undefined;
}

/** What the ARN of a named resource is made of. */
const arns: Readonly<Record<string, (name: string, values: TemplateValues) => string>> = {
  "AWS::CodeBuild::Project": (name, { region, account }) => `arn:aws:codebuild:${region}:${account}:project/${name}`,
  "AWS::ECR::Repository": (name, { region, account }) => `arn:aws:ecr:${region}:${account}:repository/${name}`,
  "AWS::S3::Bucket": (name) => `arn:aws:s3:::${name}`,
  "AWS::IAM::Role": (name, { account }) => `arn:aws:iam::${account}:role/${name}`,
};

function attributeOf(path: string, scope: Scope): unknown {
  const given = scope.values.given[path];
  if (given !== undefined) return given;
  const [id = "", attribute] = path.split(/\.(.*)/s);
  const name = scope.values.given[id] ?? nameOf(id, scope);
  const arn = arns[scope.template.Resources?.[id]?.Type ?? ""];
  if (attribute === "Arn" && arn !== undefined && name !== undefined) return arn(String(name), scope.values);
  return givenValue(path, { scope, what: "the attribute" });
}

function givenValue(name: string, { scope, what }: { readonly scope: Scope; readonly what: string }): string {
  const value = scope.values.given[name];
  if (value !== undefined) return value;
  throw refused(`${what} ${name} has no value`, `give it with --value ${name}=VALUE`);
}

function listOf(value: unknown): Arguments {
  if (Array.isArray(value)) return value;
  throw refused(`a function has ${JSON.stringify(value)} where a list must stand`);
}

function refused(why: string, hint?: string): CodeBuildLocalError {
  return new CodeBuildLocalError("TEMPLATE", `could not resolve the template: ${why}`, { hint });
}
