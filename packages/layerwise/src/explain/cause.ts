// SPDX-License-Identifier: Apache-2.0

/** One file that is not as it was in the build before. */
export interface FileChange {
  /** In the build context; a directory whose content is not known in detail ends with a slash. */
  readonly path: string;
  readonly how: "changed" | "added" | "removed" | "mode" | "other";
  /** Bytes, as it is now, or as it was if it is gone. */
  readonly size: number;
  /** What is different if not the content: `mode 644, was 755`. */
  readonly detail?: string | undefined;
}

/** A part of an instruction's text, and whether both builds have it. */
export interface WordChange {
  readonly how: "same" | "removed" | "added";
  readonly text: string;
}

/** A place in the Dockerfile that something goes back to. */
export interface Origin {
  /** Name or number of the stage. */
  readonly stage: string;
  readonly line: number;
  readonly instruction: string;
}

/** Why a step was made again. */
export type Cause =
  /** There is nothing to compare with. */
  | { readonly kind: "no-build-before"; readonly looked: readonly string[] }
  /** The build before left no record. */
  | { readonly kind: "no-record"; readonly reference: string; readonly why: string }
  | { readonly kind: "platform"; readonly before: string; readonly after: string }
  | BaseCause
  | { readonly kind: "instruction"; readonly words: readonly WordChange[] }
  | { readonly kind: "here-document" }
  | { readonly kind: "instruction-added" }
  /** An instruction before it is gone. */
  | { readonly kind: "instruction-removed"; readonly instruction: string }
  /** An instruction stands in another place: it, or the one that stood before it. */
  | { readonly kind: "instruction-moved"; readonly instruction: string }
  | VariableCause
  | FilesCause
  /** An ignore rule that is new lets files out, or one that is gone lets them in. */
  | (Omit<FilesCause, "kind"> & {
      readonly kind: "ignore";
      readonly added: readonly string[];
      readonly removed: readonly string[];
    })
  /** Another input of the key, by its name in docs/cache-key.md. */
  | { readonly kind: "input"; readonly name: string }
  /** It takes files from a stage in which something was made. */
  | { readonly kind: "source"; readonly from: string; readonly origin: Origin | undefined }
  /** It takes files from an image whose layers are other ones. */
  | { readonly kind: "image"; readonly reference: string }
  /** Only because a step before it was made, or the base is another one. */
  | { readonly kind: "parent"; readonly origin: Origin }
  /** Its inputs are the same; the next checkpoint holds a step behind it that changed. */
  | { readonly kind: "between"; readonly origin: Origin }
  | { readonly kind: "expired" }
  | { readonly kind: "refused"; readonly tag: string; readonly why: string }
  | { readonly kind: "no-cache" }
  /** The inputs are the same and no checkpoint is there. */
  | { readonly kind: "absent" }
  /** Nothing can stand for its result beforehand. */
  | { readonly kind: "unknown-inputs" };

/** The name of a cause: the same word wherever steps are explained. */
export type CauseKind = Cause["kind"];

/** The base image is another one, or its tag has moved. */
export interface BaseCause {
  readonly kind: "base";
  /** The FROM line. */
  readonly origin: Origin;
  /** Undefined: scratch or another stage. */
  readonly before: { readonly reference: string; readonly digest: string } | undefined;
  readonly after: { readonly reference: string; readonly digest: string } | undefined;
  /** How many of the lowest layers are the same ones, and how many above them are gone or new. */
  readonly layers: { readonly same: number; readonly gone: number; readonly added: number };
}

/** A variable has another value. */
export interface VariableCause {
  readonly kind: "argument" | "environment";
  readonly name: string;
  readonly how: "changed" | "added" | "removed";
  /** Whether the value comes from the base image. */
  readonly isFromBase: boolean;
}

/** Files of the build context are other ones. */
export interface FilesCause {
  readonly kind: "files";
  /** The most telling first: changed, added, removed, modes; the largest first within each. */
  readonly changes: readonly FileChange[];
  /** How many there are in all. */
  readonly count: number;
}

/** A step that was made or would be, and why. */
export interface ExplainedStep extends Origin {
  /** The first one is the reason by itself, or the first one of several. */
  readonly causes: readonly [Cause, ...Cause[]];
  /** Where it begins: the step itself, or the first place before it that is not as it was. */
  readonly origin: Origin;
  /** Seconds that it took; 0 if it was not made yet. */
  readonly seconds: number;
}

/** What builds are compared with. */
export type Before =
  | {
      readonly kind: "build";
      readonly name: string;
      readonly digest: string | undefined;
      readonly time: string;
      readonly revision: string | undefined;
    }
  | { readonly kind: "no-build"; readonly looked: readonly string[] }
  | { readonly kind: "no-record"; readonly reference: string; readonly digest: string; readonly why: string };

/** Why each step was made. */
export interface Explanation {
  readonly before: Before;
  /** In the order of the Dockerfile; nothing for what was reused. */
  readonly steps: readonly ExplainedStep[];
}
