// SPDX-License-Identifier: Apache-2.0
import type { Mount } from "../dockerfile/mount.ts";
import type { SourceRange } from "../error.ts";
import type { RouteReason } from "./route.ts";
import type { StageState } from "./stage-state.ts";

/** Where COPY --from or a mount takes files from. */
export type FileSource =
  /** The build context, or the directory that `--build-context` gives this name. */
  | { readonly kind: "context"; readonly name?: string | undefined }
  | { readonly kind: "stage"; readonly stage: number }
  | { readonly kind: "image"; readonly reference: string };

/** What every file-system instruction has after evaluation. */
export interface StepBase {
  /** Index of the stage that holds the instruction. */
  readonly stage: number;
  readonly at: SourceRange;
  /** The instruction in one line, as written. */
  readonly text: string;
  /** The lines as written, for the engine. */
  readonly source: string;
  /** Whether it comes from an ONBUILD of the base, which the engine runs by itself when it starts from that base. */
  readonly isTrigger: boolean;
  /** What holds before the instruction, and what right after it. */
  readonly before: StageState;
  readonly after: StageState;
  /** Why no key can stand for its result, so that it and all after it are the engine's; undefined as a rule. */
  readonly opaque: RouteReason | undefined;
}

/** RUN, evaluated. */
export interface RunStep extends StepBase {
  readonly kind: "run";
  /** The command as the container gets it, its shell included. */
  readonly argv: readonly string[];
  readonly heredocs: readonly { readonly name: string; readonly content: string; readonly chomp: boolean }[];
  readonly mounts: readonly (Mount & { readonly reads: FileSource })[];
  readonly network: string | undefined;
  readonly security: string | undefined;
}

/** COPY or ADD, evaluated: words are expanded, the destination is absolute. */
export interface CopyStep extends StepBase {
  readonly kind: "copy" | "add";
  readonly from: FileSource;
  readonly sources: readonly string[];
  readonly heredocs: readonly { readonly name: string; readonly content: string }[];
  /** Absolute, not cleaned of links; ends with a slash if the instruction means a directory. */
  readonly destination: string;
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  /** The front end that the Dockerfile asks for. */
  readonly frontEnd: string | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  readonly excludes: readonly string[];
  readonly checksum: string | undefined;
  readonly keepGitDir: boolean;
  readonly unpack: boolean | undefined;
}

/** WORKDIR other than the root, evaluated. */
export interface WorkdirStep extends StepBase {
  readonly kind: "workdir";
  /** Absolute. */
  readonly path: string;
  /** Who owns the directories that it makes; empty for root. */
  readonly user: string;
}

/** An instruction that makes a layer. */
export type Step = RunStep | CopyStep | WorkdirStep;

/** One line of the image's history to come. */
export interface HistoryDraft {
  readonly createdBy: string;
  /** The step whose layer it describes: position among the stage's own steps; undefined if it makes none. */
  readonly step: number | undefined;
}
