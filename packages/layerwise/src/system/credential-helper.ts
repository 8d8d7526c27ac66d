// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { LayerwiseError } from "../error.ts";
import type { CallOptions } from "../ports.ts";
import type { Credentials } from "./docker-config.ts";
import { readJson } from "./json.ts";
import { type ProcessEnd, runProcess } from "./process.ts";
import { excerptOf } from "./redact.ts";

/** What a helper runs with. */
export interface HelperOptions extends CallOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Masked in messages. */
  readonly secrets: ReadonlySet<string>;
}

/** Milliseconds; some helpers ask a cloud, some a person. */
const helperTimeout = 120_000;

/** Longest message of a helper that is repeated, in characters. */
const maxMessage = 300;

/** A helper that has nothing for the host says so in these words. */
const notFound = /credentials not found/i;

/** Username of an answer whose secret is an identity token. */
const tokenUser = "<token>";

const answerSchema = v.object({ Username: v.optional(v.string(), ""), Secret: v.optional(v.string(), "") });

/**
 * Asks a credential helper; undefined if it knows nothing of the server. CREDENTIALS_UNREADABLE if it fails.
 * https://github.com/docker/docker-credential-helpers#development
 */
export async function askHelper(
  { name, server }: { readonly name: string; readonly server: string },
  { environment, secrets, signal }: HelperOptions,
): Promise<Credentials | undefined> {
  const program = programOf(name);
  const { end, stdout } = await runProcess(program, ["get"], {
    stdin: server,
    env: environment,
    timeout: helperTimeout,
    signal,
  });
  if (end.kind === "exited" && end.exitCode === 0) return readAnswer(stdout, program);
  const text = stdout.toString("utf8").trim();
  if (end.kind === "exited" && notFound.test(text)) return undefined;
  throw unusable(program, excerptOf(complaintOf(end, text), { secrets, length: maxMessage }));
}

/** Has a credential helper keep or forget something. CREDENTIALS_UNREADABLE if it does not. */
export async function useHelper(
  { name, verb, input }: { readonly name: string; readonly verb: "store" | "erase"; readonly input: string },
  { environment, secrets, signal }: HelperOptions,
): Promise<void> {
  const program = programOf(name);
  const { end, stdout } = await runProcess(program, [verb], {
    stdin: input,
    env: environment,
    timeout: helperTimeout,
    signal,
  });
  if (end.kind === "exited" && end.exitCode === 0) return;
  const text = stdout.toString("utf8").trim();
  if (verb === "erase" && end.kind === "exited" && notFound.test(text)) return;
  throw unusable(program, excerptOf(complaintOf(end, text), { secrets, length: maxMessage }));
}

function programOf(name: string): string {
  const program = `docker-credential-${name}`;
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) throw unusable(program, "its name is no name of a helper");
  return program;
}

function readAnswer(stdout: Buffer, program: string): Credentials | undefined {
  const json = readJson(stdout);
  // The answer holds a secret and is not quoted.
  if (json === undefined) throw unusable(program, "its answer is no JSON");
  const parsed = v.safeParse(answerSchema, json);
  if (!parsed.success) throw unusable(program, "its answer has no user name and secret");
  const { Username: username, Secret: secret } = parsed.output;
  if (secret === "") return undefined;
  const source = `the credential helper ${program}`;
  if (username === tokenUser) return { kind: "identity-token", token: secret, source };
  return { kind: "password", username, password: secret, source };
}

/** Helpers complain on stdout; what else goes wrong in them is on stderr. */
function complaintOf(end: ProcessEnd, stdout: string): string {
  switch (end.kind) {
    case "not-started":
      return end.reason === "ENOENT" ? "there is no such program in PATH" : `it cannot be started (${end.reason})`;
    case "timed-out":
      return `it did not answer within ${helperTimeout / 1000} seconds`;
    case "killed":
      return `it was ended by ${end.signal}`;
    case "exited": {
      const [line = ""] = (stdout === "" ? end.errorTail : stdout).split("\n");
      return line === "" ? `it ended with code ${end.exitCode}` : line;
    }
  }
}

function unusable(program: string, why: string): LayerwiseError {
  return new LayerwiseError("CREDENTIALS_UNREADABLE", `could not ask the credential helper ${program}: ${why}`, {
    hint: `try "${program} get" by hand, or correct credsStore and credHelpers in Docker's config`,
  });
}
