// SPDX-License-Identifier: Apache-2.0

/** One change to a mode, for example `go-w`. */
export interface ModeChange {
  /** The bits of the classes that it is for; undefined if it names none, so that the process's umask counts. */
  readonly classes: number | undefined;
  readonly operator: "+" | "-" | "=";
  /** Letters of `rwxX`, or the one class whose bits are copied. */
  readonly permissions: string;
}

/** What a mode in letters is applied to, and by whom. */
export interface ModeSubject {
  readonly mode: number;
  readonly isDirectory: boolean;
  readonly umask: number;
  /** Whether an X counts behind `+` alone, as in BSD, or behind each operator, as in Linux. */
  readonly addsOnlyX: boolean;
}

const classBits: Readonly<Record<string, number>> = { u: 0o700, g: 0o070, o: 0o007, a: 0o777 };
const letterBits: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111 };
const copied: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

/**
 * Reads a mode in letters as POSIX describes it, without set-user, set-group and sticky bits; undefined if it is none.
 * BuildKit's library takes more, and agrees on these: https://github.com/tonistiigi/dchapes-mode
 */
export function parseModeInLetters(text: string): readonly ModeChange[] | undefined {
  const changes: ModeChange[] = [];
  for (const clause of text.split(",")) {
    const [, named = "", actions] = /^([ugoa]*)((?:[-+=](?:[rwxX]*|[ugo]))+)$/.exec(clause) ?? [];
    if (actions === undefined) return undefined;
    const bits = [...named].reduce((all, letter) => all | (classBits[letter] as number), 0);
    for (const [, operator, permissions = ""] of actions.matchAll(/([-+=])([^-+=]*)/g)) {
      const classes = named === "" ? undefined : bits;
      changes.push({ classes, operator: operator as ModeChange["operator"], permissions });
    }
  }
  return changes;
}

/** Applies changes one after the other. */
export function changeMode(changes: readonly ModeChange[], subject: ModeSubject): number {
  let mode = subject.mode;
  for (const change of changes) mode = changed(mode, change, subject);
  return mode;
}

function changed(mode: number, { classes, operator, permissions }: ModeChange, subject: ModeSubject): number {
  const reach = classes ?? 0o777 & ~subject.umask;
  const bits =
    reach & (permissions in copied ? copiedBits(mode, permissions) : ownBits(permissions, operator, subject));
  switch (operator) {
    case "+":
      return mode | bits;
    case "-":
      return mode & ~bits;
    default:
      return (mode & ~clearedBits({ classes, permissions, reach })) | bits;
  }
}

function copiedBits(mode: number, from: string): number {
  return ((mode >> (copied[from] as number)) & 0o7) * 0o111;
}

function ownBits(letters: string, operator: ModeChange["operator"], subject: ModeSubject): number {
  const bits = [...letters].reduce((all, letter) => all | (letterBits[letter] ?? 0), 0);
  const counts = letters.includes("X") && (operator === "+" || !subject.addsOnlyX);
  return counts && (subject.isDirectory || (subject.mode & 0o111) !== 0) ? bits | 0o111 : bits;
}

/** What `=` takes away first: unless it copies, set-user and set-group bits of the classes too. */
function clearedBits({ classes, permissions, reach }: Pick<ModeChange, "classes" | "permissions"> & { reach: number }) {
  if (permissions in copied) return reach;
  const all = classes ?? 0o777;
  return all | ((all & 0o700) === 0 ? 0 : 0o4000) | ((all & 0o070) === 0 ? 0 : 0o2000);
}
