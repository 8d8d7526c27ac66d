// SPDX-License-Identifier: Apache-2.0
import { Stack, Token } from "aws-cdk-lib";
import type { IRepository } from "aws-cdk-lib/aws-ecr";
import { AccountPrincipal, PolicyStatement, Role } from "aws-cdk-lib/aws-iam";
import { RegionInfo } from "aws-cdk-lib/region-info";
import { Construct } from "constructs";
import { pullActions, pushActions, tokenAction } from "./private/permissions";
import type { PlannedRole } from "./private/plan-file";
import { refusal } from "./private/refuse";

/** Properties of an `ImagePublishRole`. */
export interface ImagePublishRoleProps {
  /** The name. It must be given: a pipeline of another account uses it before and beside CloudFormation. */
  readonly roleName: string;

  /** What the role may push to and pull from. */
  readonly repositories: IRepository[];

  /** The account of the pipeline, 12 digits. Its own policies say which of its roles may assume this one. */
  readonly trustedAccount: string;

  /**
   * A text that whoever assumes the role must know. It is no secret; it keeps others from having a third party use the
   * role for them.
   */
  readonly externalId: string;
}

/**
 * A role in the account of a repository that a pipeline of another account assumes to push images: to the named
 * repositories and nothing else.
 */
export class ImagePublishRole extends Construct {
  /** The role. */
  public readonly role: Role;

  private readonly roleName: string;
  private readonly externalId: string;

  public constructor(scope: Construct, id: string, props: ImagePublishRoleProps) {
    super(scope, id);
    if (!/^\d{12}$/.test(props.trustedAccount)) {
      throw refusal({
        what: `let a pipeline assume ${this.node.path}`,
        why: `"${props.trustedAccount}" is no account known at synth`,
        fix: "give the 12 digits of the account that the pipeline is in",
      });
    }
    this.roleName = props.roleName;
    this.externalId = props.externalId;
    this.role = new Role(this, "Role", {
      roleName: props.roleName,
      description: "assumed by builds of layerwise to push images",
      assumedBy: new AccountPrincipal(props.trustedAccount),
      externalIds: [props.externalId],
    });
    this.role.addToPolicy(new PolicyStatement({ actions: [tokenAction], resources: ["*"] }));
    this.role.addToPolicy(
      new PolicyStatement({
        actions: [...pullActions, ...pushActions],
        resources: props.repositories.map(({ repositoryArn }) => repositoryArn),
      }),
    );
  }

  /**
   * The role by plain names, for a stack of another stage.
   *
   * @internal
   */
  public _planned(image: Construct): PlannedRole {
    const { account, region } = Stack.of(this);
    if (Token.isUnresolved(account)) {
      throw refusal({
        what: `build ${image.node.path} with the role ${this.node.path}`,
        why: "the account of the role is not known at synth",
        fix: "give its stack or stage an env with account and region",
      });
    }
    const partition = (Token.isUnresolved(region) ? undefined : RegionInfo.get(region).partition) ?? "aws";
    return { arn: `arn:${partition}:iam::${account}:role/${this.roleName}`, externalId: this.externalId };
  }
}
