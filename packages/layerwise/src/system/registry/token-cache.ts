// SPDX-License-Identifier: Apache-2.0
import { hasCode } from "../../error.ts";
import type { CallOptions, Clock } from "../../ports.ts";
import { coversScopes, formatScope, type Scope } from "./scope.ts";
import type { Token } from "./token.ts";

/** Keeps tokens until shortly before they expire, and lets concurrent requests share one. */
export interface TokenCache {
  /**
   * A token that serves the scopes; undefined if there is none and none is under way.
   * The promise is undefined if whoever asked for the token gave up.
   */
  find(scopes: readonly Scope[], call: CallOptions): Promise<string | undefined> | undefined;
  /** Keeps the token of a request that is under way. */
  keep(scopes: readonly Scope[], request: Promise<Token>): Promise<Token>;
  /** Forgets a token that was refused. */
  drop(value: string): void;
}

/** A token is renewed this long before its end (milliseconds), or when a fifth of its life is left, if that is later. */
const renewalMargin = 10_000;

interface CachedToken {
  readonly scopes: readonly Scope[];
  readonly request: Promise<Token>;
  value: string | undefined;
  /** On the clock's ticks. */
  until: number;
}

/** Makes an empty cache. */
export function createTokenCache(clock: Clock): TokenCache {
  const cached = new Map<string, CachedToken>();
  return {
    find(scopes, { signal }) {
      const usable = [...cached.values()].find((one) => one.until > clock.ticks() && coversScopes(one.scopes, scopes));
      return usable === undefined ? undefined : share(usable.request, signal);
    },
    async keep(scopes, request) {
      const key = scopes.map(formatScope).sort().join(" ");
      const entry: CachedToken = { scopes, request, value: undefined, until: Number.POSITIVE_INFINITY };
      cached.set(key, entry);
      try {
        const token = await request;
        entry.value = token.value;
        entry.until = clock.ticks() + token.lifetime - Math.min(renewalMargin, token.lifetime / 5);
        return token;
      } catch (error) {
        if (cached.get(key) === entry) cached.delete(key);
        throw error;
      }
    },
    drop(value) {
      for (const [key, entry] of cached) if (entry.value === value) cached.delete(key);
    },
  };
}

async function share(request: Promise<Token>, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    return (await request).value;
  } catch (error) {
    if (hasCode(error, "CANCELLED") && signal?.aborted !== true) return undefined;
    throw error;
  }
}
