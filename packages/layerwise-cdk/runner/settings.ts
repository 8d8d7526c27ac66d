// SPDX-License-Identifier: Apache-2.0
import { RunnerError } from "./runner-error.ts";

/** What the project says of itself; `docs/cdk.md` lists the variables. */
export interface Settings {
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
  readonly urlSuffix: string;
  /** Undefined where the pipeline did not say. */
  readonly commitId: string | undefined;
  /** Whether there is a Docker daemon here. */
  readonly hasEngine: boolean;
  /** Projects with an engine, by the architecture of a platform. */
  readonly fallbacks: ReadonlyMap<string, string>;
  /** Bucket and prefix for what a fallback gets. */
  readonly handOver: { readonly bucket: string; readonly prefix: string } | undefined;
  /** Milliseconds to wait for a fallback. */
  readonly handOverWait: number;
  /** Hosts of private registries of ECR that base images come from. */
  readonly pullFrom: readonly string[];
}

/** Names of the variables in which a pipeline and its projects describe themselves. */
type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the variables that the constructs give a project. */
export function readSettings(env: Environment): Settings {
  const [bucket = "", ...prefix] = (env["LAYERWISE_HAND_OVER"] ?? "").split("/");
  const fallbacks = new Map<string, string>();
  for (const [name, architecture] of [
    ["LAYERWISE_FALLBACK_AMD64", "amd64"],
    ["LAYERWISE_FALLBACK_ARM64", "arm64"],
  ] as const) {
    const project = env[name];
    if (project !== undefined && project !== "") fallbacks.set(architecture, project);
  }
  return {
    account: matching(env, "LAYERWISE_ACCOUNT", /^\d{12}$/),
    region: matching(env, "LAYERWISE_REGION", /^[a-z0-9-]+$/),
    urlSuffix: env["LAYERWISE_URL_SUFFIX"] || "amazonaws.com",
    commitId: env["LAYERWISE_COMMIT_ID"],
    hasEngine: env["LAYERWISE_ENGINE"] !== "never",
    fallbacks,
    handOver: bucket === "" ? undefined : { bucket, prefix: prefix.join("/") },
    handOverWait: Number(env["LAYERWISE_HAND_OVER_SECONDS"] ?? 840) * 1000,
    pullFrom: (env["LAYERWISE_PULL_FROM"] ?? "").split(",").filter((host) => host !== ""),
  };
}

function matching(env: Environment, name: string, form: RegExp): string {
  const value = env[name] ?? "";
  if (form.test(value)) return value;
  throw new RunnerError(`${name} is ${value === "" ? "not set" : `"${value}"`}`, {
    hint: "the constructs set it for AWS CodeBuild; elsewhere give the stage an env with account and region",
  });
}
