// SPDX-License-Identifier: Apache-2.0
import type { Report } from "./report.ts";

/** What pages tell of the difference to the build before. */
export interface ReportedChanges {
  /** Undefined if there was no build to compare with. */
  readonly before:
    | { readonly reference: string; readonly digest: string | undefined; readonly time: string }
    | undefined;
  readonly steps: readonly {
    readonly stage: string;
    readonly line: number;
    /** What kind of key input changed first. */
    readonly cause: string;
    /** The same in words. */
    readonly text: string;
    /** The line at which the change begins. */
    readonly origin: number;
    /** In detail, a line each. */
    readonly details: readonly string[];
  }[];
}

/** A report of a build that was compared with the one before, if it was. */
export type ComparedReport = Report & { readonly explanation?: ReportedChanges | undefined };
