// SPDX-License-Identifier: Apache-2.0
import type { Duration } from "aws-cdk-lib";
import {
  type BuildEnvironment,
  ComputeType,
  type IBuildImage,
  type IFleet,
  LinuxArmBuildImage,
  LinuxArmLambdaBuildImage,
  LinuxBuildImage,
  LinuxLambdaBuildImage,
} from "aws-cdk-lib/aws-codebuild";
import type { ISecurityGroup, IVpc, SubnetSelection } from "aws-cdk-lib/aws-ec2";
import { ImagePlatform } from "./image-platform";
import { checkBuildImage, checkFleet, checkSize } from "./private/check-machine";
import { refusal } from "./private/refuse";

/** Memory of a build on AWS Lambda. */
export enum LambdaMemory {
  /** 1 GB. */
  GB_1 = "BUILD_LAMBDA_1GB",
  /** 2 GB. */
  GB_2 = "BUILD_LAMBDA_2GB",
  /** 4 GB. */
  GB_4 = "BUILD_LAMBDA_4GB",
  /** 8 GB. */
  GB_8 = "BUILD_LAMBDA_8GB",
  /** 10 GB. */
  GB_10 = "BUILD_LAMBDA_10GB",
}

/** Options of `BuildCompute.lambda()`. */
export interface LambdaComputeOptions {
  /**
   * Memory, and processors in proportion.
   *
   * @default LambdaMemory.GB_2
   */
  readonly memory?: LambdaMemory;

  /**
   * The machine's own platform; it may write images of any.
   *
   * @default ImagePlatform.LINUX_AMD64
   */
  readonly architecture?: ImagePlatform;
}

/** A place in a network. */
export interface NetworkOptions {
  /**
   * The VPC that the build runs in.
   *
   * @default - none
   */
  readonly vpc?: IVpc;

  /**
   * Subnets of the VPC.
   *
   * @default - private subnets
   */
  readonly subnetSelection?: SubnetSelection;

  /**
   * Security groups of the build.
   *
   * @default - a new one
   */
  readonly securityGroups?: ISecurityGroup[];
}

/** Options of `BuildCompute.ec2()`. */
export interface Ec2ComputeOptions extends NetworkOptions {
  /**
   * The size of the machine.
   *
   * @default ComputeType.SMALL
   */
  readonly size?: ComputeType;

  /**
   * The machine's platform. An engine builds images for it.
   *
   * @default ImagePlatform.LINUX_AMD64
   */
  readonly architecture?: ImagePlatform;

  /**
   * Whether there is a Docker daemon, which needs a privileged container.
   *
   * @default false
   */
  readonly privileged?: boolean;

  /**
   * CodeBuild's image.
   *
   * @default - a maintained standard image of the architecture
   */
  readonly buildImage?: IBuildImage;

  /**
   * When CodeBuild ends the build.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/** Options of `BuildCompute.dockerServer()`. */
export interface DockerServerOptions extends NetworkOptions {
  /**
   * The size of the Docker server, which keeps layers between builds.
   *
   * @default ComputeType.SMALL
   */
  readonly size?: ComputeType;

  /**
   * The machine's platform; CodeBuild has Docker servers for x86 only.
   *
   * @default ImagePlatform.LINUX_AMD64
   */
  readonly architecture?: ImagePlatform;

  /**
   * When CodeBuild ends the build.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/** Options of `BuildCompute.fleet()`. */
export interface FleetOptions {
  /**
   * The platform of the fleet's machines.
   *
   * @default ImagePlatform.LINUX_AMD64
   */
  readonly architecture?: ImagePlatform;

  /**
   * Whether there is a Docker daemon, which needs a privileged container.
   *
   * @default true
   */
  readonly privileged?: boolean;

  /**
   * When CodeBuild ends the build.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/** What kind of machine CodeBuild builds on. */
export class BuildCompute {
  /**
   * AWS Lambda: there is no Docker, no privilege and no VPC, and a build ends after 15 minutes. It starts faster than a virtual machine, and
   * is all that reuse and assemble need; an `EngineFallback` builds the rest.
   */
  public static lambda(options: LambdaComputeOptions = {}): BuildCompute {
    const { memory = LambdaMemory.GB_2, architecture = ImagePlatform.LINUX_AMD64 } = options;
    const buildImage =
      architecture === ImagePlatform.LINUX_ARM64
        ? LinuxArmLambdaBuildImage.AMAZON_LINUX_2023_NODE_22
        : LinuxLambdaBuildImage.AMAZON_LINUX_2023_NODE_22;
    const environment = { buildImage, computeType: memory as string as ComputeType };
    return new BuildCompute({ kind: "lambda", hasEngine: false, architecture, environment });
  }

  /** A virtual machine of Amazon EC2; with `privileged` it has a Docker daemon. */
  public static ec2(options: Ec2ComputeOptions = {}): BuildCompute {
    const { size = ComputeType.SMALL, architecture = ImagePlatform.LINUX_AMD64, privileged = false } = options;
    const buildImage = options.buildImage ?? standardImage(architecture);
    checkBuildImage(buildImage, architecture);
    checkSize(size);
    const environment = { buildImage, computeType: size, privileged };
    return new BuildCompute({ ...options, kind: "ec2", hasEngine: privileged, architecture, environment });
  }

  /** A machine with a Docker server beside it that keeps layers while builds are frequent. */
  public static dockerServer(options: DockerServerOptions = {}): BuildCompute {
    const { size = ComputeType.SMALL, architecture = ImagePlatform.LINUX_AMD64 } = options;
    if (architecture === ImagePlatform.LINUX_ARM64) {
      throw refusal({
        what: "build on a Docker server for Arm",
        why: "CodeBuild has Docker servers for x86 only",
        fix: "use BuildCompute.ec2({ privileged: true, architecture: ImagePlatform.LINUX_ARM64 })",
      });
    }
    checkSize(size);
    const environment = {
      buildImage: standardImage(architecture),
      computeType: ComputeType.SMALL,
      dockerServer: { computeType: size as never, securityGroups: options.securityGroups },
    };
    return new BuildCompute({ ...options, kind: "docker server", hasEngine: true, architecture, environment });
  }

  /** Machines that are reserved for your builds, and paid for by the hour. */
  public static fleet(fleet: IFleet, options: FleetOptions = {}): BuildCompute {
    const { architecture = ImagePlatform.LINUX_AMD64, privileged = true } = options;
    checkFleet(fleet, architecture);
    const environment = { buildImage: standardImage(architecture), fleet, privileged };
    return new BuildCompute({ ...options, kind: "fleet", hasEngine: privileged, architecture, environment });
  }

  /** @internal */
  public readonly _settings: ComputeSettings;

  /** @internal */
  private constructor(settings: ComputeSettings) {
    this._settings = settings;
  }
}

/**
 * What a project is made from.
 *
 * @internal
 */
export interface ComputeSettings extends NetworkOptions {
  readonly kind: "lambda" | "ec2" | "docker server" | "fleet";
  /** Whether there is a Docker daemon to talk to. */
  readonly hasEngine: boolean;
  readonly architecture: ImagePlatform;
  readonly environment: BuildEnvironment;
  readonly timeout?: Duration;
}

/** Maintained images with Node.js 22 and a Docker that BuildKit is part of. */
function standardImage(architecture: ImagePlatform): IBuildImage {
  return architecture === ImagePlatform.LINUX_ARM64
    ? LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0
    : LinuxBuildImage.STANDARD_7_0;
}
