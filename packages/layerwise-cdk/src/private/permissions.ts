// SPDX-License-Identifier: Apache-2.0

/** For a token of the registry; Amazon ECR knows no resource for it. */
export const tokenAction = "ecr:GetAuthorizationToken";

/** For manifests and layers. https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html */
export const pullActions: readonly string[] = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/** For pushing, besides {@link pullActions}. */
export const pushActions: readonly string[] = [
  "ecr:BatchCheckLayerAvailability",
  "ecr:InitiateLayerUpload",
  "ecr:UploadLayerPart",
  "ecr:CompleteLayerUpload",
  "ecr:PutImage",
];
