// SPDX-License-Identifier: Apache-2.0
import { type ErrorOwner, errorTable } from "../../src/error.ts";

const turns: Readonly<Record<ErrorOwner, string>> = {
  user: "yours: the Dockerfile, the context or the command line",
  environment: "the machine's, the registry's or the engine's",
  layerwise: "ours",
};

/** `docs/errors.md`, made from the table of errors; formatted as the formatter would. */
export function renderErrorsPage(): string {
  const rows = Object.entries(errorTable).map(([code, { owner, exit, when }]) => {
    return [`\`${code}\``, String(exit), turns[owner], when];
  });
  return `${[...head, ...tableOf([["code", "exit code", "whose turn it is", "when"], ...rows]), ...tail].join("\n")}\n`;
}

function tableOf(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  const [first = [], ...others] = lines;
  const rule = widths.map((width) => "-".repeat(width));
  return [first, rule, ...others].map((cells) => `| ${cells.join(" | ")} |`);
}

const head: readonly string[] = [
  "<!-- Made by `npm run generate` from packages/layerwise/src/error.ts: do not edit. -->",
  "",
  "# Errors",
  "",
  "An error says what could not be done, on what, and why; below it, where in the Dockerfile that was, and what to do next:",
  "",
  "```",
  "error ENGINE_MISSING: could not find an engine: there is no docker on PATH",
  "  at Dockerfile:3:1",
  "    2 | COPY requirements.txt .",
  "  > 3 | RUN pip3 install -r requirements.txt",
  "    4 | ADD ./src .",
  "  needs an engine: RUN executes a command (line 3) [run-executes]",
  "  hint: install Docker 20.10 or later, or build where a checkpoint covers every RUN",
  "```",
  "",
  "The code is stable, and so is the exit code that belongs to it. The text may become better at any time. If a build ends with an error, its tags are as they were before, unless the log says that one was moved.",
  "",
];

const tail: readonly string[] = [
  "",
  "Exit code 0 is success. Exit code 70 is a bug of layerwise: it prints a stack trace, and should be reported.",
  "",
  "The names in square brackets are [reasons for the engine](routes.md).",
];
