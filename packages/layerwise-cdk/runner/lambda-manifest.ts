// SPDX-License-Identifier: Apache-2.0
import type { ImagePlan } from "../src/private/plan-file.ts";
import type { FoundImage } from "./destination.ts";
import { RunnerError } from "./runner-error.ts";

/** https://docs.aws.amazon.com/lambda/latest/dg/images-create.html: one image, in Docker's or in the OCI's form. */
const manifestTypes: ReadonlySet<string> = new Set([
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
]);

const layerTypes: ReadonlySet<string> = new Set([
  "application/vnd.docker.image.rootfs.diff.tar.gzip",
  "application/vnd.oci.image.layer.v1.tar+gzip",
]);

interface ManifestPart {
  readonly mediaType?: string;
  readonly manifests?: unknown;
  readonly layers?: readonly { readonly mediaType: string; readonly digest: string }[];
}

/** Stops before a function is deployed from an image that AWS Lambda would refuse. */
export function checkForLambda({ isForLambda = false, path, tag }: ImagePlan, { digest, manifest }: FoundImage): void {
  if (!isForLambda) return;
  const { mediaType, manifests, layers = [] } = JSON.parse(manifest) as ManifestPart;
  const what = `could not give ${path} to AWS Lambda: ${tag}, which is ${digest},`;
  if (manifests !== undefined || (mediaType !== undefined && !manifestTypes.has(mediaType))) {
    throw new RunnerError(`${what} is no single image but ${mediaType ?? "an index"}`, {
      hint: "remove that tag, which something else has pushed, and retry the step",
    });
  }
  const other = layers.find((layer) => !layerTypes.has(layer.mediaType));
  if (other === undefined) return;
  throw new RunnerError(`${what} has the layer ${other.digest} as ${other.mediaType}, and not as gzip`, {
    hint: "build on a base image whose layers are gzip: layers of the base are taken over as they are",
  });
}
