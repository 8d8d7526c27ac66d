// SPDX-License-Identifier: Apache-2.0

/** Tells a person what happens while it happens. */
export interface Narrator {
  /** A paragraph. */
  say(text: string): void;
  /** Says that something begins that takes time, does it, and says on the same line how it ended and after how long. */
  during<T>(what: string, work: () => Promise<T>, outcome?: (result: T) => string): Promise<T>;
}

/** Writes to a stream. */
export function narrateTo(stream: { write(text: string): unknown }): Narrator {
  return {
    say: (text) => void stream.write(`${text}\n`),
    async during(what, work, outcome) {
      stream.write(`${what} ... `);
      const started = performance.now();
      try {
        const result = await work();
        stream.write(`${outcome?.(result) ?? `${((performance.now() - started) / 1000).toFixed(1)} s`}\n`);
        return result;
      } catch (error) {
        stream.write("failed\n");
        throw error;
      }
    },
  };
}
