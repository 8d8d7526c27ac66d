// SPDX-License-Identifier: Apache-2.0
import type { BaseCause, Cause, FileChange, FilesCause, Origin, VariableCause, WordChange } from "./cause.ts";

/** A cause in words: a phrase, and lines of detail. */
export interface CauseText {
  readonly text: string;
  readonly details: readonly string[];
}

/** Says what a cause is, in the words of people. */
export function describeCause(cause: Cause): CauseText {
  switch (cause.kind) {
    case "no-build-before":
      return { text: "no build before", details: cause.looked.map((name) => `${name} is not there`) };
    case "no-record":
      return { text: `the build before left no record: ${cause.why}`, details: [] };
    case "platform":
      return { text: `the platform is ${cause.after}, and was ${cause.before}`, details: [] };
    case "base":
      return baseText(cause);
    case "instruction":
      return { text: "the instruction changed", details: [renderWords(cause.words)] };
    case "here-document":
      return { text: "its here-document changed", details: [] };
    case "instruction-added":
      return { text: "the instruction is new", details: [] };
    case "instruction-removed":
      return { text: "an instruction before it is gone", details: [`removed ${cause.instruction}`] };
    case "instruction-moved":
      return { text: "instructions stand in another order", details: [`moved ${cause.instruction}`] };
    case "argument":
    case "environment":
      return { text: variableText(cause), details: [] };
    case "files":
      return { text: filesText(cause), details: fileLines(cause) };
    case "ignore":
      return {
        text: `the ignore file changed what is selected: ${filesText(cause)}`,
        details: [
          ...cause.added.map((pattern) => `new rule ${pattern}`),
          ...cause.removed.map((pattern) => `no longer a rule ${pattern}`),
          ...fileLines(cause),
        ],
      };
    case "input":
      return { text: `${inputNames[cause.name] ?? cause.name} changed`, details: [] };
    case "source":
      return {
        text: `stage ${cause.from}, which it takes files from, was made${since(cause.origin)}`,
        details: [],
      };
    case "image":
      return { text: `the image ${cause.reference}, which it takes files from, has other layers`, details: [] };
    default:
      return { text: stateText(cause), details: [] };
  }
}

/** Inputs of keys as people call them. */
const inputNames: Readonly<Record<string, string>> = {
  directory: "the working directory",
  user: "the user",
  shell: "the shell",
  options: "an option of the command line that RUN depends on",
  "order of the environment": "the order in which variables are set",
  kind: "the kind of instruction",
  time: "SOURCE_DATE_EPOCH",
  "host name": "BUILDKIT_SANDBOX_HOSTNAME",
  "cache namespace": "BUILDKIT_CACHE_MOUNT_NS",
  mounts: "what a mount declares",
};

function stateText(
  cause: Extract<
    Cause,
    { kind: "parent" | "between" | "expired" | "refused" | "no-cache" | "absent" | "unknown-inputs" }
  >,
): string {
  switch (cause.kind) {
    case "parent":
      return `only because ${placeOf(cause.origin)} is not as it was`;
    case "between":
      return `its inputs are the same, but no checkpoint lies between it and ${placeOf(cause.origin)}, which changed`;
    case "expired":
      return "its inputs are the same, and it is older than --refresh-after allows";
    case "refused":
      return `its inputs are the same, and its checkpoint could not be used: ${cause.why}`;
    case "no-cache":
      return "its inputs are the same, and the command line says not to use checkpoints";
    case "absent":
      return "its inputs are the same, and no checkpoint of it could be continued: it was never saved, it expired, or the engine cannot start from it";
    case "unknown-inputs":
      return "its inputs are not known beforehand, so it is made in every build";
  }
}

function since(origin: Origin | undefined): string {
  return origin === undefined ? "" : ` since ${placeOf(origin)} is not as it was`;
}

function placeOf({ line, instruction }: Origin): string {
  return `line ${line} (${shortened(instruction)})`;
}

/** Longest instruction in a sentence. */
const maxInstruction = 40;

function shortened(text: string): string {
  return text.length <= maxInstruction ? text : `${text.slice(0, maxInstruction - 1)}…`;
}

function baseText({ before, after, layers }: BaseCause): CauseText {
  const name = (one: BaseCause["before"]) => (one === undefined ? "another stage or scratch" : one.reference);
  const text =
    before?.reference === after?.reference
      ? `the base ${name(after)} has moved`
      : `the base is ${name(after)}, and was ${name(before)}`;
  const digest = (one: BaseCause["before"]) => one?.digest ?? "no image";
  return {
    text,
    details: [
      `was ${digest(before)}`,
      `is  ${digest(after)}`,
      `${layers.same} of its layers are the same, ${layers.gone} gone, ${layers.added} new`,
    ],
  };
}

function variableText({ kind, name, how, isFromBase }: VariableCause): string {
  const what = kind === "argument" ? "the build argument" : "the environment variable";
  const where = isFromBase ? ", which the base sets," : "";
  const verbs = { changed: "has another value", added: "is new", removed: "is gone" };
  return `${what} ${name}${where} ${verbs[how]}`;
}

function filesText({ changes, count }: Pick<FilesCause, "changes" | "count">): string {
  const [first] = changes;
  if (first === undefined) return "files changed that the record does not list";
  const rest = count - 1;
  return `${first.path} ${verbOf(first)}${rest === 0 ? "" : `, and ${rest} more file${rest === 1 ? "" : "s"}`}`;
}

function verbOf({ how, detail }: FileChange): string {
  const verbs = { changed: "changed", added: "is new", removed: "is gone", mode: "has another mode", other: "changed" };
  return how === "other" && detail !== undefined ? `changed (${detail})` : verbs[how];
}

function fileLines({ changes, count }: Pick<FilesCause, "changes" | "count">): readonly string[] {
  const lines = changes.map(({ how, path, size, detail }) => {
    const what = how === "other" ? "changed" : how;
    return `${what.padEnd(7)} ${path} (${detail ?? `${size} bytes`})`;
  });
  const left = count - changes.length;
  return left > 0 ? [...lines, `and ${left} more`] : lines;
}

/** Words in the form of `git diff --word-diff`. */
function renderWords(words: readonly WordChange[]): string {
  const marks = { same: ["", ""], removed: ["[-", "-]"], added: ["{+", "+}"] } as const;
  return words.map(({ how, text }) => `${marks[how][0]}${text}${marks[how][1]}`).join(" ");
}
