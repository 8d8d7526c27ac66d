// SPDX-License-Identifier: Apache-2.0
import { badFlag, type FlagKind, type Flags, readFlags } from "./flags.ts";
import { parseGoDuration } from "./go-duration.ts";
import type { HealthcheckInstruction } from "./instruction.ts";
import { readCommand } from "./parse-command.ts";
import { baseOf, type Statement } from "./statement.ts";
import { syntaxError } from "./syntax-error.ts";

const kinds: Readonly<Record<string, FlagKind>> = {
  interval: "text",
  timeout: "text",
  "start-period": "text",
  "start-interval": "text",
  retries: "text",
};

/** Nanoseconds; what Docker's API requires. */
const shortestInterval = 1_000_000;
const mostRetries = 2 ** 31 - 1;

/**
 * Reads HEALTHCHECK.
 *
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseHealthcheck(statement: Statement): HealthcheckInstruction {
  const [type = ""] = /^[^\t-\r ]*/.exec(statement.rest) ?? [];
  const text = statement.rest.slice(type.length).replace(/^[\t-\r ]+/, "");
  if (type.toUpperCase() === "NONE") return parseNone(statement, text);
  if (type.toUpperCase() !== "CMD") {
    throw syntaxError("could not read HEALTHCHECK: CMD or NONE is needed", {
      hint: "write HEALTHCHECK CMD command, or HEALTHCHECK NONE",
      word: type,
    });
  }
  const { command, disputes } = readCommand(text);
  if (command.arguments.length === 0) {
    throw syntaxError("could not read HEALTHCHECK: a command is needed", { hint: "write HEALTHCHECK CMD command" });
  }
  const flags = readFlags(statement.flags, kinds);
  return {
    kind: "healthcheck",
    ...baseOf(statement, { unknownFlags: flags.unknown, disputes }),
    test: [command.form === "exec" ? "CMD" : "CMD-SHELL", ...command.arguments],
    interval: duration(flags, "interval"),
    timeout: duration(flags, "timeout"),
    startPeriod: duration(flags, "start-period"),
    startInterval: duration(flags, "start-interval"),
    retries: retries(flags),
  };
}

/** Known flags are not even looked at. */
function parseNone(statement: Statement, text: string): HealthcheckInstruction {
  if (text !== "") {
    throw syntaxError("could not read HEALTHCHECK: nothing can follow NONE", {
      hint: "remove what follows NONE",
      word: text,
    });
  }
  const unknownFlags = statement.flags.filter((flag) => !Object.hasOwn(kinds, flag.slice(2).split("=", 1)[0] ?? ""));
  const base = baseOf(statement, { unknownFlags });
  const none = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };
  return { kind: "healthcheck", ...base, test: ["NONE"], ...none };
}

function duration(flags: Flags, name: string): number {
  const text = flags.text(name);
  if (text === undefined) return 0;
  const hint = "write a number and a unit, for example 30s, 500ms or 1m30s";
  const value = parseGoDuration(text);
  if (value === undefined) throw badFlag(text, { name, why: `"${text}" is no duration`, hint });
  if (value !== 0 && value < shortestInterval) throw badFlag(text, { name, why: "it cannot be less than 1ms", hint });
  return value;
}

function retries(flags: Flags): number {
  const text = flags.text("retries");
  if (text === undefined) return 0;
  const value = /^[+-]?[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= mostRetries) return Math.abs(value);
  throw badFlag(text, { name: "retries", why: `"${text}" is no number of retries`, hint: "write a whole number" });
}
