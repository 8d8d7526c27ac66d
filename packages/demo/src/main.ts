// SPDX-License-Identifier: Apache-2.0
import { runDemo } from "./run-demo.ts";

// What is to be undone at the end is undone by listeners, which a signal alone would not call.
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(signal, () => process.exit(code));
}
process.exit(await runDemo(process.argv.slice(2)));
