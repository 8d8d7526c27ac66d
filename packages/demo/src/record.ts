// SPDX-License-Identifier: Apache-2.0

/** What the demonstration found, as `--json` writes it. */
export interface DemoRecord {
  /** Raised when a field changes its meaning; new fields do not raise it. */
  readonly version: 1;
  /** RFC 3339. */
  readonly date: string;
  readonly machine: Machine;
  readonly mode: Mode;
  /** Whether it was shortened. */
  readonly quick: boolean;
  /** One an engine. */
  readonly series: readonly Series[];
  /** Seconds that all of it took, set-up included. */
  readonly seconds: number;
}

/** Where the demonstration ran. */
export interface Machine {
  readonly system: string;
  readonly processors: number;
  /** Bytes. */
  readonly memory: number;
  readonly node: string;
}

/**
 * What there is to show it with: engines and a registry of our own, the Docker of this machine, or no engine at all and
 * an OCI layout.
 */
export type Mode = "engines" | "docker" | "layout";

/** The deploys of one engine. */
export interface Series {
  /** Null without an engine. */
  readonly engine: { readonly version: string; readonly store: string | null } | null;
  /** What layerwise is compared with; null: nothing. */
  readonly rival: Rival | null;
  /** Compressed bytes of the image, all its layers. */
  readonly imageBytes: number;
  readonly deploys: readonly Deploy[];
}

/** The classic recipe (pull, build with inline cache, push), or a build that finds nothing. */
export type Rival = "classic recipe" | "docker build --no-cache";

/** What a commit changes before a deploy. */
export type Change = "cold" | "source" | "nothing" | "dependency";

/** One commit, built in two ways on a machine that remembers nothing. */
export interface Deploy {
  readonly number: number;
  readonly change: Change;
  /** Null if there is nothing to compare with. */
  readonly rival: RivalOutcome | null;
  readonly layerwise: LayerwiseOutcome;
}

/** What the rival did. */
export interface RivalOutcome {
  readonly seconds: number;
  /** Whether the dependency RUN was executed, as its log says. */
  readonly executed: boolean;
  /** Bytes that came over the network; null if nobody counted. */
  readonly received: number | null;
}

/** What layerwise did. */
export interface LayerwiseOutcome {
  /** Of the whole process, from start to end. */
  readonly seconds: number;
  readonly route: "reuse" | "assemble" | "engine";
  /** Whether the dependency RUN was executed. */
  readonly executed: boolean;
  /** Bytes that came over the network, to layerwise or its engine; null if nobody counted. */
  readonly received: number | null;
  /** Requests that layerwise sent to registries. */
  readonly requests: number;
  /** Bytes of layers, configs and manifests that were written to where the image is. */
  readonly uploaded: number;
}
