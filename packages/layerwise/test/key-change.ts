// SPDX-License-Identifier: Apache-2.0
import type { Generation } from "../../lab/src/index.ts";
import type { DraftInput } from "./draft.ts";

/** One change to a build, as a row of docs/cache-key.md describes it. */
export interface KeyChange {
  /** The row's first column. */
  readonly what: string;
  readonly from: DraftInput;
  readonly to: Partial<DraftInput>;
  /** The oldest engine that reads such a Dockerfile; the oldest of all by default. */
  readonly since?: Generation;
}

/** A change of which the key of the build's last instruction must tell. */
export interface InputChange extends KeyChange {
  /** The inputs of that key that differ: the row's second column. */
  readonly inputs: readonly string[];
}

/** A Dockerfile on top of the base, without files. */
export function onBase(instructions: string): DraftInput {
  return { dockerfile: `FROM base\n${instructions}\n` };
}

/** A build with a RUN. */
export const run: DraftInput = onBase("RUN true");

/** A build with a COPY of a directory, and a file that it does not copy. */
export const copy: DraftInput & Required<Pick<DraftInput, "files">> = {
  ...onBase("COPY src /app/"),
  files: { "src/a": "1", "src/b": "2", other: "3" },
};

/** A build with a WORKDIR. */
export const workdir: DraftInput = onBase("WORKDIR /app");
