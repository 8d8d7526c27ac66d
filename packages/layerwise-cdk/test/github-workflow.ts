// SPDX-License-Identifier: Apache-2.0
import { type AwsCredentialsProvider, type GitHubWorkflow, JsonPatch } from "cdk-pipelines-github";

/**
 * Gives the job of a step of layerwise the source, the cloud assembly under its name there, and AWS credentials; and
 * its digest to jobs that need it.
 */
export function completeJob(
  workflow: GitHubWorkflow,
  { job, region, credentials }: { job: string; region: string; credentials: AwsCredentialsProvider },
): void {
  const before = [{ uses: "actions/checkout@v6" }, ...credentials.credentialSteps(region)];
  workflow.workflowFile.patch(
    JsonPatch.replace(`/jobs/${job}/steps/0/with/name`, "cdk.out"),
    JsonPatch.add(`/jobs/${job}/steps/1/id`, "layerwise"),
    ...before.map((step, index) => JsonPatch.add(`/jobs/${job}/steps/${index}`, step)),
    JsonPatch.add(`/jobs/${job}/permissions/id-token`, credentials.jobPermission()),
    JsonPatch.add(`/jobs/${job}/outputs`, { digest: "${{ steps.layerwise.outputs.LAYERWISE_DIGEST }}" }),
  );
}
