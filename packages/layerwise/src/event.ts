// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "./spec/digest.ts";

/** How far a step of an engine is. */
export type StepState = "started" | "cached" | "done" | "failed";

/** Something that happened during a build, for whoever watches. Stages emit events and print nothing. */
export type Event =
  | { readonly kind: "base-resolved"; readonly reference: string; readonly digest: Digest }
  | { readonly kind: "context-listed"; readonly files: number }
  | { readonly kind: "context-hashed"; readonly files: number; readonly bytes: number }
  | { readonly kind: "checkpoint-found"; readonly stage: string; readonly instruction: string; readonly tag: string }
  | { readonly kind: "checkpoint-refused"; readonly tag: string; readonly why: string }
  | { readonly kind: "planned"; readonly route: "reuse" | "assemble" | "engine"; readonly why: readonly string[] }
  | { readonly kind: "engine-started"; readonly engine: string; readonly target: string }
  | { readonly kind: "engine-output"; readonly line: string }
  /** A step of the engine's own progress, by the name it prints. */
  | {
      readonly kind: "engine-step";
      readonly name: string;
      readonly state: StepState;
      readonly duration?: number | undefined;
    }
  /** The same for an instruction of the Dockerfile; `step` is its position in its stage. */
  | {
      readonly kind: "step";
      readonly stage: number;
      readonly step: number;
      readonly text: string;
      readonly state: StepState;
      /** Milliseconds; known when done. */
      readonly duration?: number | undefined;
    }
  | {
      readonly kind: "layer-assembled";
      readonly stage: number;
      readonly step: number;
      readonly text: string;
      readonly files: number;
      readonly bytes: number;
      /** Milliseconds. */
      readonly duration: number;
    }
  | { readonly kind: "blob-present"; readonly digest: Digest; readonly bytes: number; readonly repository: string }
  | { readonly kind: "blob-mounted"; readonly digest: Digest; readonly bytes: number; readonly repository: string }
  | { readonly kind: "blob-uploaded"; readonly digest: Digest; readonly bytes: number; readonly repository: string }
  | { readonly kind: "tag-moved"; readonly reference: string; readonly digest: Digest }
  | { readonly kind: "checkpoint-saved"; readonly tag: string; readonly instruction: string }
  | { readonly kind: "warning"; readonly message: string }
  | {
      readonly kind: "request";
      readonly method: string;
      readonly url: string;
      readonly status: number;
      /** Bytes of bodies. */
      readonly sent: number;
      readonly received: number;
    };

/** Receives events. */
export type Emit = (event: Event) => void;
