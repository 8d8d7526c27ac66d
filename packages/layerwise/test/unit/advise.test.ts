// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Advice } from "../../src/advise/advice.ts";
import { unifiedDiff } from "../../src/advise/edit.ts";
import { digestOf } from "../../src/spec/digest.ts";
import { adviceFor, advised, explained, type ObservedChange, runSeconds } from "../advise-case.ts";
import type { DraftInput } from "../draft.ts";

const build = (instructions: string, more: Partial<DraftInput> = {}): DraftInput => ({
  dockerfile: `FROM base\n${instructions}\n`,
  ...more,
});

/** The one piece of advice that a change gives rise to. */
function only(change: ObservedChange): Advice {
  const found = adviceFor(change);
  expect(found.map(({ rule }) => rule)).toHaveLength(1);
  return found[0] as Advice;
}

function diff(change: ObservedChange, advice: Advice): string {
  const after = advised(change.to, advice);
  return unifiedDiff("Dockerfile", { before: change.to.dockerfile, after: after.dockerfile });
}

/** Lines of steps that the same change makes again where the advice was followed before. */
function madeThen({ from, to }: ObservedChange, advice: Advice): readonly string[] {
  return explained({ from: advised(from, advice), to: advised(to, advice) }).steps.map(
    ({ instruction }) => instruction,
  );
}

const node = { "package.json": "{}", "package-lock.json": "{}", "src/a.js": "1" };
const install = build("WORKDIR /app\nCOPY . /app/\nRUN npm ci --omit=dev\nRUN npm run build", { files: node });

describe("advice to copy lock files before an install", () => {
  const change = { from: install, to: { ...install, files: { ...node, "src/a.js": "2" } } };

  it("has the install reused by the same change", () => {
    const advice = only(change);

    expect(advice).toMatchObject({ rule: "copy-before-install", line: 3, isSafe: false });
    expect(advice.cost).toEqual({ steps: 3, seconds: 2 * runSeconds });
    expect(diff(change, advice)).toContain(
      "-COPY . /app/\n+COPY package.json package-lock.json /app/\n RUN npm ci --omit=dev\n+COPY . /app/\n",
    );
    expect(madeThen(change, advice)).toEqual(["COPY . /app/", "RUN npm run build"]);
  });

  it.each([
    ["the lock file changed itself", { files: { ...node, "package-lock.json": "{ }" } }],
    ["nothing changed", {}],
  ])("is not given where %s", (_, to) => {
    expect(adviceFor({ from: install, to: { ...install, ...to } })).toEqual([]);
  });

  it("is not given where the lock files are not in what is copied, or nothing is installed", () => {
    const bare = build("COPY src /app/\nRUN npm ci", { files: node });
    const plain = build("COPY . /app/\nRUN make", { files: node });

    for (const from of [bare, plain]) {
      expect(adviceFor({ from, to: { ...from, files: { ...node, "src/a.js": "2" } } })).toEqual([]);
    }
  });

  it.each([
    ["pip3 install --no-deps -r requirements.txt", "requirements.txt"],
    ["bundle install", "Gemfile.lock"],
    ["go mod download", "go.mod"],
    ["composer install", "composer.lock"],
    ["poetry install", "pyproject.toml"],
    ["yarn install --frozen-lockfile", "package.json"],
    ["pnpm install", "package.json"],
  ])("knows %s", (command, file) => {
    const files = { [file]: "1", a: "1" };
    const from = build(`COPY . .\nRUN ${command}`, { files });

    const change = { from, to: { ...from, files: { ...files, a: "2" } } };
    expect(madeThen(change, only(change))).toEqual(["COPY . ."]);
  });
});

