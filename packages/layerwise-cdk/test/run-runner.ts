// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ImagePlan } from "../src/private/plan-file.ts";
import { makeFolder, writeFiles } from "./context.ts";
import type { AwsCall } from "./scripted-aws.ts";

const runner = fileURLToPath(new URL("../dist/assets/layerwise-build.mjs", import.meta.url));
const manifest = JSON.stringify({ schemaVersion: 2, layers: [{ size: 1000 }, { size: 234 }] });

/** The digest of the image that is there. */
export const digest = `sha256:${"a".repeat(64)}`;

/** A plan of one image. */
export const plan: ImagePlan = {
  version: 1,
  path: "Dev/App/Image",
  directory: "image",
  file: "Dockerfile",
  platforms: ["linux/amd64"],
  buildArgs: {},
  secrets: [],
  repository: { name: "app" },
  tag: "content-1",
  tagKind: "content",
  floatingTags: ["latest"],
  bases: {},
};

/** How a run of the runner ended. */
export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The exported variables, as a shell has them. */
  readonly outputs: string;
}

/** Runs the bundled runner on plans, beside an endpoint of AWS. */
export async function run(
  [command = "", ...plans]: readonly (string | ImagePlan)[],
  { endpoint = "http://127.0.0.1:9", env = {} }: { endpoint?: string; env?: Record<string, string> } = {},
): Promise<Run> {
  const folder = makeFolder();
  const files = plans.map((one, index) => {
    if (typeof one !== "string") writeFiles(folder, { [`${index}.json`]: JSON.stringify(one) });
    return typeof one === "string" ? one : `${index}.json`;
  });
  const outputs = join(folder, "outputs");
  writeFileSync(outputs, "");
  const args = [runner, command as string, "--assembly", folder, "--source", folder, ...files, "--outputs", outputs];
  const child = spawn(process.execPath, args, {
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      TMPDIR: folder,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      LAYERWISE_ACCOUNT: "111111111111",
      LAYERWISE_REGION: "eu-west-1",
      LAYERWISE_ENGINE: "never",
      ...env,
    },
  });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) child[name].on("data", (text) => (said[name] += text));
  const exitCode = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { exitCode, ...said, outputs: readFileSync(outputs, "utf8") };
}

/** Answers that an image is there, under these tags. */
export function holding(tags: readonly string[], imageManifest: string = manifest) {
  return ({ operation, input }: AwsCall) => {
    if (operation !== "BatchGetImage") return undefined;
    const [{ imageTag = "" } = {}] = input["imageIds"] as { imageTag?: string }[];
    if (!tags.includes(imageTag)) return { images: [], failures: [{ failureCode: "ImageNotFound" }] };
    return { images: [{ imageId: { imageTag, imageDigest: digest }, imageManifest }], failures: [] };
  };
}
