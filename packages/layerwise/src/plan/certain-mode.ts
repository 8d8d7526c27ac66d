// SPDX-License-Identifier: Apache-2.0
import { changeMode, parseModeInLetters } from "../dockerfile/mode-in-letters.ts";
import type { ContextEntry } from "../ports.ts";
import type { CopyStep } from "./step.ts";
import type { StepContent } from "./step-content.ts";

/** A file or directory that a mode is given to. */
export interface ModeTarget {
  readonly mode: number;
  readonly isDirectory: boolean;
}

/** What a here-document is before. */
export const documentTarget: ModeTarget = { mode: 0o644, isDirectory: false };

/** A file or directory of a build context as something that a mode is given to. */
export function modeTargetOf({ mode, kind }: ContextEntry): ModeTarget {
  return { mode, isDirectory: kind === "directory" };
}

/** Umasks of builders: of BuildKit by itself, and of Docker. */
const umasks = [0, 0o022] as const;

/** Whether a value of --chmod is a mode to all engines, or one that older ones pass over. */
export function isMode(chmod: string): boolean {
  return digitsOf(chmod) !== undefined || parseModeInLetters(chmod) !== undefined;
}

/** Whether a value of --chmod is a mode in letters. */
export function isModeInLetters(chmod: string): boolean {
  return digitsOf(chmod) === undefined && parseModeInLetters(chmod) !== undefined;
}

/** The mode that --chmod gives to what is copied; undefined if engines of different age give different ones. */
export function certainMode(chmod: string, target: ModeTarget): number | undefined {
  return common(readings(chmod, target));
}

/**
 * The mode of a directory that is made on the way to a destination. Docker before 28.1 ignores --chmod there, and newer
 * ones give it the mode, less the umask (tonistiigi/fsutil#228), or at least may.
 */
export function certainDirectoryMode(chmod: string, usual: number): number | undefined {
  const digits = digitsOf(chmod);
  const given = digits === undefined ? lettersApplied(chmod, { mode: usual, isDirectory: true }, [false]) : [digits];
  if (given === undefined) return undefined;
  return common([usual, ...given.flatMap((mode) => umasks.map((umask) => mode & ~umask))]);
}

/** What of a selection engines of different age give different modes, and the mode it has; undefined if nothing. */
export function uncertainMode({ chmod, heredocs }: CopyStep, { sources, archives }: StepContent): string | undefined {
  if (chmod === undefined) return undefined;
  for (const { entry, below } of sources) {
    // Modes are given to what is in a directory, and not to the place that it goes to.
    const given = entry.kind === "directory" ? below.map((one) => one.entry) : [entry];
    for (const one of given) {
      if (one.kind === "symlink" || archives.has(one.path)) continue;
      if (certainMode(chmod, modeTargetOf(one)) === undefined)
        return `${chmod} for ${one.path}, which has ${one.mode.toString(8)}`;
    }
  }
  const isUncertain = heredocs.length > 0 && certainMode(chmod, documentTarget) === undefined;
  return isUncertain ? `${chmod} for a here-document` : undefined;
}

/** What engines of different age make of a mode; nothing if all fail. */
function readings(chmod: string, target: ModeTarget): readonly number[] {
  const { mode } = target;
  const digits = digitsOf(chmod);
  // Docker 20.10 drops the first of four digits, and keeps what the source has there.
  if (digits !== undefined) return [(mode & 0o7000) | (digits & 0o777), digits];
  const applied = lettersApplied(chmod, target, [false, true]);
  // Docker 20.10 and 26 pass over letters, and Docker 28.0 reads an X as BSD does (moby/buildkit#5835).
  return applied === undefined ? [] : [mode, ...applied];
}

/** What a mode in letters makes of another: with each umask, and an X read in each of these ways. */
function lettersApplied(chmod: string, target: ModeTarget, ways: readonly boolean[]): readonly number[] | undefined {
  const changes = parseModeInLetters(chmod);
  if (changes === undefined) return undefined;
  return ways.flatMap((addsOnlyX) => umasks.map((umask) => changeMode(changes, { ...target, umask, addsOnlyX })));
}

function common(modes: readonly number[]): number | undefined {
  return new Set(modes).size === 1 ? modes[0] : undefined;
}

/** Octal digits up to 07777, zeros before them as many as there may be. */
function digitsOf(chmod: string): number | undefined {
  return /^0*[0-7]{1,4}$/.test(chmod) ? Number.parseInt(chmod, 8) : undefined;
}
