// SPDX-License-Identifier: Apache-2.0
import { AwsError } from "../error.ts";

/**
 * Whether tags may move, and for which tags the opposite holds.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
 */
export interface TagMutability {
  readonly mode: MutabilityMode;
  /** Patterns with `*`. */
  readonly exclusions: readonly string[];
}

/** The values of the API. */
export type MutabilityMode = "MUTABLE" | "IMMUTABLE" | "MUTABLE_WITH_EXCLUSION" | "IMMUTABLE_WITH_EXCLUSION";

const modes: readonly string[] = ["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"];

/** Filters of one repository. */
const maxFilters = 5;
/** Characters of one filter. */
const maxFilter = 128;

/** Whether a tag that is there may be set to another image. */
export function mayMove({ mode, exclusions }: TagMutability, tag: string): boolean {
  const isExcluded = exclusions.some((pattern) => matchesPattern(pattern, tag));
  return mode.startsWith("MUTABLE") !== isExcluded;
}

/** Whether a text matches a pattern in which `*` stands for any characters. */
export function matchesPattern(pattern: string, text: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(text);
}

/**
 * Reads `imageTagMutability` and `imageTagMutabilityExclusionFilters`.
 *
 * @throws {AwsError} InvalidParameterException
 */
export function readMutability(mode: unknown, filters: unknown): TagMutability {
  const given = mode ?? "MUTABLE";
  if (typeof given !== "string" || !modes.includes(given)) throw invalid(`imageTagMutability: ${String(given)}`);
  const list = Array.isArray(filters) ? (filters as { filterType?: unknown; filter?: unknown }[]) : [];
  const exclusions = list.map(({ filterType, filter }) => {
    if (filterType !== "WILDCARD" || typeof filter !== "string" || filter === "" || filter.length > maxFilter) {
      throw invalid("imageTagMutabilityExclusionFilters");
    }
    return filter;
  });
  const wantsFilters = given.endsWith("_WITH_EXCLUSION");
  if (exclusions.length > maxFilters || wantsFilters !== exclusions.length > 0) {
    throw invalid(`imageTagMutabilityExclusionFilters: 1 to ${maxFilters} with _WITH_EXCLUSION, none without`);
  }
  return { mode: given as MutabilityMode, exclusions };
}

function invalid(what: string): AwsError {
  return new AwsError("InvalidParameterException", `Invalid parameter at '${what}' failed to satisfy constraint`);
}
