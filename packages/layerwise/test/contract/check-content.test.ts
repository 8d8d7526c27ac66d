// SPDX-License-Identifier: Apache-2.0
import { appendFile, chmod, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createIgnoreMatcher, parseIgnoreFile } from "../../src/dockerfile/ignore.ts";
import { checkContent } from "../../src/plan/check-content.ts";
import { type Gathering, gatherContent } from "../../src/plan/gather-content.ts";
import type { BuildContext, ContextTree } from "../../src/ports.ts";
import { openContextDirectory } from "../../src/system/context-directory.ts";
import { contextTree, entriesIn } from "../../src/system/context-tree.ts";
import { evaluated } from "../evaluated.ts";

const changes: readonly (readonly [string, (folder: string) => Promise<void>])[] = [
  ["grows", (folder) => appendFile(join(folder, "src/a"), "more")],
  ["is written again with as many bytes", (folder) => writeFile(join(folder, "src/a"), "2")],
  ["gets another mode", (folder) => chmod(join(folder, "src/a"), 0o755)],
  ["is removed", (folder) => rm(join(folder, "src/a"))],
  ["comes with another one beside it", (folder) => writeFile(join(folder, "src/b"), "")],
  ["is replaced by a directory", (folder) => replaceByDirectory(join(folder, "src/a"))],
];

/** Listings of files that were written long ago tell changes from times alone. */
const ages = [{ age: "new" }, { age: "old" }] as const;

describe.each(ages)("checkContent, in a context of $age files,", ({ age }) => {
  it.each(changes)("throws if a selected file %s", async (_, change) => {
    const { folder, steps, gathering } = await gathered(age);
    const content = await gatherContent(steps, gathering);

    await change(folder);

    await expect(checkContent(content, gathering)).rejects.toMatchObject({ code: "CONTEXT_CHANGED" });
  });

  it("lets pass what nobody selected, what is ignored, and what is the same", async () => {
    const { folder, steps, gathering } = await gathered(age);
    const content = await gatherContent(steps, gathering);

    await writeFile(join(folder, "elsewhere"), "new");
    await writeFile(join(folder, "src/build.log"), "new");

    await expect(checkContent(content, gathering)).resolves.toBeUndefined();
  });
});

it("sees that an old file was written again with the same content", async () => {
  const { folder, steps, gathering } = await gathered("old");
  const content = await gatherContent(steps, gathering);

  await rename(join(folder, "src/a"), join(folder, "aside"));
  await writeFile(join(folder, "src/a"), "1");

  await expect(checkContent(content, gathering)).rejects.toMatchObject({ code: "CONTEXT_CHANGED" });
});

it("throws if a file of a named directory was written", async () => {
  const { folder, gathering } = await gathered("new");
  const [directory, name] = [openContextDirectory(join(folder, "src")), "named"];
  const { stages } = evaluated("FROM base\nCOPY --from=named a /a\nCOPY src /src\n", { directories: [name] });
  const steps = [...stages.values()].flatMap((stage) => stage.steps);
  const reading = { ...gathering, directories: new Map([[name, directory]]) };
  const content = await gatherContent(steps.slice(0, 1), reading);
  await checkContent(content, reading);

  await writeFile(join(folder, "src/a"), "2");

  await expect(checkContent(content, reading)).rejects.toMatchObject({ code: "CONTEXT_CHANGED" });
});

async function gathered(age: "new" | "old") {
  const folder = await mkdtemp(join(tmpdir(), "layerwise-context-"));
  onTestFinished(async () => await rm(folder, { recursive: true }));
  await mkdir(join(folder, "src"));
  await writeFile(join(folder, "src/a"), "1");
  const { stages } = evaluated("FROM base\nCOPY src /src\n");
  const steps = [...stages.values()].flatMap((stage) => stage.steps);
  const matcher = createIgnoreMatcher(parseIgnoreFile("**/*.log"));
  const directory = openContextDirectory(folder);
  const context = age === "old" ? aged(directory) : directory;
  const gathering: Gathering = { context, matcher, emit: () => undefined };
  return { folder, steps, gathering };
}

/** Nobody can set back the time that a file's last change has, so the listing says that it was long ago. */
function aged(context: BuildContext): BuildContext {
  const list = async (...args: Parameters<BuildContext["list"]>): Promise<ContextTree> => {
    const tree = await context.list(...args);
    return contextTree(new Map([...entriesIn(tree)].map((entry) => [entry.path, { ...entry, isRecent: false }])));
  };
  return { ...context, list };
}

async function replaceByDirectory(path: string): Promise<void> {
  await rm(path);
  await mkdir(path);
}
