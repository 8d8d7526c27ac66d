#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { run } from "./run.ts";
import { version } from "./version.ts";

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    // Whoever interrupts twice does not want to wait for a clean end.
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort();
  });
}
const { stdin, stdout, stderr, env } = process;
process.exitCode = await run(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  version,
  signal: interrupted.signal,
});
