// SPDX-License-Identifier: Apache-2.0
import type { LayerwiseError, SourceRange } from "../error.ts";

/** How an image comes to be: its layers exist, or are assembled here, or an engine executes what is left. */
export type Route = "reuse" | "assemble" | "engine";

/** The name of a reason. */
export type RouteReasonName =
  | "run-executes"
  | "front-end-unknown"
  | "flag-unknown"
  | "instruction-form"
  | "onbuild-reads-stage"
  | "base-unreadable"
  | "base-platform"
  | "base-layers"
  | "named-context"
  | "remote-context"
  | "add-remote"
  | "add-archive"
  | "copy-from"
  | "copy-heredoc"
  | "copy-link"
  | "copy-parents"
  | "copy-exclude"
  | "copy-chmod"
  | "owner-unknown"
  | "destination-conflict"
  | "destination-unknown"
  | "name-unsupported"
  | "file-capability"
  | "ignore-exception"
  | "files-unknown";

/** Why a step, or a whole build, is the engine's: a sentence each; `docs/routes.md` lists them. */
export const routeReasons: Readonly<Record<RouteReasonName, string>> = {
  "run-executes": "RUN executes a command",
  "front-end-unknown": "a front end other than docker/dockerfile reads this Dockerfile",
  "flag-unknown": "the instruction has a flag that layerwise does not know",
  "instruction-form": "the instruction has a form whose result differs between front ends",
  "onbuild-reads-stage": "an ONBUILD instruction of the base reads from a stage or mounts something",
  "base-unreadable": "the base image could not be read from a registry",
  "base-platform": "the base image does not have exactly one manifest for the platform",
  "base-layers": "the base image has layers of a kind that layerwise does not read",
  "named-context": "--build-context names something that only the engine reads in this place",
  "remote-context": "the build context is a URL or a git repository",
  "add-remote": "ADD fetches a URL or a git repository",
  "add-archive": "ADD unpacks an archive",
  "copy-from": "COPY --from reads files that only the engine has",
  "copy-heredoc": "the name of a here-document is no name of a file",
  "copy-link": "--link gives another result with some image stores",
  "copy-parents": "--parents is the engine's",
  "copy-exclude": "--exclude has a pattern that is more than a plain one",
  "copy-chmod": "--chmod differs between engines in this case",
  "owner-unknown": "the owner's name cannot be looked up in the image",
  "destination-conflict": "the destination is not what the instruction needs; the engine says how that ends",
  "destination-unknown": "the layers below do not say what the destination is",
  "name-unsupported": "a file's name cannot be kept safely in a layer",
  "file-capability": "a file has a capability, which only the engine reads",
  "ignore-exception": "the ignore file has a line that engines read differently",
  "files-unknown": "the files of the layers below are not known",
};

/** A reason that applied, and where. */
export interface RouteReason {
  readonly name: RouteReasonName;
  /** What exactly, for example the flag or the path. */
  readonly detail?: string | undefined;
  readonly at?: SourceRange | undefined;
  /** The error behind it: what to repair if there is no engine either. */
  readonly cause?: LayerwiseError | undefined;
}

/** The reason as a sentence for people. */
export function describeReason({ name, detail }: RouteReason): string {
  return detail === undefined ? routeReasons[name] : `${routeReasons[name]}: ${detail}`;
}
