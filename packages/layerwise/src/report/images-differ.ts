// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import type { Verification } from "../verify/verify.ts";
import { differenceLines } from "./render-verification.ts";

/** Most lines of differences that an error shows; `layerwise verify` shows all. */
const maxLines = 20;

/** The error of a build whose image is not the engine's, with the checkpoints that may be at fault. */
export function imagesDiffer({ differences, checkpoints }: Verification): LayerwiseError {
  const lines = differenceLines(differences);
  const left = lines.length - maxLines;
  const problems = left > 0 ? [...lines.slice(0, maxLines), `and ${left} more lines`] : lines;
  const at = checkpoints.length === 0 ? "" : `; it continues the checkpoint ${checkpoints.join(", ")}`;
  return new LayerwiseError(
    "IMAGES_DIFFER",
    `could not publish the image: it is not what an engine builds from the same inputs${at}`,
    {
      hint:
        checkpoints.length === 0
          ? "build with --no-cache, and report this with the Dockerfile"
          : `remove the checkpoint with "layerwise prune --key ${checkpoints[0]} --cache-repo REPOSITORY", and report this with the Dockerfile`,
      details: { problems, checkpoints },
    },
  );
}
