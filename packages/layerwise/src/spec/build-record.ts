// SPDX-License-Identifier: Apache-2.0
import { cacheTagPrefix } from "./checkpoint.ts";
import { type Digest, digestOf, hexOf } from "./digest.ts";

/*
 * A build is remembered by what went into it: names and digests, and no content. The record lies beside the checkpoints
 * as an annotation of a manifest whose tag is made from the image's digest. See docs/explain.md and decision 0012.
 */

/** A file of the build context as an input of a step, or a directory with all below it as one. */
export interface FileInput {
  /** In the build context. */
  readonly path: string;
  /** `tree`: a directory whose content is not listed. */
  readonly kind: "file" | "directory" | "link" | "tree";
  /** Octal permission bits; empty for links and trees. */
  readonly mode: string;
  /** The beginning of the content's digest, or of that of a tree's list; of a link its target; empty for directories. */
  readonly digest: string;
  /** Bytes; of a tree those of all files in it. */
  readonly size: number;
  /** How many entries a tree stands for; 1 for all others. */
  readonly count: number;
  /** Owner, capability and hard link where a key has them; empty as a rule. */
  readonly more: string;
}

/** What a step takes files from besides the build context. */
export interface ReadRecord {
  readonly kind: "stage" | "image";
  /** A stage's name or number; an image's reference. */
  readonly name: string;
  /** The end key of the stage, or what stands for the layers of the image; undefined if there is none. */
  readonly key?: string | undefined;
}

/** One instruction that makes a layer. */
export interface StepRecord {
  readonly line: number;
  readonly kind: "run" | "copy" | "add" | "workdir";
  /** In one line, as written. */
  readonly instruction: string;
  /** Digest of the lines as written, here-documents included. */
  readonly written: string;
  /** Undefined if its inputs are not known beforehand. */
  readonly key?: string | undefined;
  /** Keyed digests of the inputs of its key by name, without `parent` and `kind`. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Which of the variables are arguments rather than ENV. */
  readonly arguments: readonly string[];
  /** Keyed digests of the values of the variables that stand in the instruction. */
  readonly variables: Readonly<Record<string, string>>;
  readonly files: readonly FileInput[];
  readonly reads: readonly ReadRecord[];
  /** Whether a checkpoint may be saved after it. */
  readonly ends: boolean;
  readonly state: "reused" | "made";
  readonly by: "checkpoint" | "transplant" | "assemble" | "engine";
  /** Seconds; 0 for what was reused and for plans. */
  readonly seconds: number;
  /** Compressed bytes of its layer; undefined if it is not known or not in the image. */
  readonly bytes?: number | undefined;
}

/** A base image as it was resolved. */
export interface BaseRecord {
  readonly reference: string;
  readonly digest: string;
  /** Diff IDs, lowest first. */
  readonly layers: readonly string[];
  /** Keyed digests of the values of its ENV by name. */
  readonly environment: Readonly<Record<string, string>>;
}

/** One stage with its own steps. */
export interface StageRecord {
  /** Name or number. */
  readonly name: string;
  /** The FROM line, and its text as written. */
  readonly line: number;
  readonly from: string;
  /** The key of its chain's root: base layers and platform. */
  readonly root: string;
  /** The stage that it starts from. */
  readonly below?: string | undefined;
  readonly base?: BaseRecord | undefined;
  readonly steps: readonly StepRecord[];
}

/** What went into a build, and what came of it. */
export interface BuildRecord {
  /** Raised when a field changes its meaning. */
  readonly version: 1;
  /** RFC 3339. */
  readonly time: string;
  /** The version of layerwise. */
  readonly tool: string;
  /** The digest of the image's manifest; undefined for a plan. */
  readonly image?: string | undefined;
  readonly references: readonly string[];
  /** The image that the tag had before, if there was one. */
  readonly previous?: string | undefined;
  /** The revision and the branch of the source, if they are known. */
  readonly revision?: string | undefined;
  readonly branch?: string | undefined;
  /** What values are digested with; two records can be compared only if it is the same. */
  readonly salt: string;
  readonly dockerfile: string;
  readonly target?: string | undefined;
  readonly platform: string;
  /** Keyed digests of the build arguments that were given, by name; undefined: a version that did not write them down. */
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  readonly route: "reuse" | "assemble" | "engine";
  /** Seconds until the image had its tags. */
  readonly seconds: number;
  /** Bytes of request bodies, and of answers. */
  readonly sent: number;
  readonly received: number;
  /** The patterns of the ignore file. */
  readonly ignore: readonly string[];
  /** How many names a path may have before the rest of it is one tree. */
  readonly depth: number;
  readonly noCache: boolean | readonly string[];
  /** Checkpoints that could not be used. */
  readonly refused: readonly { readonly tag: string; readonly why: string }[];
  readonly stages: readonly StageRecord[];
}

/** A value as a record may hold it: the beginning of a digest that is keyed by the record's salt and the value's name. */
export function keyedValue(salt: string, { name, value }: { name: string; value: string }): string {
  return hexOf(digestOf(`layerwise-value-1\n${salt}\n${name}\n${value}`)).slice(0, 16);
}

/** Build arguments as a record may hold them. */
export function keyedArguments(salt: string, values: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const entries = [...values].map(([name, value]) => [name, keyedValue(salt, { name: `argument ${name}`, value })]);
  return Object.fromEntries(entries);
}

/** The tag under which the record of the build that made an image lies. */
export function recordTag(image: Digest): string {
  return `${cacheTagPrefix}${hexOf(digestOf(`layerwise-record-1\n${image}`)).slice(0, 40)}`;
}
