// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { holding, plan, run } from "./run-runner.ts";
import { startScriptedAws } from "./scripted-aws.ts";

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
const zstd = "application/vnd.oci.image.layer.v1.tar+zstd";

/** A manifest with one layer of each of these types. */
function manifestOf(...types: readonly string[]): string {
  const layers = types.map((mediaType, index) => ({ mediaType, digest: `sha256:${index}`, size: 10 }));
  return JSON.stringify({ schemaVersion: 2, mediaType: manifestType, layers });
}

const index = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.index.v1+json",
  manifests: [{ mediaType: manifestType, digest: "sha256:1", size: 1 }],
});

it.each([
  ["an index", index, "is no single image but application/vnd.oci.image.index.v1+json"],
  ["a layer that is not gzip", manifestOf(gzip, zstd), `has the layer sha256:1 as ${zstd}, and not as gzip`],
])("refuses %s for a function, whether it is built or promoted", async (_, manifest, why) => {
  const { endpoint } = await startScriptedAws(holding(["content-1", "latest"], manifest));
  const forLambda = { ...plan, isForLambda: true };

  const built = await run(["build", forLambda], { endpoint });
  const promoted = await run(["promote", plan, forLambda], { endpoint });
  const forTask = await run(["build", plan], { endpoint });

  for (const { exitCode, stderr, outputs } of [built, promoted]) {
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`could not give Dev/App/Image to AWS Lambda: content-1, which is sha256:`);
    expect(stderr).toContain(why);
    expect(stderr).toMatch(/^ {2}hint: /m);
    expect(outputs).toBe("");
  }
  expect(forTask.exitCode).toBe(0);
});

it("lets a function have a single image of gzip layers", async () => {
  const { endpoint } = await startScriptedAws(holding(["content-1", "latest"], manifestOf(gzip, gzip)));

  const { exitCode, outputs } = await run(["build", { ...plan, isForLambda: true }], { endpoint });

  expect(exitCode).toBe(0);
  expect(outputs).toContain("LAYERWISE_REUSED_BYTES='20'");
});

it("counts the layers of all platforms behind an index that is there", async () => {
  const tags = ["content-1", "content-1-amd64", "content-1-arm64", "latest"];
  const { endpoint, calls } = await startScriptedAws((call) => {
    const [{ imageTag = "" } = {}] = call.input["imageIds"] as { imageTag?: string }[];
    return holding(tags, imageTag.startsWith("content-1-") ? manifestOf(gzip, gzip, gzip) : index)(call);
  });

  const { outputs } = await run(["build", { ...plan, platforms: ["linux/amd64", "linux/arm64"] }], { endpoint });

  expect(outputs).toContain("LAYERWISE_REUSED_BYTES='60'");
  expect(outputs).toContain("LAYERWISE_ENGINE_USED='false'");
  expect(calls).toHaveLength(4);
});
