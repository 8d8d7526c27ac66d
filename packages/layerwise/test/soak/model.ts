// SPDX-License-Identifier: Apache-2.0
import type { BaseSpec, Entry } from "../e2e/corpus-case.ts";

/** Random inputs of a build, from which a valid build context, base and Dockerfile follow: {@link renderBuild}. */
export interface BuildModel {
  readonly base: BaseModel;
  /** What lies in the build context; of two entries with the same path the later counts. */
  readonly entries: readonly Entry[];
  readonly ignore: IgnoreModel | undefined;
  readonly stages: readonly StageModel[];
  /** Build arguments by name. */
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Counts back from the last stage; 0 is no --target. */
  readonly target: number;
  /** Other numbers write the same instructions in other ways. */
  readonly style: number;
}

/** A base image: that of the corpus, and more on top. */
export interface BaseModel {
  readonly family: BaseSpec["family"];
  /** Whether it has a shell; without one, RUN instructions are left out. */
  readonly hasShell: boolean;
  /** Entries of further layers, lowest first, not yet in order and perhaps in conflict. */
  readonly layers: readonly (readonly Entry[])[];
  readonly config: Readonly<Record<string, unknown>>;
}

/** An ignore file. */
export interface IgnoreModel {
  readonly file: ".dockerignore" | "Dockerfile.dockerignore";
  readonly lines: readonly string[];
}

/** A stage. */
export interface StageModel {
  /** A number counts back to an earlier stage, modulo how many there are. */
  readonly from: "base" | "tree" | "scratch" | number;
  /** `@` stands for an earlier stage or an image, `#` for a number that no other instruction has. */
  readonly instructions: readonly string[];
}

/** Builds that follow from one another. */
export interface SeriesModel {
  readonly build: BuildModel;
  /** What changes before each further build. */
  readonly edits: readonly (readonly EditModel[])[];
}

/** One change; `which` chooses, modulo how many there are to choose from. */
export interface EditModel {
  readonly kind: EditKind;
  readonly which: number;
  readonly text: string;
  readonly entry: Entry;
  readonly instruction: string;
  readonly layer: readonly Entry[];
  readonly lines: readonly string[];
}

/** What an edit does. */
export type EditKind =
  | "nothing"
  | "touch"
  | "write"
  | "chmod"
  | "rename"
  | "delete"
  | "add"
  | "retype"
  | "ignore"
  | "write the ignore file"
  | "pass an argument"
  | "label"
  | "insert an instruction"
  | "replace an instruction"
  | "drop an instruction"
  | "swap instructions"
  | "write it otherwise"
  | "choose a target"
  | "add to the base"
  | "configure the base";
