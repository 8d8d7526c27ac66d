// SPDX-License-Identifier: Apache-2.0
import { AwsError } from "../error.ts";
import type { Principal } from "../principal.ts";
import type { Backing } from "./backing.ts";
import { type RegistryState, repositoryIn, type StoredRepository } from "./registry-state.ts";
import type { RegistryTokens } from "./tokens.ts";

/** What ECR's API works on. */
export interface EcrParts {
  readonly backing: Backing;
  readonly stateOf: (account: string, region: string) => RegistryState;
  readonly tokens: RegistryTokens;
  /** What clients call the registry of an account in a Region, `host[:port]`. */
  readonly hostOf: (account: string, region: string) => string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** The JSON of a request. */
export type Input = Readonly<Record<string, unknown>>;

/** A call of the API to one registry. */
export interface EcrCall extends EcrParts {
  readonly input: Input;
  readonly principal: Principal;
  readonly state: RegistryState;
}

/**
 * The repository that a request names.
 *
 * @throws {AwsError} RepositoryNotFoundException
 */
export function repositoryOf({ state, input }: EcrCall): StoredRepository {
  return repositoryIn(state, textOf(input, "repositoryName"));
}

/** @throws {AwsError} InvalidParameterException if it is missing */
export function textOf(input: Input, name: string): string {
  const value = input[name];
  if (typeof value === "string" && value !== "") return value;
  throw new AwsError(
    "InvalidParameterException",
    `Invalid parameter at '${name}' failed to satisfy constraint: it is missing`,
  );
}
