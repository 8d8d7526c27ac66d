// SPDX-License-Identifier: Apache-2.0
import { Stack } from "aws-cdk-lib";
import type { IRepository } from "aws-cdk-lib/aws-ecr";
import { type IGrantable, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { LayerwiseImage } from "../layerwise-image";
import { pullActions, pushActions, tokenAction } from "./permissions";
import type { PlannedSecret } from "./plan-file";
import { refusal } from "./refuse";
import { knownText, placeOf, repositoryArn } from "./repository-place";

/** Whom to let do what. */
export interface AccessOptions {
  /** Images that are pushed. */
  readonly images: readonly LayerwiseImage[];
  /** What the builds of these images read. */
  readonly secrets?: readonly PlannedSecret[];
  /** Images that are only copied. */
  readonly sources?: readonly LayerwiseImage[];
  /** Repositories that base images are in. */
  readonly pullFrom?: readonly IRepository[];
}

/** Lets a build pull, push and read its secrets, and nothing else. */
export function grantImages(grantee: IGrantable, scope: Construct, options: AccessOptions): void {
  const { images, secrets = [], sources = [], pullFrom = [] } = options;
  const own = images.filter(({ publishRole }) => publishRole === undefined);
  for (const image of own) checkAccount(image, scope);
  const arns = unique(own.map(({ _place }) => repositoryArn(_place, scope)));
  const read = unique([
    ...sources.filter(({ publishRole }) => publishRole === undefined).map(({ _place }) => repositoryArn(_place, scope)),
    ...pullFrom.map((repository) => repositoryArn(placeOf(repository), scope)),
  ]).filter((arn) => !arns.includes(arn));
  const roles = unique([...images, ...sources].flatMap(({ _plan }) => _plan.publishRole?.arn ?? []));
  allow(grantee, [tokenAction], ["*"]);
  allow(grantee, [...pullActions, ...pushActions], arns);
  allow(grantee, pullActions, read);
  allow(grantee, ["sts:AssumeRole"], roles);
  allow(grantee, ["secretsmanager:GetSecretValue"], secretArns(secrets, "secretsmanager", scope));
  allow(grantee, ["ssm:GetParameter"], secretArns(secrets, "ssm", scope));
}

/** Adds a statement to whoever it is, unless it is about nothing. */
export function allow(grantee: IGrantable, actions: readonly string[], resources: readonly string[]): void {
  if (resources.length === 0) return;
  grantee.grantPrincipal.addToPrincipalPolicy(
    new PolicyStatement({ actions: [...actions], resources: [...resources] }),
  );
}

function checkAccount({ node, _place }: LayerwiseImage, scope: Construct): void {
  const account = knownText(Stack.of(scope).account);
  if (_place.account === undefined || account === _place.account) return;
  throw refusal({
    what: `push ${node.path} to the account ${_place.account}`,
    why: `the pipeline is in ${account ?? "an account that is not known at synth"}, and its roles have no rights there`,
    fix: "make an ImagePublishRole in the repository's stack, and give it to the image as publishRole",
  });
}

/** Secrets Manager adds six characters to a name. */
function secretArns(secrets: readonly PlannedSecret[], service: string, scope: Construct): readonly string[] {
  const { partition, region, account } = Stack.of(scope);
  const prefix = `arn:${partition}:${service}:${region}:${account}`;
  const arns = secrets
    .filter((secret) => secret.service === service)
    .map(({ name }) => {
      if (name.startsWith("arn:")) return name;
      return service === "ssm" ? `${prefix}:parameter/${name.replace(/^\//, "")}` : `${prefix}:secret:${name}-??????`;
    });
  return unique(arns);
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
