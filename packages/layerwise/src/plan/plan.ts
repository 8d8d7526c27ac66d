// SPDX-License-Identifier: Apache-2.0
import type { Dockerfile } from "../dockerfile/instruction.ts";
import type { LayerFiles } from "../spec/layer-files.ts";
import type { Platform } from "../spec/platform.ts";
import type { Chain, ChainStep } from "./chain.ts";
import type { EvaluatedStage } from "./evaluate-stages.ts";
import type { BaseImage } from "./facts.ts";
import type { LayerFile } from "./file-tree.ts";
import type { ContentOf } from "./gather-content.ts";
import type { Recalled } from "./recall.ts";
import type { Route, RouteReason } from "./route.ts";
import type { Transplant } from "./transplant.ts";

/** What will happen, decided before anything is written. */
export interface Plan {
  readonly dockerfile: Dockerfile;
  readonly platform: Platform;
  readonly route: Route;
  /** Why an engine is needed; empty for the other routes. */
  readonly reasons: readonly RouteReason[];
  readonly work: Work;
  /** What it was made from; undefined if nothing of the Dockerfile could be evaluated. */
  readonly evaluated: PlannedStages | undefined;
}

/** Everything that the target needs, whatever becomes of it. */
export interface PlannedStages {
  readonly stages: ReadonlyMap<number, EvaluatedStage>;
  readonly chains: ReadonlyMap<number, Chain>;
  /** What the steps read from the build context. */
  readonly content: ContentOf;
  /** What stands for the layers of an image that a step takes files from. */
  readonly imageKey: (reference: string) => string | undefined;
}

/** What there is to do. */
export type Work =
  | { readonly kind: "reuse"; readonly chain: Chain; readonly start: Recalled | undefined }
  | AssembleWork
  | EngineWork
  /** Nothing of the Dockerfile could be evaluated: the engine gets it as it is. */
  | { readonly kind: "whole"; readonly target: string | undefined };

/** Layers that are made here or taken from where they are recorded, on top of a checkpoint or the base. */
export interface AssembleWork {
  readonly kind: "assemble";
  readonly chain: Chain;
  readonly start: Recalled | undefined;
  readonly layers: readonly PlannedLayer[];
  readonly below: BelowFiles;
}

/** A layer that is not behind a checkpoint. */
export interface PlannedLayer {
  readonly step: ChainStep;
  readonly files: readonly LayerFile[];
  /** The recorded layer that has exactly these files; undefined if it is to be made. */
  readonly transplant: Transplant | undefined;
}

/** The files of the layers that something is assembled on. */
export interface BelowFiles {
  readonly layers: readonly LayerFiles[];
  /** False: they were read from the layers and are worth saving. */
  readonly isStored: boolean;
}

/** What an engine executes. */
export interface EngineWork {
  readonly kind: "engine";
  /** The chain of the target. */
  readonly chain: Chain;
  /** All stages that the target needs, and the chains of those that the engine needs. */
  readonly stages: ReadonlyMap<number, EvaluatedStage>;
  readonly chains: ReadonlyMap<number, Chain>;
  readonly starts: ReadonlyMap<number, StageStart>;
  /** Every image that the Dockerfile names and that was looked up. */
  readonly images: readonly BaseImage[];
  /** What the steps read from the build context when their keys were made. */
  readonly content: ContentOf;
  /** What an engine gives to ARGs by itself, so that a residual need not say it. */
  readonly buildArgs: ReadonlyMap<string, string>;
  /** What the engine itself may not reuse. */
  readonly noCache: boolean | readonly string[];
}

/** Where a stage begins in what is handed to the engine. */
export type StageStart<R = Recalled> =
  /** From its base, with all its instructions. */
  | { readonly kind: "begin" }
  /** From a checkpoint; `done` of the stage's own steps are behind it. */
  | { readonly kind: "checkpoint"; readonly recalled: R; readonly done: number };
