// SPDX-License-Identifier: Apache-2.0
import { Token } from "aws-cdk-lib";
import { refusal } from "./private/refuse";

/** Which secret of AWS Secrets Manager. */
export interface NamedSecretOptions {
  /**
   * A field of a secret that is JSON.
   *
   * @default - the whole secret
   */
  readonly field?: string;
}

/**
 * A secret for `RUN --mount=type=secret`. It names a place; its value is read when the image is built, and is in no
 * template, no plan, no layer and no log.
 */
export class BuildSecret {
  /**
   * A secret of AWS Secrets Manager, by its name or its full ARN, in the account and Region that the build runs in.
   */
  public static secretsManager(nameOrArn: string, options: NamedSecretOptions = {}): BuildSecret {
    return new BuildSecret("secretsmanager", known(nameOrArn), options.field);
  }

  /** A parameter of AWS Systems Manager, SecureString included, by its name. */
  public static ssmParameter(name: string): BuildSecret {
    return new BuildSecret("ssm", known(name));
  }

  private constructor(
    /** `secretsmanager` or `ssm`. */
    public readonly service: string,
    /** Name or ARN. */
    public readonly name: string,
    /** A field of a secret that is JSON. */
    public readonly field?: string,
  ) {}
}

function known(name: string): string {
  if (!Token.isUnresolved(name) && /^[A-Za-z0-9/_+=.@:-]+$/.test(name)) return name;
  throw refusal({
    what: "use a build secret",
    why: "its name is not known at synth, or is no name of a secret: a secret's value has no place here",
    fix: "store the value in Secrets Manager or Parameter Store, and give its name or ARN",
  });
}
