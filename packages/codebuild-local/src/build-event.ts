// SPDX-License-Identifier: Apache-2.0

/** What a build tells while it runs. */
export type BuildEvent =
  /** Something that differs from CodeBuild or has no effect, in one line. */
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "phase-begins"; readonly phase: string }
  | { readonly kind: "command"; readonly command: string }
  | { readonly kind: "output"; readonly text: string }
  | { readonly kind: "phase-ends"; readonly phase: PhaseResult };

/** A phase that has ended. */
export interface PhaseResult {
  /** In the words of the API: `INSTALL`, `UPLOAD_ARTIFACTS` … */
  readonly type: string;
  readonly status: "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "STOPPED";
  /** Milliseconds since 1970. */
  readonly startTime: number;
  readonly endTime: number;
  /** The status code and the message of a failure. */
  readonly context: { readonly statusCode: string; readonly message: string } | undefined;
}

/** How a build ended. */
export interface BuildResult {
  readonly id: string;
  readonly status: "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "STOPPED";
  readonly phases: readonly PhaseResult[];
  readonly exportedVariables: Readonly<Record<string, string>>;
  /** Folders that files were copied to, by identifier; `primary` for the primary artifact. */
  readonly artifacts: Readonly<
    Record<string, { readonly name: string; readonly folder: string; readonly files: readonly string[] }>
  >;
  readonly reports: readonly {
    readonly group: string;
    readonly format: string;
    readonly folder: string;
    readonly files: readonly string[];
  }[];
}
