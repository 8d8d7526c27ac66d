// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chainKeyInputs, copyKeyInputs } from "../../test/copy-key-inputs.ts";
import { amd64, type DraftInput, draft } from "../../test/draft.ts";
import type { InputChange } from "../../test/key-change.ts";
import { keyNonInputs } from "../../test/key-non-inputs.ts";
import { runKeyInputs, workdirKeyInputs } from "../../test/run-key-inputs.ts";
import { digestOf } from "../spec/digest.ts";
import { type CacheKey, keyVersion } from "./cache-key.ts";

/** What docs/cache-key.md describes, by the heading over the table. */
const documented: ReadonlyMap<string, readonly InputChange[]> = new Map([
  ["Every instruction", chainKeyInputs],
  ["RUN", runKeyInputs],
  ["COPY and ADD", copyKeyInputs],
  ["WORKDIR", workdirKeyInputs],
]);
const inputs = [...documented.values()].flat();

describe("docs/cache-key.md", () => {
  const text = readFileSync(new URL("../../../../docs/cache-key.md", import.meta.url), "utf8");

  it.each([...documented])("lists what is changed here under %s", (heading, changes) => {
    const rows = changes.map((change) => [change.what, change.inputs.map(documentedName).join(", ")]);

    expect(tableUnder(text, heading).map(([what, names]) => [what, names])).toEqual(rows);
  });

  it("lists what is no input", () => {
    expect(tableUnder(text, "What is no input").map(([what]) => what)).toEqual(keyNonInputs.map(({ what }) => what));
  });

  it("names every input that a key can have", () => {
    const made = inputs.flatMap(({ from, to }) => [from, { ...from, ...to }]).flatMap(allInputs);
    const names = new Set(made.map(({ name }) => documentedName(name)));

    expect(tableUnder(text, "Names of inputs").map(([name]) => name)).toEqual([...names].sort());
  });

  it("states the version", () => {
    expect(text).toContain(`\`${keyVersion}\``);
  });
});

describe("the key of a step", () => {
  it.each(inputs)("changes with $what", ({ from, to, inputs: names }) => {
    const before = lastInputs(from);
    const after = lastInputs({ ...from, ...to });

    expect(draft({ ...from, ...to }).key).not.toBe(draft(from).key);
    expect(new Set(namesThatDiffer(before, after))).toEqual(new Set(names));
  });

  it.each(keyNonInputs)("does not change with $what", ({ from, to }) => {
    expect(draft({ ...from, ...to }).key).toBe(draft(from).key);
    expect(draft(from).key).not.toBe("none");
  });

  it("is the same in all releases", async () => {
    const builds = inputs.flatMap(({ what, from, to }) => [
      `${draft(from).key} before: ${what}`,
      `${draft({ ...from, ...to }).key} after: ${what}`,
    ]);
    const head = [
      "# Keys of the builds in docs/cache-key.md. Another key for one of them abandons checkpoints that users have:",
      "# raise keyVersion, and add a changeset that says that every cache begins anew.",
    ];

    await expect(`${[...head, ...builds].join("\n")}\n`).toMatchFileSnapshot("../../test/literal-keys.txt");
  });

  it("does not depend on the order in which files are found", () => {
    const paths = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}(\/[a-z]{1,3})?$/), { minLength: 1, maxLength: 8 });

    fc.assert(
      fc.property(paths, fc.infiniteStream(fc.nat()), (found, random) => {
        const usable = found.filter((path) => !found.some((other) => other.startsWith(`${path}/`)));
        const shuffled = usable
          .map((path) => ({ path, at: random.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ path }) => path);
        const filesOf = (list: readonly string[]) => Object.fromEntries(list.map((path) => [`src/${path}`, path]));
        const dockerfile = "FROM base\nCOPY src /app/\n";

        expect(draft({ dockerfile, files: filesOf(shuffled) }).key).toBe(
          draft({ dockerfile, files: filesOf(usable) }).key,
        );
      }),
    );
  });

  it("takes the wildcards in the source of a mount for what they are", () => {
    const dockerfile = "FROM base\nRUN --mount=type=bind,source=[x],target=/s ls /s\n";

    const before = draft({ dockerfile, files: { "[x]/a": "1", x: "1" } });
    const content = draft({ dockerfile, files: { "[x]/a": "2", x: "1" } });
    const other = draft({ dockerfile, files: { "[x]/a": "1", x: "2" } });

    expect(content.key).not.toBe(before.key);
    expect(other.key).toBe(before.key);
  });

  it("is missing, for the step and all after it, where nothing can stand for the result", () => {
    const { chain } = draft({ dockerfile: "FROM base\nRUN a\nRUN --new-flag=1 b\nRUN c\n" });

    expect(chain.steps.map(({ key }) => key !== undefined)).toEqual([true, false, false]);
  });

  it("is missing where a mode comes from a variable, which older front ends pass over", () => {
    const { key, chain } = draft({ dockerfile: "FROM base\nARG M=600\nCOPY --chmod=$M f /app/\n", files: { f: "1" } });

    expect(key).toBe("none");
    expect(chain.steps[0]?.step.opaque).toMatchObject({ name: "instruction-form", detail: "--chmod=$M" });
  });

  it("is missing for what a URL gives, unless a checksum pins it", () => {
    const open = draft({ dockerfile: "FROM base\nADD https://example.test/x /x\n" });
    const pinned = draft({ dockerfile: `FROM base\nADD --checksum=${digestOf("x")} https://example.test/x /x\n` });

    expect(open.key).toBe("none");
    expect(pinned.key).not.toBe("none");
  });

  it("is missing for what copies from a stage without a key", () => {
    const { chain } = draft({
      dockerfile:
        "FROM base AS one\nADD https://example.test/x /x\nRUN --new-flag=1 b\nFROM base\nCOPY --from=one /x /y\n",
    });

    expect(chain.steps[0]?.key).toBeUndefined();
  });

  it("gives a stage without steps the key of its base", () => {
    const { chain, key } = draft({ dockerfile: "FROM base\nLABEL a=b\n", platform: amd64 });

    expect(key).toBe(chain.root.digest);
  });
});

function lastInputs(input: DraftInput): CacheKey["inputs"] {
  return draft(input).chain.steps.at(-1)?.key?.inputs ?? [];
}

function allInputs(input: DraftInput): CacheKey["inputs"] {
  return [...draft(input).chain.root.inputs, ...lastInputs(input)];
}

function namesThatDiffer(before: CacheKey["inputs"], after: CacheKey["inputs"]): readonly string[] {
  const valueIn = (list: CacheKey["inputs"], name: string) => list.find((input) => input.name === name)?.value;
  const names = new Set([...before, ...after].map(({ name }) => name));
  return [...names].filter((name) => valueIn(before, name) !== valueIn(after, name));
}

/** A variable's input as the document names it. */
function documentedName(name: string): string {
  return `\`${name.replace(/^environment .*/, "environment NAME")}\``;
}

/** The rows of the table under a heading. */
function tableUnder(text: string, heading: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading);
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith("#"));
  const rows = rest.slice(0, end === -1 ? undefined : end).filter((line) => line.startsWith("| "));
  return rows.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
