// SPDX-License-Identifier: Apache-2.0
import { type IRepository, RepositoryBase } from "aws-cdk-lib/aws-ecr";
import type { AddToResourcePolicyResult, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import { type RepositoryPlace, registryHost, repositoryArn } from "./repository-place";

/**
 * A repository by plain names, so that a stack that uses an image does not import values from the stack of its
 * repository: such exports cannot be changed while they are used. Policies are still added to the repository itself.
 */
export class PinnedRepository extends RepositoryBase {
  public readonly repositoryName: string;
  public readonly repositoryArn: string;
  private readonly host: string;

  public constructor(
    scope: Construct,
    id: string,
    private readonly pinned: { readonly place: RepositoryPlace; readonly actual: IRepository },
  ) {
    super(scope, id);
    this.repositoryName = pinned.place.name;
    this.repositoryArn = repositoryArn(pinned.place, this);
    this.host = registryHost(pinned.place, this);
  }

  /** The base class takes the host out of the ARN, by functions of CloudFormation if it holds a token. */
  public override repositoryUriForTagOrDigest(tagOrDigest?: string): string {
    const uri = `${this.host}/${this.repositoryName}`;
    if (tagOrDigest === undefined) return uri;
    return tagOrDigest.startsWith("sha256:") ? `${uri}@${tagOrDigest}` : `${uri}:${tagOrDigest}`;
  }

  public override addToResourcePolicy(statement: PolicyStatement): AddToResourcePolicyResult {
    return this.pinned.actual.addToResourcePolicy(statement);
  }
}
