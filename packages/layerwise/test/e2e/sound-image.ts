// SPDX-License-Identifier: Apache-2.0
import { expect } from "vitest";
import { craneValidate, type Output, type SkopeoInspection, skopeoInspect } from "../../../lab/src/index.ts";
import type { Site } from "./site.ts";

/** Checks an image of the registry with three readers of which none is ours, and returns what skopeo says of it. */
export async function expectSound(site: Site, reference: string): Promise<SkopeoInspection> {
  expect(await site.flaws(reference)).toEqual([]);
  await craneValidate(reference);
  return await skopeoInspect(reference);
}

/** The first line that a program wrote. */
export function firstLine(output: Output | undefined): string {
  return output?.stdout.split("\n")[0] ?? "";
}
