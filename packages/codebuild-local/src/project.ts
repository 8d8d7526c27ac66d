// SPDX-License-Identifier: Apache-2.0

/** An environment variable of a project or a build. */
export interface Variable {
  readonly name: string;
  /** The value, the name in Parameter Store, or `secret-id:json-key:version-stage:version-id`. */
  readonly value: string;
  readonly type: "PLAINTEXT" | "PARAMETER_STORE" | "SECRETS_MANAGER";
}

/** On what a project's builds run. */
export interface Compute {
  /** `lambda`: no engine, no privileges, 15 minutes. */
  readonly kind: "ec2" | "lambda";
  /** Whether a Docker daemon may run. */
  readonly privileged: boolean;
  /** The name of the image, for CODEBUILD_BUILD_IMAGE. */
  readonly image: string;
}

/** A CodeBuild project, as far as it counts here. */
export interface Project {
  readonly name: string;
  /** The buildspec itself, or the path of one in the source; `buildspec.yml` by default. */
  readonly buildspec: { readonly text: string } | { readonly path: string };
  readonly variables: readonly Variable[];
  readonly compute: Compute;
  readonly timeoutMinutes: number;
  /** Identifiers of the artifacts besides the primary one. */
  readonly secondaryArtifacts: readonly string[];
}

/** A buildspec as the API and templates have it: the text itself, or the path of one in the source if it is one line. */
export function buildspecPlace(given: string): Project["buildspec"] {
  return /\n|^\s*\{/.test(given) ? { text: given } : { path: given };
}

/** The account of builds that are not told theirs. */
export const defaultAccount = "111122223333";

/** Minutes. https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html */
export const defaultTimeoutMinutes = 60;
/** Minutes of a build on Lambda compute. https://docs.aws.amazon.com/codebuild/latest/userguide/lambda.html */
export const lambdaTimeoutMinutes = 15;
