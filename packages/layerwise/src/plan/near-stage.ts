// SPDX-License-Identifier: Apache-2.0
import type { Dockerfile } from "../dockerfile/instruction.ts";
import { nearest } from "../dockerfile/nearest.ts";
import type { Emit } from "../event.ts";
import { type Facts, isReadable } from "./facts.ts";

/** Warns of an image that could not be read and whose name is nearly that of a stage: a slip, most likely. */
export function warnOfNearStages(dockerfile: Dockerfile, { bases, emit }: { bases: Facts["bases"]; emit: Emit }): void {
  const names = dockerfile.stages.flatMap(({ name }) => (name === undefined ? [] : [name]));
  for (const base of bases.values()) {
    const near = isReadable(base) ? undefined : nearest(base.reference, names);
    if (near === undefined) continue;
    const message = `${base.reference} is taken for an image, since no stage has that name; write ${near} if that is meant`;
    emit({ kind: "warning", message });
  }
}
