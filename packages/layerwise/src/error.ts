// SPDX-License-Identifier: Apache-2.0

/** A place in a Dockerfile. Lines and columns count from 1; the end is inclusive. */
export interface SourceRange {
  readonly file: string;
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
}

/** Who has to act on an error: the person who wrote the input, whoever runs the machine, or we. */
export type ErrorOwner = "user" | "environment" | "layerwise";

interface ErrorEntry {
  readonly owner: ErrorOwner;
  readonly exit: number;
  readonly when: string;
}

/** The stable name of an error. */
export type ErrorCode =
  | "USAGE"
  | "REFERENCE_INVALID"
  | "DOCKERFILE_NOT_FOUND"
  | "DOCKERFILE_SYNTAX"
  | "DOCKERFILE_UNKNOWN_STAGE"
  | "CONTEXT_NOT_FOUND"
  | "CONTEXT_ESCAPE"
  | "CONTEXT_UNREADABLE"
  | "CONTEXT_UNSUPPORTED"
  | "CONTEXT_CHANGED"
  | "LOCK_OUT_OF_DATE"
  | "LOCK_UNSUPPORTED"
  | "BUILD_FAILED"
  | "IMAGES_DIFFER"
  | "REGISTRY_UNAUTHORIZED"
  | "REGISTRY_DENIED"
  | "REGISTRY_NOT_FOUND"
  | "REGISTRY_BUSY"
  | "REGISTRY_UNREACHABLE"
  | "REGISTRY_PROTOCOL"
  | "DIGEST_MISMATCH"
  | "CREDENTIALS_UNREADABLE"
  | "DISK"
  | "ENGINE_NEEDED"
  | "GIT_UNREADABLE"
  | "REVISION_NOT_FOUND"
  | "ENGINE_MISSING"
  | "ENGINE_UNREACHABLE"
  | "ENGINE_UNSUPPORTED"
  | "CANCELLED";

/** Every error code, with its owner, the exit code of the CLI and when it occurs. `docs/errors.md` is made from it. */
export const errorTable: Readonly<Record<ErrorCode, ErrorEntry>> = {
  USAGE: { owner: "user", exit: 2, when: "a flag or a flag's value is wrong" },
  REFERENCE_INVALID: { owner: "user", exit: 2, when: "a name cannot be an image reference" },
  DOCKERFILE_NOT_FOUND: { owner: "user", exit: 1, when: "there is no Dockerfile at the path" },
  DOCKERFILE_SYNTAX: { owner: "user", exit: 1, when: "the Dockerfile cannot be read" },
  DOCKERFILE_UNKNOWN_STAGE: {
    owner: "user",
    exit: 1,
    when: "a target, a FROM or a --from names a stage that is not there",
  },
  CONTEXT_NOT_FOUND: {
    owner: "user",
    exit: 1,
    when: "the build context is not there, or a COPY selects nothing",
  },
  CONTEXT_ESCAPE: { owner: "user", exit: 1, when: "a path leads out of the build context" },
  CONTEXT_UNREADABLE: { owner: "user", exit: 1, when: "a file of the build context cannot be read" },
  CONTEXT_UNSUPPORTED: {
    owner: "user",
    exit: 1,
    when: "the build context holds a socket, a device or another file that no image can hold",
  },
  CONTEXT_CHANGED: { owner: "user", exit: 1, when: "a file changed while the image was made" },
  LOCK_OUT_OF_DATE: {
    owner: "user",
    exit: 1,
    when: "a lock file is missing, cannot be read, or does not say what the images are that the Dockerfile reads now",
  },
  LOCK_UNSUPPORTED: {
    owner: "user",
    exit: 1,
    when: "only an engine can know which images a Dockerfile reads, so that no lock file can name them",
  },
  IMAGES_DIFFER: {
    owner: "layerwise",
    exit: 1,
    when: "verification found that an image is not what an engine builds from the same inputs",
  },
  BUILD_FAILED: { owner: "user", exit: 1, when: "a step failed in the engine" },
  REGISTRY_UNAUTHORIZED: {
    owner: "environment",
    exit: 3,
    when: "a registry wants other credentials",
  },
  REGISTRY_DENIED: { owner: "environment", exit: 3, when: "the credentials lack a right" },
  REGISTRY_NOT_FOUND: {
    owner: "environment",
    exit: 3,
    when: "a repository or a base image is not there",
  },
  REGISTRY_BUSY: { owner: "environment", exit: 3, when: "a registry refused after all retries" },
  REGISTRY_UNREACHABLE: {
    owner: "environment",
    exit: 3,
    when: "a registry did not answer after all retries",
  },
  REGISTRY_PROTOCOL: {
    owner: "environment",
    exit: 3,
    when: "a registry gave an answer that the distribution specification does not allow",
  },
  DIGEST_MISMATCH: {
    owner: "environment",
    exit: 3,
    when: "received bytes are not what their descriptor says",
  },
  CREDENTIALS_UNREADABLE: {
    owner: "environment",
    exit: 3,
    when: "a Docker config or a credential helper cannot be used",
  },
  ENGINE_NEEDED: {
    owner: "environment",
    exit: 3,
    when: "the plan needs an engine and `--engine never` forbids it; nothing is written",
  },
  GIT_UNREADABLE: {
    owner: "environment",
    exit: 3,
    when: "there is no git, no git repository, or one that lacks objects",
  },
  REVISION_NOT_FOUND: { owner: "user", exit: 1, when: "the git repository does not have a revision" },
  DISK: { owner: "environment", exit: 3, when: "a local file cannot be written or read, or an engine's disk is full" },
  ENGINE_MISSING: { owner: "environment", exit: 4, when: "the plan needs an engine and there is none" },
  ENGINE_UNREACHABLE: {
    owner: "environment",
    exit: 4,
    when: "the engine's client is there and the engine does not answer",
  },
  ENGINE_UNSUPPORTED: {
    owner: "environment",
    exit: 4,
    when: "the engine cannot do what the build asks for",
  },
  CANCELLED: { owner: "user", exit: 130, when: "the build was interrupted" },
};

/** Plain data about an error for the JSON report; already redacted. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** What an error carries besides its message. */
export interface ErrorParts {
  /** What to do next, starting with an imperative. */
  readonly hint?: string | undefined;
  readonly at?: SourceRange | undefined;
  readonly details?: ErrorDetails | undefined;
  readonly cause?: unknown;
}

const brand = Symbol.for("layerwise.error");

/**
 * An error that a user can do something about.
 *
 * The message is a lower-case sentence without a full stop: could not ⟨verb⟩ ⟨thing⟩: ⟨why⟩.
 * Anything that is not a LayerwiseError and reaches the CLI is a bug of ours.
 */
export class LayerwiseError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly at: SourceRange | undefined;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, parts: ErrorParts = {}) {
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = "LayerwiseError";
    this.code = code;
    this.hint = parts.hint;
    this.at = parts.at;
    this.details = parts.details ?? {};
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Whether a caught value is a {@link LayerwiseError}, also across copies of this package. */
export function isLayerwiseError(value: unknown): value is LayerwiseError {
  return typeof value === "object" && value !== null && brand in value;
}

/** Whether a caught value is a {@link LayerwiseError} with this code. */
export function hasCode(value: unknown, code: ErrorCode): boolean {
  return isLayerwiseError(value) && value.code === code;
}
