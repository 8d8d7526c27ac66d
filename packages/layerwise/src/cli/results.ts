// SPDX-License-Identifier: Apache-2.0
import { writeFile } from "node:fs/promises";
import { LayerwiseError } from "../error.ts";

/** Writes a file that the user has named for a result. */
export async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new LayerwiseError(
      "DISK",
      `could not write ${path}: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`,
      {
        cause,
        hint: "name a file that this user may write; the image itself is where it should be",
      },
    );
  }
}
