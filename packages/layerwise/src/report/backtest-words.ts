// SPDX-License-Identifier: Apache-2.0
import type {
  Backtest,
  BacktestedCommit,
  BuildShape,
  StepDifference,
  UncomparedRecord,
  WhyUncompared,
} from "../analyze/backtest.ts";

/** Whether predictions held, in a sentence. */
export function backtestSummary({ source, commits, agreed }: Backtest): string {
  const builds = source === "records" ? "recorded builds" : "builds";
  return `${agreed} of ${commits.length} ${builds} went as predicted`;
}

/** How a build was predicted, or was. */
export function shapeText({ route, made }: BuildShape): string {
  return [route ?? "failure", ...made].join(" ");
}

/** What became of a build. */
export function actualText({ actual, error }: BacktestedCommit): string {
  return actual === undefined ? `failed: ${error}` : shapeText(actual);
}

/** Each step that did not go as predicted, and what that says of its inputs. */
export function differenceTexts({ differences }: BacktestedCommit): readonly string[] {
  return differences.map(differenceText);
}

function differenceText({ step, predicted, actual, key }: StepDifference): string {
  const why =
    key === "other"
      ? "; its inputs were other ones than git has"
      : key === "unknown"
        ? ""
        : actual === "made"
          ? "; its inputs were the same: its checkpoint was gone or not used"
          : "; its inputs were the same: another build had left a checkpoint";
  return `${step} predicted ${stateWords[predicted]}, was ${stateWords[actual]}${why}`;
}

const stateWords: Readonly<Record<StepDifference["predicted"], string>> = {
  made: "made",
  reused: "reused",
  absent: "not there",
};

/** What could not be compared, each reason once with how many builds it is of. */
export function uncomparedTexts({ uncompared, unrecorded = 0 }: Backtest): readonly string[] {
  const reasons = [...new Set(uncompared.map(({ why }) => why))];
  const records = reasons.map((reason) => {
    const found = uncompared.filter(({ why }) => why === reason);
    return `${count(found.length)} not compared: ${reasonText(reason, found)}`;
  });
  const commits = unrecorded === 1 ? "1 commit has" : `${unrecorded} commits have`;
  return unrecorded === 0
    ? records
    : [...records, `${commits} no record: not built, or built to an image that was there`];
}

function count(records: number): string {
  return records === 1 ? "1 record" : `${records} records`;
}

/** Most values that are named for one reason. */
const maxNamed = 3;

function reasonText(why: WhyUncompared, records: readonly UncomparedRecord[]): string {
  const named = [...new Set(records.map(({ detail }) => detail))].filter((detail) => detail !== "");
  const values = why === "other-revision" ? named.map((id) => id.slice(0, 12)) : named;
  const shown = values.slice(0, maxNamed).join(", ");
  const all = values.length > maxNamed ? `${shown} …` : shown;
  return all === "" || why === "oldest" ? reasonWords[why] : `${reasonWords[why]} (${all})`;
}

const reasonWords: Readonly<Record<WhyUncompared, string>> = {
  "no-revision": "without a revision",
  "other-revision": "of a revision that is not among these commits",
  platform: "for another platform",
  target: "for another target",
  arguments: "with other build arguments",
  "no-cache": "without use of checkpoints",
  oldest: "nothing tells which checkpoints were there before the oldest one",
};
