// SPDX-License-Identifier: Apache-2.0
import type { Application } from "layerwise-lab";
import type { Change } from "./record.ts";

/** The commits of the story, in their order: on some engines only the third deploy shows what goes wrong. */
export function changesOf({ quick }: { readonly quick: boolean }): readonly Change[] {
  const sources = Array.from({ length: quick ? 2 : 5 }, (): Change => "source");
  return ["cold", ...sources, "nothing", "dependency"];
}

/** How a table names a change. */
export const changeNames: Readonly<Record<Change, string>> = {
  cold: "cold",
  source: "source changed",
  nothing: "nothing changed",
  dependency: "dependency changed",
};

/** Changes the application as the commit before a deploy does. */
export async function commit(
  application: Application,
  { change, number }: { readonly change: Change; readonly number: number },
): Promise<void> {
  if (change === "source") await application.touch(number);
  if (change === "dependency") await application.upgrade();
}
