// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import type { Deploy, Series } from "./record.ts";
import { renderSeries } from "./render-table.ts";

const reused = {
  route: "assemble",
  executed: false,
  seconds: 0.5,
  received: 67_000,
  requests: 20,
  uploaded: 1e6,
} as const;
const made = {
  route: "engine",
  executed: true,
  seconds: 20,
  received: 170_000_000,
  requests: 40,
  uploaded: 8e7,
} as const;

function sourceDeploy(number: number, rival: Deploy["rival"]): Deploy {
  return { number, change: "source", rival, layerwise: reused };
}

it("renders a series as a Markdown table with what follows from it", () => {
  const series: Series = {
    engine: { version: "28.5.2", store: "classic" },
    rival: "classic recipe",
    imageBytes: 163_000_000,
    deploys: [
      { number: 1, change: "cold", rival: { seconds: 22, executed: true, received: 140e6 }, layerwise: made },
      sourceDeploy(2, { seconds: 18, executed: false, received: 163e6 }),
      sourceDeploy(3, { seconds: 38, executed: true, received: 220e6 }),
    ],
  };

  const text = renderSeries(series);

  expect(text).toBe(`Docker 28.5.2 with the classic image store, an image of 163.0 MB

| deploy           | classic recipe: RUN | seconds | MB down | layerwise: route | RUN      | seconds | MB down | MB written |
| ---------------- | ------------------- | ------: | ------: | ---------------- | -------- | ------: | ------: | ---------: |
| 1 cold           | executed            |   22.00 |   140.0 | engine           | executed |   20.00 |   170.0 |       80.0 |
| 2 source changed | cached              |   18.00 |   163.0 | assemble         |          |    0.50 |   0.067 |        1.0 |
| 3 source changed | executed            |   38.00 |   220.0 | assemble         |          |    0.50 |   0.067 |        1.0 |

Source changed, median: classic recipe 28.00 s, layerwise 0.50 s, 56 times as fast.
The classic recipe executed the dependencies' RUN again in 1 of 2 of these deploys, layerwise in 0.
`);
});

it("leaves out what was not counted, and compares with nothing if there is nothing", () => {
  const layerwise = { ...reused, received: null };
  const deploys = [1, 2, 3].map((number): Deploy => ({ ...sourceDeploy(number, null), layerwise }));

  const text = renderSeries({ engine: null, rival: null, imageBytes: 65_000_000, deploys });

  expect(text).toContain("| deploy           | layerwise: route | seconds | MB written |\n");
  expect(text).toContain("| 2 source changed | assemble         |    0.50 |        1.0 |\n");
  expect(text.trimEnd().split("\n").at(-1)).toBe("Source changed, median: layerwise 0.50 s.");
});
