// SPDX-License-Identifier: Apache-2.0
import { appendFile, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { makeOnce } from "../../src/host/make-once.ts";

// Makes a file once, slowly, and notes in a journal that it was the one to do so.
const [path = "", journal = ""] = process.argv.slice(2);
await makeOnce(path, async (partial) => {
  await appendFile(journal, "began\n");
  process.stdout.write("began\n");
  await writeFile(partial, "half");
  await pause(500);
  await writeFile(partial, "whole");
});
process.stdout.write("done\n");