describe("advice to move an argument", () => {
  const from = build("ARG COMMIT\nRUN npm ci\nRUN make\nLABEL commit=$COMMIT", { buildArgs: { COMMIT: "1" } });
  const change = { from, to: { ...from, buildArgs: { COMMIT: "2" } } };

  it("has everything before its first use reused", () => {
    const advice = only(change);

    expect(advice).toMatchObject({ rule: "argument-before-run", line: 2, isSafe: false });
    expect(advice.cost).toEqual({ steps: 2, seconds: 2 * runSeconds });
    expect(advised(change.to, advice).dockerfile).toBe(
      "FROM base\nRUN npm ci\nRUN make\nARG COMMIT\nLABEL commit=$COMMIT\n",
    );
    expect(madeThen(change, advice)).toEqual([]);
  });

  it("puts one that nothing names at the end", () => {
    const unused = build("ARG COMMIT\nRUN npm ci", { buildArgs: { COMMIT: "1" } });
    const other = { from: unused, to: { ...unused, buildArgs: { COMMIT: "2" } } };

    expect(advised(other.to, only(other)).dockerfile).toBe("FROM base\nRUN npm ci\nARG COMMIT\n");
  });

  it.each([
    ["the RUN names it", "ARG COMMIT\nRUN echo $COMMIT"],
    ["something before the RUN does", "ARG COMMIT\nENV C=$COMMIT\nRUN true"],
    ["it shares its line", "ARG COMMIT OTHER=1\nRUN true"],
  ])("is not given where %s", (_, instructions) => {
    const own = build(instructions, { buildArgs: { COMMIT: "1" } });

    expect(adviceFor({ from: own, to: { ...own, buildArgs: { COMMIT: "2" } } })).toEqual([]);
  });
});

describe("advice to leave files out of the build context", () => {
  const from = build("COPY . /app/\nRUN make", { files: { a: "1", ".git/index": "1", "debug.log": "1" } });

  it.each([
    [".git/index", "**/.git"],
    ["debug.log", "**/*.log"],
    ["x/__pycache__/m.pyc", "**/__pycache__"],
    ["web/.env.local", "**/.env.local"],
    ["coverage/lcov.info", "**/coverage"],
    ["web/node_modules/.cache/x", "**/node_modules/.cache"],
  ])("reuses everything where only %s changed", (path, rule) => {
    const change = {
      from: { ...from, files: { ...from.files, [path]: "1" } },
      to: { ...from, files: { ...from.files, [path]: "2" } },
    };
    const advice = only(change);

    expect(advice).toMatchObject({
      rule: "ignore-noise",
      line: 2,
      isSafe: true,
      cost: { steps: 2, seconds: runSeconds },
    });
    expect(advised(change.to, advice).ignore).toBe(`${rule}\n`);
    expect(madeThen(change, advice)).toEqual([]);
  });

  it("claims nothing where other files changed as well", () => {
    const advice = only({ from, to: { ...from, files: { a: "2", ".git/index": "2", "debug.log": "1" } } });

    expect(advice.cost).toEqual({ steps: 0, seconds: 0 });
    expect(advice.advice).toContain("other files changed as well");
  });

  it("adds to the rules that are there, and repeats none", () => {
    const ignored = { ...from, ignore: "dist\n**/.git" };
    const advice = only({ from: ignored, to: { ...ignored, files: { ...from.files, "debug.log": "2" } } });

    expect(advised(ignored, advice).ignore).toBe("dist\n**/.git\n**/*.log\n");
  });

  it("is not given for files that an image may run on", () => {
    expect(adviceFor({ from, to: { ...from, files: { ...from.files, ".env": "1", "build/app": "1" } } })).toEqual([]);
  });
});

