// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cacheKeyOf, listValue, shownInput } from "./cache-key.ts";

describe("cacheKeyOf", () => {
  it("gives the digests that all releases give; a change here abandons every checkpoint there is", () => {
    const empty = cacheKeyOf([]);
    const run = cacheKeyOf([
      { name: "parent", value: "sha256:00" },
      { name: "kind", value: "run" },
      { name: "command", value: listValue(["/bin/sh", "-c", "make"]) },
    ]);

    expect(empty.digest).toBe("sha256:c8224b761b3e84d2883015c4a1ec6413202975f52b8a90231e1d40d5a6d72340");
    expect(run.digest).toBe("sha256:b539af23b090753b3101903fe23e7ee4b61526cbf3bc515dbd88ae4e691b6271");
  });

  it("keeps the inputs with the key", () => {
    const inputs = [{ name: "kind", value: "run" }];

    const key = cacheKeyOf(inputs);

    expect(key.inputs).toBe(inputs);
  });

  it("tells apart any two different lists of inputs", () => {
    const inputs = fc.array(fc.record({ name: fc.string(), value: fc.string() }), { maxLength: 4 });

    fc.assert(
      fc.property(inputs, inputs, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(cacheKeyOf(one).digest === cacheKeyOf(other).digest).toBe(same);
      }),
    );
  });

  it("tells apart names whose bytes are no UTF-8", () => {
    const one = cacheKeyOf([{ name: "files", value: "\udc80" }]);
    const other = cacheKeyOf([{ name: "files", value: "\udc81" }]);

    expect(one.digest).not.toBe(other.digest);
  });
});

describe("listValue", () => {
  it("tells a byte that is no UTF-8 from a text that looks like its number", () => {
    expect(listValue(["\udc80"])).not.toBe(listValue(["\0dc80"]));
    expect(listValue(["\0"])).not.toBe(listValue(["\u00000"]));
  });

  it("tells apart lists that would be one text when joined", () => {
    expect(listValue(["ab", "c"])).not.toBe(listValue(["a", "bc"]));
    expect(listValue(["1:a"])).not.toBe(listValue(["", "a"]));
    expect(listValue([])).not.toBe(listValue([""]));
  });
});

describe("shownInput", () => {
  it("shows a private value only as a digest that depends on the key it is in", () => {
    const secret = { name: "environment TOKEN", value: "hunter2", isPrivate: true };

    const one = shownInput(secret, "sha256:aa");
    const other = shownInput(secret, "sha256:bb");

    expect(one.value).toMatch(/^keyed [0-9a-f]{16}$/);
    expect(JSON.stringify([one, other])).not.toContain("hunter2");
    expect(one.value).not.toBe(other.value);
  });
});
