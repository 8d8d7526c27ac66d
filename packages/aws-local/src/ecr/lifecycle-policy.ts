// SPDX-License-Identifier: Apache-2.0
import { AwsError } from "../error.ts";
import { type StoredRepository, tagsOf } from "./registry-state.ts";
import { matchesPattern } from "./tag-mutability.ts";

/** What a lifecycle policy would remove. */
export interface ExpiringImage {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly pushedAt: number;
  readonly rulePriority: number;
}

interface Rule {
  readonly rulePriority: number;
  readonly selection: {
    readonly tagStatus: "tagged" | "untagged" | "any";
    readonly tagPrefixList?: readonly string[];
    readonly tagPatternList?: readonly string[];
    readonly countType: "imageCountMoreThan" | "sinceImagePushed" | "sinceImagePulled";
    readonly countUnit?: "days";
    readonly countNumber: number;
  };
  readonly action: { readonly type: "expire" };
}

/** Characters of a policy. https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html */
const maxPolicy = 30_720;
const day = 86_400_000;

/**
 * Which images a lifecycle policy expires.
 *
 * Rules are applied by priority, the lowest first, and an image belongs to the first rule that selects it, whether that
 * one expires it or keeps it. Several prefixes or patterns of one rule must all match, each some tag of the image. What
 * an index refers to stays as long as the index.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
 *
 * @throws {AwsError} InvalidParameterException for a policy that ECR would refuse
 */
export function expiringImages(
  repository: StoredRepository,
  { policy, now }: { readonly policy: string; readonly now: number },
): readonly ExpiringImage[] {
  const rules = readRules(policy);
  const taken = new Set<string>();
  const referred = new Set([...repository.images.values()].flatMap(({ refers }) => refers));
  const expiring: ExpiringImage[] = [];
  for (const rule of rules) {
    const selected = [...repository.images.values()]
      .filter(({ digest }) => !taken.has(digest) && selects(rule, tagsOf(repository, digest)))
      .sort((one, other) => other.pushedAt - one.pushedAt);
    for (const { digest } of selected) taken.add(digest);
    const { countType, countNumber } = rule.selection;
    const old = selected.filter(({ pushedAt, pulledAt }, index) => {
      if (countType === "imageCountMoreThan") return index >= countNumber;
      const since = countType === "sinceImagePulled" ? (pulledAt ?? pushedAt) : pushedAt;
      return now - since > countNumber * day;
    });
    for (const { digest, pushedAt } of old.filter((image) => !referred.has(image.digest))) {
      expiring.push({ digest, tags: tagsOf(repository, digest), pushedAt, rulePriority: rule.rulePriority });
    }
  }
  return expiring;
}

function selects({ selection }: Rule, tags: readonly string[]): boolean {
  if (selection.tagStatus === "any") return true;
  if (selection.tagStatus === "untagged") return tags.length === 0;
  const patterns = selection.tagPatternList ?? (selection.tagPrefixList ?? []).map((prefix) => `${prefix}*`);
  return tags.length > 0 && patterns.every((pattern) => tags.some((tag) => matchesPattern(pattern, tag)));
}

/** The rules by priority. https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html */
export function readRules(policy: string): readonly Rule[] {
  const rules = rulesIn(policy);
  const priorities = new Set<number>();
  for (const rule of rules) {
    const why = flawOf(rule);
    if (why !== undefined) throw invalid(`rule ${String(rule?.rulePriority)}: ${why}`);
    if (priorities.has(rule.rulePriority)) throw invalid(`rulePriority ${rule.rulePriority} is there twice`);
    priorities.add(rule.rulePriority);
  }
  const sorted = [...rules].sort((one, other) => one.rulePriority - other.rulePriority);
  const any = sorted.findIndex(({ selection }) => selection.tagStatus === "any");
  if (any !== -1 && any !== sorted.length - 1)
    throw invalid("a rule with tagStatus any must have the highest rulePriority");
  return sorted;
}

function rulesIn(policy: string): readonly Rule[] {
  if (policy.length > maxPolicy) throw invalid(`longer than ${maxPolicy} characters`);
  try {
    const { rules } = JSON.parse(policy) as { rules: Rule[] };
    if (Array.isArray(rules) && rules.length > 0) return rules;
  } catch {
    // Said below.
  }
  throw invalid("it is no JSON object with rules");
}

function flawOf(rule: Rule): string | undefined {
  const { tagStatus, tagPrefixList, tagPatternList, countType, countUnit, countNumber } = rule?.selection ?? {};
  if (!Number.isInteger(rule?.rulePriority) || rule.rulePriority < 1) return "rulePriority is no positive integer";
  if (rule.action?.type !== "expire") return "only the action expire is evaluated here";
  if (!["tagged", "untagged", "any"].includes(String(tagStatus))) return "tagStatus is not tagged, untagged or any";
  const lists = [tagPrefixList, tagPatternList].filter((list) => list !== undefined && list.length > 0);
  if ((tagStatus === "tagged") !== (lists.length === 1))
    return "tagged, and nothing else, needs one list of prefixes or patterns";
  if ((tagPatternList ?? []).some((pattern) => pattern.split("*").length > 5)) return "a pattern has more than four *";
  if (!["imageCountMoreThan", "sinceImagePushed", "sinceImagePulled"].includes(String(countType)))
    return "unknown countType";
  if ((countType !== "imageCountMoreThan") !== (countUnit === "days")) return "countUnit days belongs to ages only";
  return Number.isInteger(countNumber) && Number(countNumber) > 0 ? undefined : "countNumber is no positive integer";
}

function invalid(why: string): AwsError {
  return new AwsError(
    "InvalidParameterException",
    `Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: ${why}`,
  );
}
