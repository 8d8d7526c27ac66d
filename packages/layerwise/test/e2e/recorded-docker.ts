// SPDX-License-Identifier: Apache-2.0
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Site } from "./site.ts";

/** A docker that writes down how it was called. */
export interface RecordedDocker {
  /** What makes the command line find it. */
  readonly env: Readonly<Record<string, string>>;
  /** The words of all calls so far, as a process listing shows them. */
  calls(): Promise<readonly (readonly string[])[]>;
  forget(): Promise<void>;
}

/** Puts a docker before the one of a site that keeps a list of its arguments. */
export async function recordDocker(site: Site): Promise<RecordedDocker> {
  if (site.engine === undefined) throw new Error("this site has no engine");
  const folder = await site.folder(".recorded");
  const list = join(folder, "calls");
  const script = `#!/bin/sh
{ for word in "$@"; do printf '%s\\0' "$word"; done; printf '\\n\\0'; } >> ${list}
exec ${site.engine.shim}/docker "$@"
`;
  await writeFile(join(folder, "docker"), script, { mode: 0o755 });
  await writeFile(list, "");
  return {
    env: { PATH: `${folder}:/usr/bin:/bin:/usr/sbin:/sbin` },
    async calls() {
      const calls = (await readFile(list, "utf8")).split("\0\n\0").slice(0, -1);
      return calls.map((call) => call.split("\0"));
    },
    forget: async () => await rm(list, { force: true }),
  };
}
