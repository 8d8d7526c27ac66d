// SPDX-License-Identifier: Apache-2.0
export { awsValues } from "./aws-values.ts";
export type { BuildEvent, BuildResult, PhaseResult } from "./build-event.ts";
export type { BuildOptions } from "./build-options.ts";
export { type Buildspec, parseBuildspec } from "./buildspec.ts";
export type { BuildIdentity, SecretPlace, ValueSource } from "./environment.ts";
export { CodeBuildLocalError, type ErrorCode } from "./error.ts";
export { type Compute, defaultTimeoutMinutes, type Project, type Variable } from "./project.ts";
export { renderEvent } from "./render-event.ts";
export { runBuild } from "./run-build.ts";
export type { Template, TemplateValues } from "./template/intrinsics.ts";
export { resolveIntrinsics } from "./template/intrinsics.ts";
export { type BuildAction, buildActionsIn, withPipelineVariables } from "./template/read-action.ts";
export { projectsIn, readProject } from "./template/read-project.ts";
