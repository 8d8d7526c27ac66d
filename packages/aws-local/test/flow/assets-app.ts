// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
// A version whose assemblies the pinned cdk-assets reads.
import { App, Stack } from "aws-cdk-lib-floor";
import { DockerImageAsset, Platform } from "aws-cdk-lib-floor/aws-ecr-assets";
import { hostPlatform } from "../../../lab/src/index.ts";
import type { AwsLocal } from "../../src/index.ts";

/** An app with one image asset, as it was before anybody heard of layerwise. */
export interface AssetApp {
  /** The file of assets in the cloud assembly. */
  readonly manifest: string;
  /** The repository that `cdk bootstrap` made. */
  readonly repositoryName: string;
  /** The tag of the image in it. */
  readonly imageTag: string;
}

/** Writes the files of a build context and synthesizes an app that has it as an asset. */
export async function synthAssets(
  aws: AwsLocal,
  { folder, files }: { readonly folder: string; readonly files: Readonly<Record<string, string>> },
): Promise<AssetApp> {
  const directory = join(folder, "image");
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  }
  const { account, region } = aws;
  const app = new App({ outdir: join(folder, "cdk.out"), analyticsReporting: false });
  const stack = new Stack(app, "Orders", { env: { account, region } });
  const platform = Platform.custom(`linux/${hostPlatform().architecture}`);
  const { imageTag } = new DockerImageAsset(stack, "Image", { directory, platform, buildArgs: { UNUSED: "1" } });
  app.synth();
  return {
    manifest: join(app.outdir, `${stack.stackName}.assets.json`),
    repositoryName: `cdk-hnb659fds-container-assets-${account}-${region}`,
    imageTag,
  };
}
