// SPDX-License-Identifier: Apache-2.0

/** Everything one run has measured; what results.json holds. */
export interface Results {
  readonly command: string;
  /** As ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly links: readonly LinkFacts[];
  readonly deploys: readonly Comparison[];
  readonly traffic: readonly Traffic[];
  readonly start: Start;
  readonly hashing: Hashing;
  readonly analysis: AnalysisTimes;
  readonly memory: readonly Memory[];
  readonly engine: readonly EngineComparison[];
}

/** What the figures were taken on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  /** GiB. */
  readonly memory: number;
  readonly kernel: string;
  /** Processes that wanted to run while the benchmark did, the benchmark's own included: one minute's mean, at each end. */
  readonly load: readonly number[];
  readonly versions: Readonly<Record<string, string>>;
}

/** A way to the registry. */
export interface LinkFacts {
  readonly link: LinkName;
  readonly title: string;
  /** Milliseconds that a small request took on an open connection. */
  readonly roundTrip: number;
}

/** The links: as this machine has it, and as wide and long as a data centre's. */
export type LinkName = "direct" | "shaped";

/** What changed since the deploy before. */
export type Change = "source" | "nothing";

/** Seconds of two that ran one right after the other. */
export interface Pair {
  readonly ours: number;
  readonly other: number;
}

/** layerwise against one contender. */
export interface Comparison {
  readonly contender: string;
  readonly title: string;
  readonly link: LinkName;
  readonly change: Change;
  readonly pairs: readonly Pair[];
  /** How often the contender executed the dependency step again. */
  readonly executed: number;
  /** Bytes that came to the contender, and that it sent, over its network; medians. */
  readonly received: number;
  readonly sent: number;
}

/** What one deploy of layerwise moved. */
export interface Traffic {
  readonly link: LinkName;
  readonly change: Change;
  readonly route: string;
  /** Requests by layerwise's own report, and by the registry's log. */
  readonly requests: number;
  readonly logged: number;
  /** Bytes of bodies by layerwise's own report. */
  readonly sent: number;
  readonly received: number;
  /** Bytes by the network device, with all headers of all protocols. */
  readonly wireSent: number;
  readonly wireReceived: number;
  /** Compressed bytes of the layers that were made. */
  readonly newLayers: number;
}

/** Seconds from starting the program to its first request, and of starting Node alone. */
export interface Start {
  readonly firstRequest: readonly number[];
  readonly node: readonly number[];
}

/** Planning with a context of many small files, against tar and sha256sum. */
export interface Hashing {
  readonly files: number;
  readonly bytes: number;
  readonly pairs: readonly Pair[];
}

/** Seconds of replaying a git history. */
export interface AnalysisTimes {
  readonly files: number;
  readonly commits: number;
  readonly seconds: readonly number[];
}

/** One build whose only layer has a certain size. */
export interface Memory {
  readonly layerBytes: number;
  readonly peakBytes: number;
  readonly seconds: number;
}

/** layerwise with an engine against the engine by hand. */
export interface EngineComparison {
  readonly name: "residual" | "cold";
  readonly title: string;
  readonly pairs: readonly EnginePair[];
}

/** Seconds of a pair, and when layerwise had published, with checkpoints of other stages still to be saved. */
export interface EnginePair extends Pair {
  readonly published: number;
}
