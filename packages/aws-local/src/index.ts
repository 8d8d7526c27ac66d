// SPDX-License-Identifier: Apache-2.0
export type { ApiCall } from "./api-server.ts";
export {
  type AwsLocal,
  type AwsLocalOptions,
  type RegistryCall,
  type RoleOptions,
  startAwsLocal,
} from "./aws-local.ts";
export type {
  BuildOutcome,
  BuildPhase,
  BuildProgress,
  BuildProject,
  BuildRequest,
  BuildVariable,
} from "./code-build.ts";
export type { Backing } from "./ecr/backing.ts";
export { AwsLocalError } from "./error.ts";
export { type LocalProjectOptions, localProject } from "./local-project.ts";
export type { AccessKey } from "./principal.ts";
export type { PolicyDocument } from "./rights/policy.ts";
export type { Bucket, Buckets, StoredObject } from "./s3/object-store.ts";
