// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { AwsError } from "./error.ts";

/** What Secrets Manager and Parameter Store hold; both keep values by name. */
export interface SecretStore {
  /** Secrets by name. */
  readonly secrets: Map<string, string>;
  /** Parameters by name. */
  readonly parameters: Map<string, string>;
}

interface Call {
  readonly store: SecretStore;
  readonly input: Readonly<Record<string, unknown>>;
  readonly account: string;
  readonly region: string;
}

/** Answers a call of Secrets Manager. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html */
export function callSecretsManager(name: string, { store, input, account, region }: Call): object {
  if (name !== "GetSecretValue")
    throw new AwsError("UnknownOperationException", `${name} is not there in this stand-in`);
  const id = String(input["SecretId"]);
  const stage = input["VersionStage"] ?? "AWSCURRENT";
  // An ARN ends with six random characters behind the name.
  const wanted = /^arn:[^:]+:secretsmanager:[^:]+:\d+:secret:(.+)$/.exec(id)?.[1] ?? id;
  const found = [wanted, wanted.replace(/-[A-Za-z0-9]{6}$/, "")].find((one) => store.secrets.has(one));
  if (found === undefined || stage !== "AWSCURRENT") {
    throw new AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
  }
  return {
    ARN: secretArn(found, { account, region }),
    Name: found,
    SecretString: store.secrets.get(found),
    VersionId: `${createHash("sha256")
      .update(store.secrets.get(found) ?? "")
      .digest("hex")
      .slice(0, 32)}`,
    VersionStages: ["AWSCURRENT"],
  };
}

/** The ARN of a secret: its name, and six characters that Secrets Manager adds. */
export function secretArn(name: string, { account, region }: Pick<Call, "account" | "region">): string {
  const suffix = createHash("sha256").update(name).digest("hex").slice(0, 6);
  return `arn:aws:secretsmanager:${region}:${account}:secret:${name}-${suffix}`;
}

/** Answers a call of Parameter Store. https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html */
export function callSsm(name: string, call: Call): object {
  const { input } = call;
  if (name === "GetParameter") {
    const parameter = parameterNamed(String(input["Name"]), call);
    if (parameter === undefined) throw new AwsError("ParameterNotFound", `${String(input["Name"])} was not found`);
    return { Parameter: parameter };
  }
  if (name === "GetParameters") {
    const names = (input["Names"] as readonly string[] | undefined) ?? [];
    const found = names.flatMap((one) => parameterNamed(one, call) ?? []);
    return { Parameters: found, InvalidParameters: names.filter((one) => parameterNamed(one, call) === undefined) };
  }
  if (name === "PutParameter") {
    const parameter = String(input["Name"]);
    if (call.store.parameters.has(parameter) && input["Overwrite"] !== true) {
      throw new AwsError("ParameterAlreadyExists", "The parameter already exists.");
    }
    call.store.parameters.set(parameter, String(input["Value"]));
    return { Version: 1, Tier: "Standard" };
  }
  throw new AwsError("UnknownOperationException", `${name} is not there in this stand-in`);
}

function parameterNamed(given: string, { store, account, region }: Call): object | undefined {
  const name = /^arn:[^:]+:ssm:[^:]+:\d+:parameter(\/.+)$/.exec(given)?.[1] ?? given;
  const value = store.parameters.get(name);
  if (value === undefined) return undefined;
  const slash = name.startsWith("/") ? "" : "/";
  return {
    Name: name,
    Type: "String",
    Value: value,
    Version: 1,
    ARN: `arn:aws:ssm:${region}:${account}:parameter${slash}${name}`,
  };
}
