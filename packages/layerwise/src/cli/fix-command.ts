// SPDX-License-Identifier: Apache-2.0
import { writeFile } from "node:fs/promises";
import { applyEdits, type Edit, type EditedFile, overlap } from "../advise/edit.ts";
import { LayerwiseError } from "../error.ts";
import { type AdvisedFiles, diffOf } from "../report/render-advice.ts";
import { adviseContext, type Explaining } from "./explain-command.ts";
import type { Surroundings } from "./run.ts";

/** `layerwise fix`: shows what the safe advice changes, and changes it if nobody objects. */
export async function fixCommand(explaining: Explaining): Promise<void> {
  const { options, around } = explaining;
  const { advice, files } = await adviseContext(explaining);
  const edits = together(advice.filter(({ isSafe }) => isSafe).flatMap((one) => one.edits));
  const { stdout } = around;
  if (edits.length === 0) {
    const left = advice.length === 0 ? "" : `; layerwise explain has ${advice.length} that a person must decide`;
    stdout.write(`there is no advice that can be applied${left}\n`);
    return;
  }
  stdout.write(diffOf(edits, files));
  if (options.dryRun) return;
  if (files.dockerfile.name === "-") {
    throw new LayerwiseError("USAGE", "could not change a Dockerfile from stdin", {
      hint: "apply the diff where it comes from",
    });
  }
  if (!options.yes && !(await isAgreed(around))) {
    stdout.write("nothing is changed\n");
    return;
  }
  for (const file of new Set(edits.map((edit) => edit.file))) await apply(file, { edits, files });
  stdout.write("changed; build once more to see that the image is what it should be\n");
}

/** Edits that can be made at once: one that is there already is not made again, and no two touch the same lines. */
function together(edits: readonly Edit[]): readonly Edit[] {
  const kept: Edit[] = [];
  for (const edit of edits) {
    const same = kept.find(
      ({ file, line, remove }) => file === edit.file && line === edit.line && remove === 0 && edit.remove === 0,
    );
    if (same !== undefined) {
      const insert = [...new Set([...same.insert, ...edit.insert])];
      kept[kept.indexOf(same)] = { ...same, insert };
    } else if (!kept.some((one) => overlap(one, edit))) {
      kept.push(edit);
    }
  }
  return kept;
}

async function isAgreed({ stdin, stderr }: Surroundings): Promise<boolean> {
  if (stdin.isTTY !== true) {
    throw new LayerwiseError("USAGE", "could not ask whether to change the files: there is no terminal", {
      hint: "give --yes to change them, or --dry-run to see the diff only",
    });
  }
  stderr.write("change these files? [y/N] ");
  for await (const chunk of stdin) return /^y(?:es)?\s*$/i.test(Buffer.from(chunk).toString("utf8"));
  return false;
}

async function apply(
  file: EditedFile,
  { edits, files }: { edits: readonly Edit[]; files: AdvisedFiles },
): Promise<void> {
  const { name, text } = files[file];
  try {
    await writeFile(
      name,
      applyEdits(
        text,
        edits.filter((edit) => edit.file === file),
      ),
    );
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new LayerwiseError("DISK", `could not write ${name}: ${code}`, { cause, hint: "check who may write there" });
  }
}
