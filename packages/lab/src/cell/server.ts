// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

/** How to start a server, and how to see that it serves. */
export interface ServerOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Files that get what it writes. */
  readonly stdout: string;
  readonly stderr: string;
  answers(): Promise<boolean>;
}

/** Milliseconds; a daemon on a busy machine with two cores needs ten seconds at worst. */
const timeout = 90_000;
const interval = 20;

/**
 * Starts a program that ends with its cell, and waits until it answers.
 *
 * @returns why it does not, or undefined if it does
 */
export async function startServer(argv: readonly string[], options: ServerOptions): Promise<string | undefined> {
  const [program = "", ...args] = argv;
  const [stdout, stderr] = await Promise.all([open(options.stdout, "a"), open(options.stderr, "a")]);
  const server = spawn(program, args, {
    env: options.env,
    stdio: ["ignore", stdout.fd, stderr.fd],
    detached: true, // An interrupt from the terminal is ours to handle.
  });
  let failure: string | undefined;
  server.once("error", (error) => {
    failure = error.message;
  });
  server.once("exit", (code) => {
    failure = `it ended with exit code ${code}`;
  });
  server.unref();
  await Promise.all([stdout.close(), stderr.close()]);
  const deadline = performance.now() + timeout;
  while (failure === undefined && !(await options.answers())) {
    if (performance.now() > deadline) return "it does not answer";
    await pause(interval);
  }
  return failure;
}
