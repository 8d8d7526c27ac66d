// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import { type RawFlags, readAge } from "./options.ts";

/** What `analyze` has besides the flags of `plan`. */
export interface AnalyzeFlags {
  readonly branch: string;
  readonly last: number;
  readonly offline: boolean;
  readonly durations: readonly string[];
  readonly whatIf: readonly string[];
  readonly whatIfIgnore: string | undefined;
  readonly whatIfAdvice: boolean;
  readonly buildsPerMonth: number | undefined;
  readonly pricePerMinute: number | undefined;
  /** Milliseconds. */
  readonly keepFor: number | undefined;
  readonly hasGitDirectory: boolean | undefined;
  readonly umask: number | undefined;
  /** How many commits are built, or that builds of the past are read. */
  readonly backtest: number | "recorded" | undefined;
}

/** Commits that are looked at if nobody says how many. */
const usualLast = 200;

/** Checks the flags of `analyze`. Pure. */
export function readAnalyzeOptions(flags: RawFlags): AnalyzeFlags {
  return {
    branch: flags.branch ?? "HEAD",
    last: flags.last === undefined ? usualLast : readCount("last", flags.last),
    offline: flags.offline === true,
    durations: flags.durations ?? [],
    whatIf: flags.whatIf ?? [],
    whatIfIgnore: flags.whatIfIgnore,
    whatIfAdvice: flags.whatIfAdvice === true,
    buildsPerMonth:
      flags.buildsPerMonth === undefined ? undefined : readNumber("builds-per-month", flags.buildsPerMonth),
    pricePerMinute:
      flags.pricePerMinute === undefined ? undefined : readNumber("price-per-minute", flags.pricePerMinute),
    keepFor: flags.keepCheckpoints === undefined ? undefined : readAge("--keep-checkpoints", flags.keepCheckpoints),
    hasGitDirectory: flags.withoutGitDirectory === true ? false : undefined,
    umask: flags.umask === undefined ? undefined : readUmask(flags.umask),
    backtest: flags.backtest === undefined ? undefined : readBacktest(flags.backtest),
  };
}

function readBacktest(text: string): number | "recorded" {
  return text === "recorded" ? text : readCount("backtest", text);
}

function readCount(flag: string, text: string): number {
  if (/^[1-9][0-9]{0,6}$/.test(text)) return Number(text);
  throw usage(`could not read --${flag} ${text}`, "give a whole number above 0");
}

function readNumber(flag: string, text: string): number {
  if (/^[0-9]+(?:\.[0-9]+)?$/.test(text)) return Number(text);
  throw usage(`could not read --${flag} ${text}`, "give a number, for example 300 or 0.008");
}

function readUmask(text: string): number {
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8);
  throw usage(`could not read --umask ${text}`, "give three octal digits, for example 022");
}

function usage(message: string, hint: string): LayerwiseError {
  return new LayerwiseError("USAGE", message, { hint });
}
