// SPDX-License-Identifier: Apache-2.0
import type { BuildOptions } from "./build.ts";

/** What only the caller knows of a build. */
type OwnOptions = "dockerfile" | "ignoreFile" | "context" | "buildPlatform" | "outputs" | "version";

/** The options of a build that asks for nothing special: no arguments, no checkpoints, the last stage. */
export const buildDefaults: Omit<BuildOptions, OwnOptions> = {
  target: undefined,
  buildArgs: new Map(),
  platform: undefined,
  labels: new Map(),
  annotations: new Map(),
  named: new Map(),
  wholeReason: undefined,
  passThrough: [],
  runOptions: [],
  noCache: false,
  notBefore: undefined,
  tagByContent: false,
  cache: undefined,
  readOnlyCache: false,
  checkpoints: "all",
  engine: "auto",
  verifyOneIn: undefined,
};
