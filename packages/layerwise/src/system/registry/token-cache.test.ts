// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { LayerwiseError } from "../../error.ts";
import { pullScope, pushScope } from "./scope.ts";
import type { Token } from "./token.ts";
import { createTokenCache } from "./token-cache.ts";

const call = {};
const read = [pullScope("app")];
const write = [pushScope("app")];

it("serves a narrower request with a wider token, and not the other way round", async () => {
  const cache = createTokenCache(clockAt(0));

  await cache.keep(write, Promise.resolve(token("wide")));

  expect(await cache.find(read, call)).toBe("wide");
  expect(cache.find([...write, pullScope("base")], call)).toBeUndefined();
});

it("lets others wait for a request that is under way", async () => {
  const cache = createTokenCache(clockAt(0));
  const { promise, resolve } = deferred();
  const keeping = cache.keep(read, promise);

  const found = cache.find(read, call);
  resolve(token("late"));

  expect(await found).toBe("late");
  await keeping;
});

it("forgets a request that failed", async () => {
  const cache = createTokenCache(clockAt(0));

  await cache.keep(read, Promise.reject(new Error("refused"))).catch(() => undefined);

  expect(cache.find(read, call)).toBeUndefined();
});

it("gives nothing, and no error, to others when whoever asked was cancelled", async () => {
  const cache = createTokenCache(clockAt(0));
  const request = Promise.reject(new LayerwiseError("CANCELLED", "could not log in: cancelled"));
  const keeping = cache.keep(read, request).catch(() => undefined);

  const found = await cache.find(read, call);

  expect(found).toBeUndefined();
  await keeping;
});

it("drops a refused token alone", async () => {
  const cache = createTokenCache(clockAt(0));
  await cache.keep(read, Promise.resolve(token("old")));
  await cache.keep([pullScope("other")], Promise.resolve(token("other")));

  cache.drop("old");

  expect(cache.find(read, call)).toBeUndefined();
  expect(await cache.find([pullScope("other")], call)).toBe("other");
});

function token(value: string): Token {
  return { value, lifetime: 60_000, successor: undefined };
}

function clockAt(ticks: number): { now: () => number; ticks: () => number } {
  return { now: () => 0, ticks: () => ticks };
}

function deferred(): { promise: Promise<Token>; resolve: (token: Token) => void } {
  let resolve: (token: Token) => void = () => undefined;
  const promise = new Promise<Token>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
