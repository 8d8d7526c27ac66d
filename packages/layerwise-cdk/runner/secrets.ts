// SPDX-License-Identifier: Apache-2.0
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { PlannedSecret } from "../src/private/plan-file.ts";
import { awsText, RunnerError } from "./runner-error.ts";
import type { Settings } from "./settings.ts";

/** Secrets for one run of the command line: flags that name variables, and the variables. */
export interface OpenedSecrets {
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Reads secrets. Values go into variables of the one process that needs them; never onto disk or a command line. */
export async function openSecrets(secrets: readonly PlannedSecret[], { region }: Settings): Promise<OpenedSecrets> {
  const flags: string[] = [];
  const env: Record<string, string> = {};
  for (const [index, secret] of secrets.entries()) {
    const variable = `LAYERWISE_SECRET_${index}`;
    env[variable] = await readSecret(secret, region);
    flags.push("--secret", `id=${secret.id},env=${variable}`);
  }
  return { flags, env };
}

async function readSecret(secret: PlannedSecret, region: string): Promise<string> {
  let value: string | undefined;
  try {
    value = secret.service === "ssm" ? await readParameter(secret, region) : await readSecretValue(secret, region);
  } catch (cause) {
    throw new RunnerError(`could not read the build secret ${secret.id} from ${secret.name}: ${awsText(cause)}`, {
      cause,
      exitCode: 3,
      hint: "check that it is in this account and Region, and that the project's role may read it",
    });
  }
  if (value === undefined) throw new RunnerError(`could not use the build secret ${secret.id}: it has no text`);
  return secret.field === undefined ? value : fieldOf(value, secret, secret.field);
}

async function readParameter({ name }: PlannedSecret, region: string): Promise<string | undefined> {
  const ssm = new SSMClient({ region });
  return (await ssm.send(new GetParameterCommand({ Name: name, WithDecryption: true }))).Parameter?.Value;
}

async function readSecretValue({ name }: PlannedSecret, region: string): Promise<string | undefined> {
  const manager = new SecretsManagerClient({ region });
  return (await manager.send(new GetSecretValueCommand({ SecretId: name }))).SecretString;
}

/** Errors do not quote the value. */
function fieldOf(value: string, { id }: PlannedSecret, field: string): string {
  let fields: unknown;
  try {
    fields = JSON.parse(value);
  } catch {
    throw new RunnerError(`could not use the build secret ${id}: it is no JSON, so it has no field ${field}`);
  }
  const found = (fields as Record<string, unknown> | null)?.[field];
  if (typeof found === "string") return found;
  throw new RunnerError(`could not use the build secret ${id}: it has no text in the field ${field}`);
}
