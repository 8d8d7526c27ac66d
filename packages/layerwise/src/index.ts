// SPDX-License-Identifier: Apache-2.0
// The public API. What is not named here may change in any release.

export type { Advice, AdviceRule } from "./advise/advice.ts";
export type { Edit, EditedFile } from "./advise/edit.ts";
export { type BuildOptions, type BuildResult, type BuildSurroundings, build, planOnly, verifyBuild } from "./build.ts";
export { buildDefaults } from "./build-defaults.ts";
export {
  type ErrorCode,
  type ErrorDetails,
  type ErrorOwner,
  errorTable,
  hasCode,
  isLayerwiseError,
  LayerwiseError,
  type SourceRange,
} from "./error.ts";
export type { Emit, Event } from "./event.ts";
export type { Before, Cause, ExplainedStep, Explanation, FileChange, Origin, WordChange } from "./explain/cause.ts";
export type { BuildPlace } from "./explain/recall-build.ts";
export {
  type Advised,
  buildHistory,
  type Explained,
  explainContext,
  explainRecords,
  explainReferences,
  type Named,
  readSavedBuild,
  recordOfPlan,
} from "./explain-build.ts";
export { type ExplainedRevisions, explainRevisions, type RevisionPair } from "./explain-revisions.ts";
export type { CacheKey, KeyInput } from "./plan/cache-key.ts";
export type { Plan, Work } from "./plan/plan.ts";
export { describeReason, type Route, type RouteReason, type RouteReasonName } from "./plan/route.ts";
export type {
  Blob,
  BuildContext,
  CallOptions,
  Clock,
  CommitHistory,
  ContextEntry,
  ContextLocation,
  ContextTree,
  Engine,
  EngineDelivery,
  EngineFacts,
  EngineRequest,
  EngineResult,
  Ports,
  Repositories,
  Repository,
  RevisionContext,
  RevisionContextOptions,
  RevisionNote,
  Revisions,
  Spool,
  SpoolFile,
  StoredManifest,
} from "./ports.ts";
export type { Delivered, Output } from "./publish/deliver.ts";
export type { Report, ReportedImage, ReportedReason, ReportedStep } from "./report/report.ts";
export type { BaseRecord, BuildRecord, FileInput, StageRecord, StepRecord } from "./spec/build-record.ts";
export { cacheTagPrefix } from "./spec/checkpoint.ts";
export type { Descriptor } from "./spec/descriptor.ts";
export type { Digest } from "./spec/digest.ts";
export type { GitCommit } from "./spec/git-object.ts";
export { formatPlatform, type Platform, parsePlatform } from "./spec/platform.ts";
export { parseReference, parseRepositoryName, type Reference, type RepositoryName } from "./spec/reference.ts";
export type { Difference } from "./verify/compare-images.ts";
export { type Verification, verifyReferences } from "./verify/verify.ts";
export {
  type BuildFiles,
  type BuildPaths,
  machinePlatform,
  openBuildFiles,
  openGitRepository,
  openWorld,
  type Wired,
  type WireOptions,
} from "./wire.ts";
