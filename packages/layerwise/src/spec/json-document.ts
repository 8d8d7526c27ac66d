// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { LayerwiseError } from "../error.ts";
import { firstIssue } from "./first-issue.ts";

/**
 * Reads a JSON document from a registry by its schema.
 *
 * @param what how errors name it, for example `the manifest of registry.example/app:latest`
 * @throws REGISTRY_PROTOCOL if it is anything else
 */
export function readDocument<T>(bytes: Uint8Array, schema: v.GenericSchema<unknown, T>, what: string): T {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new LayerwiseError("REGISTRY_PROTOCOL", `could not read ${what}: it is no JSON`, { cause });
  }
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  throw new LayerwiseError("REGISTRY_PROTOCOL", `could not read ${what}: ${firstIssue(parsed.issues)}`);
}
