// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseEcrHost } from "./ecr-host.ts";

const account = "123456789012";

describe("parseEcrHost", () => {
  it.each([
    ["123456789012.dkr.ecr.eu-central-1.amazonaws.com", "eu-central-1", "https://api.ecr.eu-central-1.amazonaws.com"],
    ["123456789012.dkr.ecr-fips.us-west-2.amazonaws.com", "us-west-2", "https://ecr-fips.us-west-2.amazonaws.com"],
    ["123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", "https://api.ecr.cn-north-1.amazonaws.com.cn"],
    ["123456789012.dkr-ecr.us-east-1.on.aws", "us-east-1", "https://ecr.us-east-1.api.aws"],
    ["123456789012.dkr-ecr-fips.us-east-1.on.aws", "us-east-1", "https://ecr-fips.us-east-1.api.aws"],
  ])("reads %s", (host, region, endpoint) => {
    expect(parseEcrHost(host)).toEqual({ account, region, endpoint });
  });

  it.each([
    "public.ecr.aws",
    "registry.example",
    "12345.dkr.ecr.us-east-1.amazonaws.com",
    "123456789012.dkr.ecr.us-east-1.amazonaws.com.example",
    "x.123456789012.dkr.ecr.us-east-1.amazonaws.com",
    "123456789012.dkr.ecr.us-east-1.on.aws",
    "123456789012.dkr.ecr.us-east-1.amazonaws.com:5000",
  ])("leaves %s alone", (host) => {
    expect(parseEcrHost(host)).toBeUndefined();
  });
});
