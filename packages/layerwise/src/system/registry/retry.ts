// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from "node:timers/promises";
import type { HttpAnswer } from "./http-message.ts";
import { NoAnswerError } from "./network-error.ts";

/** How often and how fast requests are sent again. */
export interface RetryPolicy {
  /** Attempts in all, the first one included. */
  readonly attempts: number;
  /** Milliseconds before the second attempt; each further wait is twice as long. */
  readonly firstDelay: number;
  /** Longest wait in milliseconds, unless the registry asks for more. */
  readonly maxDelay: number;
  /** Longest wait in milliseconds that a registry can ask for. */
  readonly maxRetryAfter: number;
}

/** Waits for some milliseconds; rejects when the signal is aborted. */
export type Wait = (milliseconds: number, options: { readonly signal?: AbortSignal | undefined }) => Promise<unknown>;

/** 0.5, 1, 2, 4 and 8 seconds: as long as a registry's restart, and less than a CI job's patience. */
export const defaultRetryPolicy: RetryPolicy = {
  attempts: 6,
  firstDelay: 500,
  maxDelay: 20_000,
  maxRetryAfter: 60_000,
};

/** Waits in real time. */
export const waitInTime: Wait = (milliseconds, { signal }) => pause(milliseconds, undefined, { signal, ref: true });

const retryStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Whether the same request may succeed later. */
export function isRetryStatus(status: number): boolean {
  return retryStatuses.has(status);
}

/**
 * Milliseconds that a Retry-After field asks to wait; undefined if it says nothing.
 * https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
 *
 * @param now milliseconds since 1970, for the form with a date
 */
export function parseRetryAfter(field: string | undefined, now: number): number | undefined {
  const text = field?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const time = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : Math.max(0, time - now);
}

/** Milliseconds before attempt number `attempt` (from 2): exponential, half of it random. */
export function delayBefore(attempt: number, policy: RetryPolicy, random: number): number {
  const whole = Math.min(policy.maxDelay, policy.firstDelay * 2 ** (attempt - 2));
  return Math.round(whole / 2 + (whole / 2) * random);
}

/** What {@link withRetries} goes by. */
export interface RetryRules {
  readonly policy: RetryPolicy;
  readonly wait: Wait;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes an attempt again as long as its answer or its error says that this may help.
 * The last answer is returned, the last error is thrown.
 */
export async function withRetries<Answer extends HttpAnswer>(
  attempt: (number: number) => Promise<Answer>,
  { policy, wait, signal }: RetryRules,
): Promise<Answer> {
  for (let number = 1; ; number++) {
    const outcome = await settle(attempt(number));
    if (number >= attemptsFor(outcome, policy)) return resultOf(outcome);
    const asked = parseRetryAfter(outcome.answer?.headers["retry-after"], Date.now());
    const delay = delayBefore(number + 1, policy, Math.random());
    // An aborted wait ends at the next attempt, which says what was cancelled.
    await wait(asked === undefined ? delay : Math.min(asked, policy.maxRetryAfter), { signal }).catch(() => undefined);
  }
}

type Outcome<Answer> =
  | { readonly answer: Answer; readonly error?: undefined }
  | { readonly answer?: undefined; readonly error: unknown };

async function settle<Answer>(attempt: Promise<Answer>): Promise<Outcome<Answer>> {
  try {
    return { answer: await attempt };
  } catch (error) {
    return { error };
  }
}

function resultOf<Answer>(outcome: Outcome<Answer>): Answer {
  if (outcome.answer === undefined) throw outcome.error;
  return outcome.answer;
}

function attemptsFor({ answer, error }: Outcome<HttpAnswer>, policy: RetryPolicy): number {
  if (answer !== undefined) return isRetryStatus(answer.status) ? policy.attempts : 1;
  if (!(error instanceof NoAnswerError)) return 1;
  return Math.min(policy.attempts, error.failure.attempts ?? policy.attempts);
}
