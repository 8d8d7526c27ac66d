// SPDX-License-Identifier: Apache-2.0
import type { BuildEvent } from "./build-event.ts";
import type { BuildIdentity, ValueSource } from "./environment.ts";
import type { Project, Variable } from "./project.ts";

/** What to build. */
export interface BuildOptions {
  readonly project: Project;
  /** The folder of the primary source; it is copied. */
  readonly source: string;
  /** Folders of secondary sources, by identifier; they are copied. */
  readonly secondarySources?: Readonly<Record<string, string>> | undefined;
  /** Variables given at the start, which count more than all others. */
  readonly variables?: readonly Variable[] | undefined;
  /** Used instead of the project's buildspec. */
  readonly buildspecOverride?: string | undefined;
  readonly identity?: Partial<BuildIdentity> | undefined;
  /** What the machine that builds has in its environment: PATH, and whatever a role's credentials are. */
  readonly machine: Readonly<Record<string, string>>;
  readonly values: ValueSource;
  /** Where artifacts and reports are copied to; nowhere by default. */
  readonly output?: string | undefined;
  /** Where the folder of the build is made; the folder for temporary files by default. */
  readonly scratch?: string | undefined;
  /** Whether the folder of the build is left behind. */
  readonly keep?: boolean | undefined;
  readonly emit: (event: BuildEvent) => void;
  readonly signal?: AbortSignal | undefined;
}
