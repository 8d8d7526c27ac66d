// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { expect, it } from "vitest";
import { makeApp, pipelineStack } from "./app.ts";
import { makeContext } from "./context.ts";

interface Report {
  readonly pluginReports: readonly {
    readonly violations: readonly {
      readonly ruleName: string;
      readonly violatingConstructs: readonly { readonly constructPath?: string }[];
    }[];
  }[];
}

/** Rules and the constructs that break them, of what is ours. */
function findings(app: App): readonly string[] {
  const { directory } = app.synth();
  const report = JSON.parse(readFileSync(join(directory, "validation-report.json"), "utf8")) as Report;
  const all = report.pluginReports.flatMap(({ violations }) =>
    violations.flatMap(({ ruleName, violatingConstructs }) =>
      violatingConstructs.map(({ constructPath = "" }) => `${ruleName} at ${constructPath}`),
    ),
  );
  return [...new Set(all)].filter((text) => /BuildImages|Images\/|Image\//.test(text)).sort();
}

it("breaks no other rules of AWS Solutions than those that are listed here, each with its reason", () => {
  const app = makeApp();
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  pipelineStack(app, { image: { directory: makeContext() } });

  expect(findings(app)).toEqual([]);
});
