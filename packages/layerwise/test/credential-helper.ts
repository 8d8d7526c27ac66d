// SPDX-License-Identifier: Apache-2.0
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "./open-repositories.ts";

/** Writes `docker-credential-NAME`, a shell script, into a folder of its own; returns a PATH that finds it. */
export async function writeCredentialHelper(name: string, script: string): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return `${folder}:${process.env["PATH"]}`;
}
