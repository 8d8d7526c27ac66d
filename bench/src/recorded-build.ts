// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BenchSite } from "./site.ts";

/** The command with which layerwise had an engine build a residual, to be given by hand. */
export interface RecordedBuild {
  readonly argv: readonly string[];
}

/** A `docker` that notes the first build it is asked for. */
export interface BuildRecorder {
  /** Comes first on the path. */
  readonly folder: string;
  recorded(): Promise<RecordedBuild>;
}

/**
 * Makes a `docker` that hands everything to the engine's own, and keeps a copy of the first build's command and files.
 * The last word is the build context, which layerwise gives under a name that is gone afterwards.
 */
export async function startRecorder({ work, current }: BenchSite): Promise<BuildRecorder> {
  const folder = join(work, "recorder");
  await mkdir(folder, { recursive: true });
  const script = `#!/bin/bash
if [[ " $* " == *" build "*" --file "* && ! -e ${folder}/command ]]; then
  printf '%s\\0' "\${@:1:$#-1}" "$(realpath "\${@: -1}")" > ${folder}/command
  for (( at = 1; at < $#; at++ )); do
    if [[ \${!at} == --file ]]; then
      file=\${@:at+1:1}
      cp "$file" ${folder}/Dockerfile
      if [[ -e $file.dockerignore ]]; then cp "$file.dockerignore" ${folder}/Dockerfile.dockerignore; fi
    fi
  done
fi
exec ${current.shim}/docker "$@"
`;
  await writeFile(join(folder, "docker"), script, { mode: 0o755 });
  return { folder, recorded: () => readRecorded(folder) };
}

/** The same words, with files that are still there. */
async function readRecorded(folder: string): Promise<RecordedBuild> {
  const words = (await readFile(join(folder, "command"), "utf8")).split("\0").slice(0, -1);
  const files: Readonly<Record<string, string>> = {
    "--file": join(folder, "Dockerfile"),
    "--metadata-file": join(folder, "metadata.json"),
  };
  return { argv: ["docker", ...words.map((word, index) => files[words[index - 1] ?? ""] ?? word)] };
}
