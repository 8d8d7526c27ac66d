// SPDX-License-Identifier: Apache-2.0
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "layerwise-lab";
import type { Hashing, Pair } from "./results.ts";
import { type BenchSite, bundle } from "./site.ts";
import { timed } from "./timed.ts";

const filesPerFolder = 100;
/** Bytes; a source file of some dozens of lines. */
const fileBytes = 2_000;

/**
 * Plans with a context of many small files, of which a layout directory holds the checkpoint, in turn with
 * `tar c | sha256sum` on it. The files are in memory by then.
 */
export async function measureHashing(
  { work }: BenchSite,
  { files, rounds }: { readonly files: number; readonly rounds: number },
): Promise<Hashing> {
  const context = join(work, "many");
  await writeFiles(context, files);
  const layout = join(work, "layout");
  await run([process.execPath, bundle, "build", "--output", `type=oci,dest=${layout}`, context]);
  const pairs: Pair[] = [];
  const ours = () =>
    timed(() => run([process.execPath, bundle, "plan", "--cache-repo", `oci-layout:${layout}`, context]));
  const other = () => timed(() => run(["sh", "-c", 'tar c -C "$1" . | sha256sum', "sh", context]));
  await other();
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0 ? await ours() : await other();
    const second = round % 2 === 0 ? await other() : await ours();
    const [mine, theirs] = round % 2 === 0 ? [first, second] : [second, first];
    pairs.push({ ours: mine.seconds, other: theirs.seconds });
  }
  for (const folder of [context, layout]) await rm(folder, { recursive: true });
  return { files, bytes: files * fileBytes, pairs };
}

async function writeFiles(context: string, files: number): Promise<void> {
  for (let file = 0; file < files; file++) {
    const folder = join(context, "src", `f${Math.floor(file / filesPerFolder)}`);
    if (file % filesPerFolder === 0) await mkdir(folder, { recursive: true });
    await writeFile(join(folder, `m${file}.js`), `${file}\n`.repeat(fileBytes).slice(0, fileBytes));
  }
  await writeFile(join(context, "Dockerfile"), "FROM scratch\nCOPY src /src\n");
}
