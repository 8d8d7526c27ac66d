// SPDX-License-Identifier: Apache-2.0
import { Annotations, Token } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { refusal } from "./refuse";

/** Names that BuildKit warns of as well. https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/ */
const secretName = /(?:^|_)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;

/** Values of build arguments are seen by whoever can pull the image: they are known at synth, and no secrets. */
export function checkBuildArgs(buildArgs: Readonly<Record<string, string>>, image: Construct): void {
  for (const [name, value] of Object.entries(buildArgs)) {
    if (Token.isUnresolved(value)) {
      throw refusal({
        what: `use the build argument ${name}`,
        why: "its value is known at deployment only, and the image is built before; a secret would be seen in the image",
        fix: "give a value that is known at synth, or name a secret in buildSecrets",
      });
    }
    if (!secretName.test(name) || /(?:^|_)public(?:_|$)/i.test(name)) continue;
    Annotations.of(image).addWarningV2(
      `layerwise-cdk:secret-build-argument:${name}`,
      `the build argument ${name} looks like a secret, and stands in the cloud assembly, in logs and in the image's history. Store it, and name it in buildSecrets; RUN --mount=type=secret reads it`,
    );
  }
}
