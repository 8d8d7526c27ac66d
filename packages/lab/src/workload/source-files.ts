// SPDX-License-Identifier: Apache-2.0

/** A file of Python source. */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

const files = 300;
const functionsPerFile = 130;
const vocabulary = 4_000;
/** Any number but 0. */
const seed = 7;

/** Python modules that compress about as real ones do; always the same. */
export function sourceFiles(): readonly SourceFile[] {
  const random = randomNumbers();
  const words = Array.from({ length: vocabulary }, () => random(0xffffffff).toString(16));
  const word = () => words[random(vocabulary)] ?? "";
  return Array.from({ length: files }, (_, file) => ({
    name: `m${String(file).padStart(3, "0")}.py`,
    text: Array.from(
      { length: functionsPerFile },
      (_, number) =>
        `def f${number}_${word()}(x): return x * ${random(1_000_000)} + len('${word()} ${word()} ${word()}')\n`,
    ).join(""),
  }));
}

/** Numbers below a limit that look random. https://doi.org/10.18637/jss.v008.i14 (xorshift, 13 17 5) */
function randomNumbers(): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
