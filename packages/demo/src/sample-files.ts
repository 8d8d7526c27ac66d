// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { copyFile, mkdir, realpath, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "layerwise-lab";

/** What a runtime weighs, of bytes that no compression makes smaller; new ones each time, so that no engine knows them. */
const runtimeBytes = 48_000_000;
const vendoredBytes = 16_000_000;
const vendoredFiles = 40;
const shell = "/bin/sh";

/** Writes what stands for the files of a base image. */
export async function writeRuntime(folder: string): Promise<void> {
  await mkdir(join(folder, "usr", "lib"), { recursive: true });
  await writeFile(join(folder, "usr", "lib", "runtime.bin"), randomBytes(runtimeBytes));
}

/** Adds the shell of this machine and the libraries it needs, so that RUN works without any other image. */
export async function addShell(folder: string): Promise<void> {
  // A program without libraries ends it with an error, and says none.
  const { stdout } = await run(["ldd", shell], { allowFailure: true });
  const libraries = [...stdout.matchAll(/(\/\S+)/g)].map((match) => match[1] ?? "").filter((path) => path !== shell);
  for (const path of [shell, ...libraries]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await copyFile(await realpath(path), join(folder, path));
  }
}

/** Writes what stands for dependencies that are kept beside the source. */
export async function writeVendored(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let number = 0; number < vendoredFiles; number++) {
    await writeFile(join(folder, `package-${number}.bin`), randomBytes(vendoredBytes / vendoredFiles));
  }
}

/** A dependency step for a bare shell: some seconds of work, and a file for each line of requirements.txt. */
export const installScript: string = `n=1
while read -r line; do
  i=0
  while [ $i -lt 50000 ]; do
    n=$(( (n * 1103515245 + 12345) % 2147483648 ))
    echo "$n $i $n"
    i=$((i + 1))
  done > "\${line%%=*}.txt"
done < ../requirements.txt
`;
