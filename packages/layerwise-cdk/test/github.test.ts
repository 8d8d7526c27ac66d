// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { goodContext, makeSharedFolder, writeFiles } from "./context.ts";
import { gitHubActionRoleArn, type Job, jobsOf, synthWorkflow } from "./github-app.ts";

const env = { account: "111111111111", region: "eu-west-1" };

/** All that a job waits for, directly or not. */
function before(jobs: Readonly<Record<string, Job>>, name: string): ReadonlySet<string> {
  const { needs = [] } = jobs[name] ?? {};
  return new Set(needs.flatMap((one) => [one, ...before(jobs, one)]));
}

let first: string;
let jobs: Readonly<Record<string, Job>>;
const folder = makeSharedFolder();
const directory = join(folder, "image");

beforeAll(() => {
  mkdirSync(join(folder, ".git"));
  writeFiles(directory, goodContext);
  first = synthWorkflow(folder, { env, image: { directory } });
  jobs = jobsOf(first);
});

it("is a job of a workflow at GitHub, between the stack of the repository and the one that uses the image", () => {
  const order = ["Dev-Repository-Deploy", "Dev-App-BuildImages", "Dev-App-Deploy"];
  const promotion = ["Dev-App-Deploy", "Prod-Repository-Deploy", "Prod-App-PromoteImages", "Prod-App-Deploy"];
  for (const chain of [order, promotion]) {
    for (const [index, name] of chain.entries()) {
      const [waited, next = name] = [before(jobs, name), chain[index + 1]];
      expect([...waited]).toEqual(expect.arrayContaining(chain.slice(0, index)));
      expect(waited).not.toContain(next);
    }
  }
  expect(before(jobs, "Dev-App-BuildImages")).toContain("Build-Synth");
});

it("has in that job the source, the assembly and a role by OpenID Connect, and nothing else", () => {
  const uploaded = jobs["Build-Synth"]?.steps.find(({ uses }) => uses?.startsWith("actions/upload-artifact@"));
  const { permissions, env: variables, outputs, steps = [] } = jobs["Dev-App-BuildImages"] ?? {};
  const [checkout, role, assembly, build] = steps;
  expect(permissions).toEqual({ contents: "read", "id-token": "write" });
  expect(variables).toEqual({ LAYERWISE_ACCOUNT: env.account, LAYERWISE_REGION: env.region });
  expect(steps).toHaveLength(4);
  expect(checkout?.uses).toMatch(/^actions\/checkout@/);
  expect(role?.with).toMatchObject({ "role-to-assume": gitHubActionRoleArn, "aws-region": env.region });
  expect(assembly?.uses).toMatch(/^actions\/download-artifact@/);
  expect(assembly?.with).toEqual({ name: uploaded?.with?.["name"], path: ".layerwise-assembly" });
  expect(build?.id).toBe("layerwise");
  expect(outputs).toEqual({ digest: "${{ steps.layerwise.outputs.LAYERWISE_DIGEST }}" });
  expect(build?.run).toMatch(
    /^node \.layerwise-assembly\/assembly-Dev\/layerwise-build\.mjs build --assembly \.layerwise-assembly --source \. assembly-Dev\/layerwise-image-[0-9a-f]{42}\.json --outputs "\$LAYERWISE_OUTPUTS"$/m,
  );
  expect(jobs["Prod-App-PromoteImages"]?.permissions).toEqual(permissions);
});

it("keeps the workflow as it is when only an image's source changes", () => {
  writeFiles(directory, { "src/app.py": "print(2)\n" });

  const second = synthWorkflow(folder, { env, image: { directory } });

  expect(second).toBe(first);
});

it("has the patch of the workflow in its documentation", () => {
  const [, code = ""] =
    /^(import .*)/ms.exec(readFileSync(new URL("./github-workflow.ts", import.meta.url), "utf8")) ?? [];
  const page = readFileSync(new URL("../../../docs/cdk.md", import.meta.url), "utf8");

  expect(page).toContain(code);
});
