// SPDX-License-Identifier: Apache-2.0
import type { Right } from "../rights/policy.ts";

/** A request to a repository of a registry. */
export interface RegistryRequest {
  readonly method: string;
  readonly kind: "tags" | "manifest" | "blob" | "upload";
  /** The repository's ARN. */
  readonly resource: string;
}

/**
 * Actions by request. For pulling and pushing as such:
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
 */
const actions: Readonly<Record<string, readonly string[]>> = {
  "tags GET": ["ListImages"],
  "manifest GET": ["BatchGetImage"],
  "manifest HEAD": ["BatchGetImage"],
  "manifest PUT": ["PutImage"],
  "blob GET": ["GetDownloadUrlForLayer"],
  "blob HEAD": ["BatchCheckLayerAvailability"],
  "upload POST": ["InitiateLayerUpload"],
  "upload PATCH": ["UploadLayerPart"],
  "upload PUT": ["UploadLayerPart", "CompleteLayerUpload"],
};

/** The rights that a request needs. */
export function registryRights({ method, kind, resource }: RegistryRequest): readonly Right[] {
  return (actions[`${kind} ${method}`] ?? []).map((action) => ({ action: `ecr:${action}`, resource }));
}
