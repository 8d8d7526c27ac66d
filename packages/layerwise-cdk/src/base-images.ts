// SPDX-License-Identifier: Apache-2.0

/** What base images an image is built on. */
export class BaseImages {
  /**
   * Those whose digests a lock file has; `layerwise lock` writes it. The digests are inputs of the content tag, so an
   * update of a base image is a commit, is built and is deployed.
   *
   * @param file relative to the build context; default: `layerwise.lock` beside the Dockerfile
   */
  public static lockFile(file?: string): BaseImages {
    return new BaseImages(true, file);
  }

  /**
   * Those that the tags in the Dockerfile name at the time of the build. With a content tag, an update of a base image
   * alone builds and deploys nothing, until another input changes.
   */
  public static unlocked(): BaseImages {
    return new BaseImages(false);
  }

  private constructor(
    /** Whether there is a lock file. */
    public readonly isLocked: boolean,
    /** The lock file, relative to the build context; undefined for the one beside the Dockerfile. */
    public readonly file?: string,
  ) {}
}
