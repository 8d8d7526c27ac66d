// SPDX-License-Identifier: Apache-2.0
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startProcess } from "../../src/system/process.ts";
import { openScratch } from "../../src/system/scratch.ts";

/*
 * killed DIRECTORY PORT: makes scratch files there and starts a guarded program that connects to the port, starts another
 * one and stays; then this process is killed.
 */

const [directory = "", port = ""] = process.argv.slice(2);
const scratch = openScratch(directory);
await writeFile(join(scratch.folder(), "file"), "");
const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; sleep 3600 & echo started; wait`;
const running = startProcess("bash", ["-c", script], { isGuarded: true });
for await (const chunk of running.stdout) if (chunk.length > 0) process.kill(process.pid, "SIGKILL");
