// SPDX-License-Identifier: Apache-2.0
import { isLayerwiseError } from "../error.ts";
import { codeFrame } from "../report/code-frame.ts";

/** An error as the user sees it: what could not be done, where in the Dockerfile, and what to do next. */
export function printedError(
  error: unknown,
  { version, dockerfile }: { version: string; dockerfile: string | undefined },
): string {
  if (!isLayerwiseError(error)) return bug(error, version);
  const lines = [`error ${error.code}: ${error.message}`];
  if (error.at !== undefined) {
    const { file, start } = error.at;
    lines.push(`  at ${file}:${start.line}:${start.column}`);
    // A place in an ignore file says nothing about the Dockerfile's lines.
    const isQuoted = dockerfile !== undefined && !file.endsWith(".dockerignore");
    const frame = isQuoted ? codeFrame(dockerfile, error.at) : "";
    if (frame !== "") lines.push(...frame.split("\n").map((line) => `  ${line}`));
  }
  const problems = error.details["problems"];
  if (Array.isArray(problems)) lines.push(...problems.map((problem) => `  ${problem}`));
  if (error.hint !== undefined) lines.push(`  hint: ${error.hint}`);
  return `${lines.join("\n")}\n`;
}

/** The same as the last event of `--progress json`, in one line. */
export function errorEvent(error: unknown, { version }: { version: string }): string {
  if (!isLayerwiseError(error)) return `${JSON.stringify({ kind: "error", message: bug(error, version) })}\n`;
  const { code, message, hint, at, details } = error;
  return `${JSON.stringify({ kind: "error", code, message, hint, at, details })}\n`;
}

function bug(error: unknown, version: string): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `error: a bug in layerwise ${version} on node ${process.versions.node}; please report it with what follows\n${text}\n`;
}
