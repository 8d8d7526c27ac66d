// SPDX-License-Identifier: Apache-2.0
import type { Clock } from "../ports.ts";

/**
 * The machine's clock, or the fixed time that SOURCE_DATE_EPOCH asks for (seconds since 1970).
 * https://reproducible-builds.org/specs/source-date-epoch/
 */
export function machineClock(sourceDateEpoch: string | undefined): Clock {
  const isFixed = sourceDateEpoch !== undefined && /^[0-9]+$/.test(sourceDateEpoch);
  return { now: () => (isFixed ? Number(sourceDateEpoch) * 1000 : Date.now()), ticks: () => performance.now() };
}
