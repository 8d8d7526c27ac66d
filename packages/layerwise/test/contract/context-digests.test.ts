// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ContextEntry } from "../../src/ports.ts";
import { entriesIn } from "../../src/system/context-tree.ts";

/* Threads start from compiled files, so this tests what `npm run build` made. */
type Directory = typeof import("../../src/system/context-directory.ts");
type Job = typeof import("../../src/system/digest-job.ts");
const built = new URL("../../dist/system/", import.meta.url).href;
const { openContextDirectory } = (await import(`${built}context-directory.js`)) as Directory;
const { digestBytes, filesOfJob } = (await import(`${built}digest-job.js`)) as Job;

/** More than one thread is asked to hash. */
const count = 5_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "layerwise-digests-"));
  for (let file = 0; file < count; file++) await writeFile(pathOf(file), contentOf(file));
});
afterAll(() => rm(folder, { recursive: true }));

describe("digests of many files", () => {
  it("are those of their contents, in the order asked for", async () => {
    const files = (await filesIn()).reverse();

    const digests = await openContextDirectory(folder).digests(files);

    expect(digests).toEqual(files.map(({ path }) => digestOfFile(path)));
  });

  it("are made by a thread of its own as here", async () => {
    const files = await filesIn();
    const job = filesOfJob(folder, files);
    const worker = new Worker(new URL(`${built}digest-worker.js`), { workerData: job });
    const said = await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    await worker.terminate();

    expect(said).toBe("done");
    expect(Buffer.from(job.results).toString("hex")).toBe(
      files.map(({ path }) => digestOfFile(path).slice(7)).join(""),
    );
    expect(job.results.byteLength).toBe(count * digestBytes);
  });

  it.each([
    { what: "went away", change: (path: string) => rm(path), code: "CONTEXT_CHANGED" },
    { what: "got longer", change: (path: string) => writeFile(path, "longer than it was"), code: "CONTEXT_CHANGED" },
    { what: "became a link", change: relink, code: "CONTEXT_CHANGED" },
  ])("are an error if one $what", async ({ change, code }) => {
    const files = await filesIn();
    const { path } = files[count - 7] as ContextEntry;
    await change(join(folder, path));

    const hashing = openContextDirectory(folder).digests(files);

    await expect(hashing).rejects.toMatchObject({
      code,
      message: `could not read ${path}: it changed during the build`,
    });
    await rm(join(folder, path), { force: true });
    await writeFile(join(folder, path), contentOf(Number.parseInt(path, 10)));
  });

  it("end when they are cancelled", async () => {
    const files = await filesIn();

    const hashing = openContextDirectory(folder).digests(files, { signal: AbortSignal.abort(new Error("stop")) });

    await expect(hashing).rejects.toThrow("stop");
  });
});

async function filesIn(): Promise<ContextEntry[]> {
  const tree = await openContextDirectory(folder).list(() => false);
  return [...entriesIn(tree)].filter(({ kind }) => kind === "file");
}

async function relink(path: string): Promise<void> {
  await rm(path);
  await symlink("/etc/hostname", path);
}

function pathOf(file: number): string {
  return join(folder, `${file}.txt`);
}

function contentOf(file: number): string {
  return file % 100 === 0 ? "" : `${file}`;
}

function digestOfFile(path: string): string {
  return `sha256:${createHash("sha256")
    .update(contentOf(Number.parseInt(path, 10)))
    .digest("hex")}`;
}
