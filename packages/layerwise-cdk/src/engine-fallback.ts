// SPDX-License-Identifier: Apache-2.0
import type { Duration } from "aws-cdk-lib";
import type { ComputeType } from "aws-cdk-lib/aws-codebuild";
import { BuildCompute, type NetworkOptions } from "./build-compute";
import type { ImagePlatform } from "./image-platform";

/** Options of `EngineFallback.ec2()`. */
export interface EngineFallbackOptions extends NetworkOptions {
  /**
   * The size of the machine.
   *
   * @default ComputeType.SMALL
   */
  readonly size?: ComputeType;

  /**
   * When CodeBuild ends the build. A step on AWS Lambda can wait for 14 minutes; then it fails, the build goes on, and a
   * retry of the step finds what was built.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/** What happens when a build without a Docker daemon finds that a RUN must execute. */
export class EngineFallback {
  /**
   * A privileged project on Amazon EC2 builds those images. It is started only then, by the build step, which waits for
   * it.
   */
  public static ec2(options: EngineFallbackOptions = {}): EngineFallback {
    return new EngineFallback(options);
  }

  /** The build fails and says which instruction needs an engine. */
  public static none(): EngineFallback {
    return new EngineFallback();
  }

  private constructor(private readonly options?: EngineFallbackOptions) {}

  /**
   * The compute for images of a platform; undefined if there is to be none.
   *
   * @internal
   */
  public _computeFor(architecture: ImagePlatform): BuildCompute | undefined {
    return this.options === undefined
      ? undefined
      : BuildCompute.ec2({ ...this.options, architecture, privileged: true });
  }
}
