// SPDX-License-Identifier: Apache-2.0
import { isUtf8Name } from "../spec/file-name.ts";
import { isMode, isModeInLetters, uncertainMode } from "./certain-mode.ts";
import { isRemote } from "./evaluate-step.ts";
import { plainExcludes } from "./plain-excludes.ts";
import type { RouteReason } from "./route.ts";
import type { CopyStep, Step } from "./step.ts";
import type { StepContent } from "./step-content.ts";
import { literalRoot } from "./step-key.ts";
import { canUnpack } from "./unpack-archive.ts";

/** Why a step could never be assembled, whatever is below it; undefined if it could. */
export function engineOnly(step: Step): RouteReason | undefined {
  const { at } = step;
  if (step.opaque !== undefined) return step.opaque;
  if (step.kind === "workdir") return undefined;
  if (step.kind === "run") return { name: "run-executes", at };
  if (step.from.kind !== "context") return { name: "copy-from", at };
  if (step.kind === "add" && step.sources.some(isRemote)) return { name: "add-remote", at };
  const unnamed = step.heredocs.find(({ name }) => !isFileName(name));
  if (unnamed !== undefined) return { name: "copy-heredoc", detail: unnamed.name, at };
  if (step.link && step.chown !== undefined) return { name: "copy-link", detail: `--chown=${step.chown}`, at };
  if (step.parents) return { name: "copy-parents", at };
  if (plainExcludes(step.excludes) === undefined) {
    return { name: "copy-exclude", detail: step.excludes.map((pattern) => `--exclude=${pattern}`).join(" "), at };
  }
  if (step.unpack !== undefined) return { name: "instruction-form", detail: "--unpack", at };
  const unclear = unclearMode(step);
  return unclear === undefined ? undefined : { name: "copy-chmod", detail: unclear, at };
}

/**
 * Why --chmod is the engine's whatever it is applied to. Under a front end that knows letters, Docker before 28 misses
 * them, and gives mode 0 (client/llb, `fileActionCopy`).
 */
function unclearMode({ chmod, frontEnd }: CopyStep): string | undefined {
  if (chmod === undefined) return undefined;
  if (!isMode(chmod)) return chmod;
  return frontEnd !== undefined && isModeInLetters(chmod) ? `${chmod} for ${frontEnd}` : undefined;
}

/** Why what a step selects from the build context is the engine's, whatever is below it; undefined if it is not. */
export function engineContent(step: CopyStep, content: StepContent): RouteReason | undefined {
  const { at } = step;
  const packed = [...content.archives].find(([, compression]) => !canUnpack(compression));
  if (packed !== undefined) return { name: "add-archive", detail: `${packed[0]} is compressed with ${packed[1]}`, at };
  if (step.link && content.archives.size > 0) return { name: "copy-link", detail: "an archive", at };
  const uncertain = uncertainMode(step, content);
  if (uncertain !== undefined) return { name: "copy-chmod", detail: uncertain, at };
  // Engines fetch only what is matched, and some then miss the directory.
  const missed = step.sources.find(
    (word) => literalRoot(word) !== "" && !content.sources.some((one) => one.word === word),
  );
  if (missed !== undefined) return { name: "instruction-form", detail: `${missed} matches nothing`, at };
  const [capable] = content.capabilities.keys();
  if (capable !== undefined) return { name: "file-capability", detail: capable, at };
  const [disputed] = content.sources.flatMap((source) => source.disputed);
  return disputed === undefined ? undefined : { name: "ignore-exception", detail: disputed, at };
}

/** Whether some of the selected files are such that the step is the engine's. */
export function holdsEngineFiles(step: Step, content: StepContent): boolean {
  const { archives, capabilities } = content;
  if (capabilities.size > 0 || [...archives.values()].some((compression) => !canUnpack(compression))) return true;
  return (step.kind === "copy" || step.kind === "add") && uncertainMode(step, content) !== undefined;
}

/** Whether a here-document can be a file of its own name (solver/llbsolver/file, `mkfile` in an empty root). */
function isFileName(name: string): boolean {
  if (name === "." || name === "..") return false;
  return !name.includes("/") && isUtf8Name(name) && Buffer.byteLength(name) <= maxNameBytes;
}

/** NAME_MAX: https://man7.org/linux/man-pages/man7/path_resolution.7.html */
const maxNameBytes = 255;
