// SPDX-License-Identifier: Apache-2.0
import { performance } from "node:perf_hooks";

/** Does something, and says how many seconds it took. */
export async function timed<T>(work: () => Promise<T>): Promise<{ readonly seconds: number; readonly value: T }> {
  const start = performance.now();
  const value = await work();
  return { seconds: (performance.now() - start) / 1000, value };
}
