// SPDX-License-Identifier: Apache-2.0
import type { Application } from "layerwise-lab";
import { changeNames, commit } from "./changes.ts";
import type { LayerwiseBuilt } from "./layerwise.ts";
import type { Narrator } from "./narrator.ts";
import type { Change, Deploy, Rival, RivalOutcome } from "./record.ts";
import { layerwiseCells, rivalCells } from "./render-table.ts";

/** The two ways to deploy; both find a machine that remembers nothing. */
export interface Ways {
  /** Undefined if there is nothing to compare with. */
  readonly rival: { readonly name: Rival; deploy(number: number): Promise<RivalOutcome> } | undefined;
  layerwise(number: number): Promise<LayerwiseBuilt>;
}

/** What is deployed, and who hears of it. */
export interface DeploySeries {
  readonly application: Application;
  readonly changes: readonly Change[];
  readonly ways: Ways;
  readonly narrator: Narrator;
}

/** Deploys one commit after the other, each in both ways. */
export async function deploySeries({
  application,
  changes,
  ways,
  narrator,
}: DeploySeries): Promise<{ readonly deploys: readonly Deploy[]; readonly imageBytes: number }> {
  const deploys: Deploy[] = [];
  let imageBytes = 0;
  for (const [index, change] of changes.entries()) {
    const number = index + 1;
    await commit(application, { change, number });
    const label = (way: string) => `  ${number} ${changeNames[change].padEnd(19)} ${way.padEnd(24)}`;
    const built = await narrator.during(
      label("layerwise"),
      () => ways.layerwise(number),
      ({ outcome }) => shown(layerwiseCells(outcome)),
    );
    const { rival } = ways;
    const other =
      rival === undefined
        ? null
        : await narrator.during(
            label(rival.name),
            () => rival.deploy(number),
            (outcome) => shown(rivalCells(outcome)),
          );
    imageBytes = built.imageBytes;
    deploys.push({ number, change, rival: other, layerwise: built.outcome });
  }
  return { deploys, imageBytes };
}

function shown(cells: readonly string[]): string {
  return cells.filter((cell) => cell !== "").join(", ");
}
