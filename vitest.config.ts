import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Milliseconds that a test with registries or engines may take on a slow machine. */
const slow = 600_000;

/** Milliseconds that a test without I/O may take on a machine that does much else. */
const busy = 60_000;

/** Files that take minutes; begun last, one of them would run alone in the end. */
const longest = /\/(?:corpus|series|demo|keys-cached|engine-images)\.test\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => longest.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

// Unit and property tests do no I/O and share one thread pool without isolation; what starts registries and engines
// runs file by file.
export default defineConfig({
  test: {
    sequence: { shuffle: { tests: true }, sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "unit",
          testTimeout: busy,
          include: [
            "packages/layerwise/src/**/*.test.ts",
            "packages/layerwise/test/unit/**/*.test.ts",
            "packages/codebuild-local/src/**/*.test.ts",
            "packages/demo/src/**/*.test.ts",
            "bench/src/**/*.test.ts",
          ],
          pool: "threads",
          isolate: false,
        },
      },
      {
        test: {
          name: "contract",
          globalSetup: "packages/lab/test/install-for-tests.ts",
          include: ["packages/layerwise/test/contract/**/*.test.ts", "packages/codebuild-local/test/**/*.test.ts"],
          testTimeout: slow,
          hookTimeout: slow,
        },
      },
      {
        test: {
          name: "lab",
          globalSetup: "packages/lab/test/install-for-tests.ts",
          include: ["packages/lab/test/**/*.test.ts", "packages/aws-local/test/**/*.test.ts"],
          // Ten seconds for each app; the constructs' own tests have it.
          env: { CDK_VALIDATION: "false" },
          testTimeout: slow,
          hookTimeout: slow,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "cdk",
          globalSetup: "packages/lab/test/install-for-tests.ts",
          include: ["packages/layerwise-cdk/test/**/*.test.ts"],
          // Ten seconds for each app; the tests with the real command line have it.
          env: { CDK_VALIDATION: "false" },
          testTimeout: slow,
          hookTimeout: slow,
        },
      },
      {
        resolve: { alias: [{ find: /^aws-cdk-lib(?=\/|$)/, replacement: "aws-cdk-lib-floor" }] },
        test: {
          name: "cdk-lowest",
          globalSetup: "packages/lab/test/install-for-tests.ts",
          setupFiles: "packages/layerwise-cdk/test/lowest-cdk.ts",
          include: [
            "packages/layerwise-cdk/test/{consumers,github,image,machines,pipeline,refusals,stacks,waves}.test.ts",
          ],
          testTimeout: slow,
          hookTimeout: slow,
        },
      },
      {
        test: {
          name: "e2e",
          globalSetup: "packages/lab/test/install-for-tests.ts",
          include: ["packages/layerwise/test/e2e/**/*.test.ts", "packages/demo/test/**/*.test.ts"],
          testTimeout: slow,
          hookTimeout: slow,
          // Engines and registries are private to a file, and a build waits for its registry a third of the time.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
