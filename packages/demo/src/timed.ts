// SPDX-License-Identifier: Apache-2.0

/** Does something and says how many seconds it took, to a hundredth. */
export async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly seconds: number }> {
  const started = performance.now();
  const result = await work();
  return { result, seconds: Math.round((performance.now() - started) / 10) / 100 };
}
