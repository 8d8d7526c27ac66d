// SPDX-License-Identifier: Apache-2.0
import { CodeBuildClient } from "@aws-sdk/client-codebuild";
import { ECRClient } from "@aws-sdk/client-ecr";
import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SSMClient } from "@aws-sdk/client-ssm";
import { STSClient } from "@aws-sdk/client-sts";
import type { AccessKey, AwsLocal } from "../src/index.ts";

/** The real clients of AWS's SDK, set to the stand-in. */
export function clientsOf(aws: AwsLocal, { key, region }: { readonly key?: AccessKey; readonly region?: string } = {}) {
  const environment = aws.environment(key);
  const settings = {
    endpoint: aws.endpoint,
    region: region ?? aws.region,
    maxAttempts: 1,
    credentials: {
      accessKeyId: environment["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"] ?? "",
      ...(environment["AWS_SESSION_TOKEN"] === undefined ? {} : { sessionToken: environment["AWS_SESSION_TOKEN"] }),
    },
  };
  return {
    ecr: new ECRClient(settings),
    sts: new STSClient(settings),
    s3: new S3Client(settings),
    secrets: new SecretsManagerClient(settings),
    ssm: new SSMClient(settings),
    codebuild: new CodeBuildClient(settings),
  };
}
