// SPDX-License-Identifier: Apache-2.0
import { StringDecoder } from "node:string_decoder";

/** Cuts bytes into lines. */
export interface LineSplitter {
  write(chunk: Uint8Array): void;
  /** Hands out what stands after the last line break. */
  end(): void;
}

/** Longest line in characters; a longer one is handed out in pieces, so that no program can fill the memory. */
const maxLine = 64 * 1024;

/** Starts to cut UTF-8 into lines, which are handed out without their line breaks. */
export function startLines(onLine: (line: string) => void): LineSplitter {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const take = (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    while (rest.length > maxLine) {
      onLine(rest.slice(0, maxLine));
      rest = rest.slice(maxLine);
    }
  };
  return {
    write: (chunk) => take(decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))),
    end() {
      take(decoder.end());
      if (rest !== "") onLine(rest);
      rest = "";
    },
  };
}
