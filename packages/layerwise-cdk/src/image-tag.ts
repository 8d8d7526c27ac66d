// SPDX-License-Identifier: Apache-2.0
import { Token } from "aws-cdk-lib";
import { refusal } from "./private/refuse";

/** What a tag may look like. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** How the tag that is deployed is chosen. */
export class ImageTag {
  /**
   * A tag made from all inputs of the image: Dockerfile, build context, arguments, platform, digests of base images. A
   * commit that leaves the image alone has the same tag, so nothing is built and nothing is deployed.
   */
  public static contentHash(): ImageTag {
    return new ImageTag("content");
  }

  /**
   * The commit that is built: every commit deploys.
   *
   * @param commitId the commit at synth. In a pipeline, pass `source.sourceAttribute('CommitId')` to the synth step as an
   *   environment variable and read that variable here; give the same attribute to the build step.
   */
  public static commit(commitId: string): ImageTag {
    if (Token.isUnresolved(commitId) || !tagForm.test(commitId)) {
      throw refusal({
        what: "tag an image with its commit",
        why: commitId === "" ? "the commit id is empty" : `"${commitId}" is no commit id at synth`,
        fix: "pass COMMIT_ID: source.sourceAttribute('CommitId') to the synth step's env, and ImageTag.commit(process.env.COMMIT_ID)",
      });
    }
    return new ImageTag("commit", commitId);
  }

  /**
   * A tag of your own, for releases. It must be another one whenever the image changes: a tag that stays the same never
   * updates a function or a service.
   *
   * @param tag for example `1.4.2`
   */
  public static fixed(tag: string): ImageTag {
    if (Token.isUnresolved(tag) || !tagForm.test(tag)) {
      throw refusal({
        what: "tag an image",
        why: `"${tag}" is no tag`,
        fix: "give at most 128 letters, digits, dots, dashes and underscores, known at synth",
      });
    }
    return new ImageTag("fixed", tag);
  }

  private constructor(
    /** `content`, `commit` or `fixed`. */
    public readonly kind: string,
    /** The tag; undefined if it is made from the inputs. */
    public readonly value?: string,
  ) {}
}
