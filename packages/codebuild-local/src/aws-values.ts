// SPDX-License-Identifier: Apache-2.0
import type { SecretPlace, ValueSource } from "./environment.ts";
import { CodeBuildLocalError } from "./error.ts";

/** Asks Parameter Store and Secrets Manager with the AWS credentials and endpoints of this process. */
export function awsValues(region: string): ValueSource {
  return {
    async parameter(name) {
      const { GetParametersCommand, SSMClient } = await import("@aws-sdk/client-ssm");
      const client = new SSMClient({ region });
      const answer = await asked(`parameter ${name}`, () =>
        client.send(new GetParametersCommand({ Names: [name], WithDecryption: true })),
      );
      const value = answer.Parameters?.[0]?.Value;
      if (value === undefined) throw missing(`parameter ${name}`, "it is not there");
      return value;
    },
    async secret(place) {
      const { GetSecretValueCommand, SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
      const client = new SecretsManagerClient({ region });
      const { id, versionStage, versionId } = place;
      const input = { SecretId: id, VersionStage: versionStage, VersionId: versionId };
      const { SecretString } = await asked(`secret ${id}`, () => client.send(new GetSecretValueCommand(input)));
      return partOf(SecretString ?? "", place);
    },
  };
}

/** One key of a secret's JSON, or all of it. */
export function partOf(text: string, { id, jsonKey }: SecretPlace): string {
  if (jsonKey === undefined) return text;
  let value: unknown;
  try {
    value = (JSON.parse(text) as Record<string, unknown>)[jsonKey];
  } catch {
    throw missing(`secret ${id}`, "it is no JSON object");
  }
  if (value === undefined) throw missing(`secret ${id}`, `it has no key ${jsonKey}`);
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function asked<Answer>(what: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (cause) {
    throw missing(what, (cause as Error).message, cause);
  }
}

function missing(what: string, why: string, cause?: unknown): CodeBuildLocalError {
  const hint = "check the name, the Region and the AWS credentials of this shell, or set the variable with --env";
  return new CodeBuildLocalError("VALUE", `could not read ${what}: ${why}`, { hint, cause });
}