describe("advice on modes", () => {
  const from = build("COPY src /app/", { files: { "src/a": "1", "src/b": "2" } });
  const files = (mode: number) => ({ "src/a": { text: "1", mode }, "src/b": { text: "2", mode } });

  it("is to set one umask, and changes no file", () => {
    const advice = only({ from, to: { ...from, files: files(0o664) } });

    expect(advice).toMatchObject({ rule: "mode-of-checkout", line: 2, isSafe: false, edits: [] });
    expect(advice.seen).toContain("src/a has mode 664, was 644, and 1 more like it");
  });

  it("is not given for a file that became executable, or whose content changed as well", () => {
    expect(adviceFor({ from, to: { ...from, files: files(0o755) } })).toEqual([]);
    const both = { ...files(0o664), "src/a": { text: "3", mode: 0o664 } };
    expect(adviceFor({ from, to: { ...from, files: both } })).toEqual([]);
  });

  it("could not be --chmod: the keys would differ as well", () => {
    const set = build("COPY --chmod=644 src/a src/b /app/");

    const steps = explained({ from: { ...set, files: files(0o644) }, to: { ...set, files: files(0o664) } }).steps;

    expect(steps.map(({ line }) => line)).toEqual([2]);
  });
});

describe("advice on a base that moves", () => {
  const at = (layer: string) => build("RUN make", { base: { diffIds: [digestOf(layer)] } });

  it("counts how often it did, and names the digest", () => {
    const change = { from: at("2"), to: at("3"), earlier: [at("2"), at("1")] };
    const advice = only(change);

    expect(advice).toMatchObject({
      rule: "base-moves",
      line: 1,
      isSafe: false,
      cost: { steps: 1, seconds: runSeconds },
    });
    expect(advised(change.to, advice).dockerfile).toMatch(/^FROM base@sha256:[0-9a-f]{64}\nRUN make\n$/);
  });

  it("is not given where the FROM line itself changed", () => {
    expect(adviceFor({ from: at("2"), to: { ...at("3"), dockerfile: "FROM other\nRUN make\n" } })).toEqual([]);
  });
});

describe("advice on packages", () => {
  it("joins a list that was reused and the install that was made with it", () => {
    const from = build("RUN apt-get update\nRUN apt-get install -y a");
    const change = { from, to: build("RUN apt-get update\nRUN apt-get install -y a b") };
    const advice = only(change);

    expect(advice).toMatchObject({ rule: "index-apart-from-install", line: 3, isSafe: false });
    expect(advised(change.to, advice).dockerfile).toBe("FROM base\nRUN apt-get update && apt-get install -y a b\n");
  });

  it("is not given where the list was fetched again", () => {
    const from = build("ENV A=1\nRUN apt-get update\nRUN apt-get install -y a");

    expect(adviceFor({ from, to: build("ENV A=2\nRUN apt-get update\nRUN apt-get install -y a") })).toEqual([]);
  });
});

describe("advice on layers", () => {
  it("gives files their owner while they are copied", () => {
    const from = build("COPY src /app\nRUN chown -R 1000:1000 /app", { files: { "src/a": "1" } });
    const change = { from, to: { ...from, files: { "src/a": "2" } } };
    const advice = only(change);

    expect(advice).toMatchObject({ rule: "owner-in-a-layer", line: 3, cost: { steps: 2, seconds: runSeconds } });
    expect(advised(change.to, advice).dockerfile).toBe("FROM base\nCOPY --chown=1000:1000 src /app\n");
  });

  it("moves a WORKDIR before a COPY that does not depend on it", () => {
    const from = build("COPY src /app/\nWORKDIR /app", { files: { "src/a": "1" } });
    const change = { from, to: { ...from, files: { "src/a": "2" } } };
    const advice = only(change);

    expect(advice).toMatchObject({ rule: "workdir-after-copy", line: 3 });
    expect(madeThen(change, advice)).toEqual(["COPY src /app/"]);
  });

  it.each(["COPY src app/\nWORKDIR /app", "COPY src /app/\nRUN make\nWORKDIR /app", "COPY src /app/\nWORKDIR app"])(
    "leaves a WORKDIR where something may depend on its place: %s",
    (instructions) => {
      const from = build(instructions, { files: { "src/a": "1" } });

      expect(adviceFor({ from, to: { ...from, files: { "src/a": "2" } } })).toEqual([]);
    },
  );
});
