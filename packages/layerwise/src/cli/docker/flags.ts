// SPDX-License-Identifier: Apache-2.0
import { type ParseArgsConfig, parseArgs } from "node:util";
import { LayerwiseError } from "../../error.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** Flags and other words, as Node's parser gives them. */
type Read<T extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>
>;

/** Reads the flags of a verb. USAGE for a flag that it does not have. */
export function readFlags<T extends Options>(verb: string, args: readonly string[], options: T): Read<T> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (cause) {
    const [why = ""] = (cause as Error).message.split(". ");
    throw new LayerwiseError("USAGE", `could not read the command line of docker ${verb}: ${why.replace(/\.$/, "")}`, {
      hint: "see the page on layerwise docker for what it knows",
    });
  }
}
