// SPDX-License-Identifier: Apache-2.0
import type { FileTree } from "./file-tree.ts";
import { defaultMode } from "./file-tree.ts";
import { refuseLayer } from "./refusal.ts";
import type { CopyStep } from "./step.ts";
import type { StepContent } from "./step-content.ts";

/**
 * Refuses a copy with --link unless it gives the same with all image stores. Those that can merge layers copy into an
 * empty root (dockerfile2llb, `dispatchCopy`): links on the way are replaced, and directories become root's, of mode
 * 0755, whatever they were. The others copy as without the flag.
 */
export function refuseLinkedCopy(tree: FileTree, { step, content }: { step: CopyStep; content: StepContent }): void {
  const names = step.destination.split("/").filter((name) => name !== "");
  for (let length = 1; length <= names.length; length++) {
    const path = names.slice(0, length).join("/");
    const node = tree.at(path);
    if (node === undefined) return;
    const isLast = length === names.length;
    if (node.kind === "directory" ? !isOrdinary(node) : !isLast || node.kind === "symlink") refuse(path);
    if (node.kind === "directory" && isLast && !step.destination.endsWith("/") && putsFiles(step, content))
      refuse(path);
  }
}

function isOrdinary(directory: { mode: number; uid: number; gid: number; implied?: boolean | undefined }): boolean {
  const { mode, uid, gid, implied } = directory;
  return mode === defaultMode && uid === 0 && gid === 0 && implied !== true;
}

/** Whether something is copied that a directory would be replaced by. */
function putsFiles({ heredocs }: CopyStep, { sources }: StepContent): boolean {
  return heredocs.length > 0 || sources.some(({ entry }) => entry.kind !== "directory");
}

function refuse(path: string): never {
  return refuseLayer({ name: "copy-link", detail: `/${path} is there already` });
}
