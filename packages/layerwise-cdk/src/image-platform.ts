// SPDX-License-Identifier: Apache-2.0

/** The platform that an image is made for. */
export class ImagePlatform {
  /** Linux on x86, 64 bits. */
  public static readonly LINUX_AMD64 = new ImagePlatform("linux/amd64", "x86_64");

  /** Linux on Arm, 64 bits: AWS Graviton. */
  public static readonly LINUX_ARM64 = new ImagePlatform("linux/arm64", "arm64");

  /**
   * @param platform as `--platform` of a build has it
   * @param architecture as AWS Lambda names it
   */
  private constructor(
    public readonly platform: string,
    public readonly architecture: string,
  ) {}
}
