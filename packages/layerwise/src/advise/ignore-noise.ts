// SPDX-License-Identifier: Apache-2.0
import { createIgnoreMatcher, isIgnored, parseIgnoreFile } from "../dockerfile/ignore.ts";
import type { Cause, FileChange } from "../explain/cause.ts";
import { isInNamedDirectory } from "../explain/file-inputs.ts";
import { type Advice, costFrom, madeSteps, type Observed } from "./advice.ts";
import { linesOf } from "./edit.ts";

/** Files that tools leave in a checkout and that images do not run on, with the rule that leaves them out. */
const noise: readonly { readonly rule: string; readonly what: string; readonly form: RegExp }[] = [
  { rule: "**/.git", what: "git's own files", form: /(?:^|\/)\.git(?:\/|$)/ },
  { rule: "**/__pycache__", what: "a compiler's cache", form: /(?:^|\/)__pycache__(?:\/|$)/ },
  { rule: "**/*.pyc", what: "a compiler's cache", form: /\.pyc$/ },
  { rule: "**/.pytest_cache", what: "test output", form: /(?:^|\/)\.pytest_cache(?:\/|$)/ },
  { rule: "**/.mypy_cache", what: "a tool's cache", form: /(?:^|\/)\.mypy_cache(?:\/|$)/ },
  { rule: "**/.ruff_cache", what: "a tool's cache", form: /(?:^|\/)\.ruff_cache(?:\/|$)/ },
  { rule: "**/node_modules/.cache", what: "a tool's cache", form: /(?:^|\/)node_modules\/\.cache(?:\/|$)/ },
  { rule: "**/.eslintcache", what: "a tool's cache", form: /(?:^|\/)\.eslintcache$/ },
  { rule: "**/*.tsbuildinfo", what: "a compiler's cache", form: /\.tsbuildinfo$/ },
  { rule: "**/.nyc_output", what: "test output", form: /(?:^|\/)\.nyc_output(?:\/|$)/ },
  { rule: "**/coverage", what: "test output", form: /(?:^|\/)coverage(?:\/|$)/ },
  { rule: "**/.coverage", what: "test output", form: /(?:^|\/)\.coverage$/ },
  { rule: "**/test-results", what: "test output", form: /(?:^|\/)test-results(?:\/|$)/ },
  { rule: "**/*.log", what: "a log", form: /\.log$/ },
  { rule: "**/.env.local", what: "a local environment file", form: /(?:^|\/)\.env\.local$/ },
  { rule: "**/.env.*.local", what: "a local environment file", form: /(?:^|\/)\.env\.[^/]+\.local$/ },
  { rule: "**/.DS_Store", what: "a desktop's file", form: /(?:^|\/)\.DS_Store$/ },
  { rule: "**/*.swp", what: "an editor's file", form: /\.swp$/ },
  { rule: "**/.idea", what: "an editor's file", form: /(?:^|\/)\.idea(?:\/|$)/ },
  { rule: "**/.vscode", what: "an editor's file", form: /(?:^|\/)\.vscode(?:\/|$)/ },
];

/** Files of tools that changed a key: rules of the ignore file would have kept them out. */
export function ignoreNoise(observed: Observed): readonly Advice[] {
  return madeSteps(observed).flatMap(({ explained }): Advice[] => {
    const files = explained.causes.find((cause) => cause.kind === "files");
    if (files === undefined) return [];
    const { line } = explained;
    const found = rulesFor(files, observed);
    if (found.length === 0) return [];
    const rules = [...new Set(found.map(({ rule }) => rule))];
    const isAll = explained.causes.length === 1 && new Set(found.map(({ change }) => change)).size === files.count;
    const [first] = found as [(typeof found)[number]];
    return [
      {
        rule: "ignore-noise",
        line,
        seen: `${first.change.path}, ${first.what}, ${files.count === 1 ? "alone" : `with ${files.count - 1} others,`} made this step again`,
        cost: isAll ? costFrom(line, observed) : { steps: 0, seconds: 0 },
        advice: isAll
          ? "leave it out of the build context: nothing else changed, so everything would have been reused"
          : "leave it out of the build context; other files changed as well, so this build would have been the same",
        edits: [{ file: "ignore", line: linesOf(observed.ignore).length + 1, remove: 0, insert: rules }],
        unknown: "whether a program in the image, or a RUN, reads these files",
        isSafe: true,
      },
    ];
  });
}

interface Found {
  readonly change: FileChange;
  readonly rule: string;
  readonly what: string;
}

/** Only rules that would leave a file out of this context, where there may be exceptions. */
function rulesFor({ changes }: Extract<Cause, { kind: "files" }>, { ignore }: Observed): readonly Found[] {
  const there = new Set(parseIgnoreFile(ignore));
  return changes.flatMap((change): Found[] => {
    if (isInNamedDirectory(change.path)) return [];
    const path = change.path.replace(/\/$/, "");
    const match = noise.find(({ form }) => form.test(path));
    if (match === undefined || there.has(match.rule)) return [];
    const { rule, what } = match;
    return isIgnored(createIgnoreMatcher([...there, rule]), path) ? [{ change, rule, what }] : [];
  });
}
