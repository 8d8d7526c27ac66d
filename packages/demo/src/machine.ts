// SPDX-License-Identifier: Apache-2.0
import { availableParallelism, release, totalmem, type } from "node:os";
import type { Machine } from "./record.ts";

/** This machine. */
export function thisMachine(): Machine {
  return {
    system: `${type()} ${release()} ${process.arch}`,
    processors: availableParallelism(),
    memory: totalmem(),
    node: process.versions.node,
  };
}
