// SPDX-License-Identifier: Apache-2.0

/** A private registry of Amazon ECR. */
export interface EcrHost {
  readonly account: string;
  readonly region: string;
  /** Where its API answers, `https://…`. */
  readonly endpoint: string;
}

/** `ACCOUNT.dkr.ecr[-fips].REGION.DOMAIN`, and with a dash for the names that have IPv6 addresses as well. */
const hostForm = /^(\d{12})\.dkr([.-])ecr(-fips)?\.([a-z0-9-]+)\.([a-z0-9.-]+)$/;

/** The API's domain for each domain of registries: IPv4 only, and both. */
const domains: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ".": { "amazonaws.com": "amazonaws.com", "amazonaws.com.cn": "amazonaws.com.cn", "amazonaws.eu": "amazonaws.eu" },
  "-": { "on.aws": "api.aws", "on.amazonwebservices.com.cn": "api.amazonwebservices.com.cn" },
};

/**
 * Reads the host of a private ECR registry; undefined if it is another host.
 * https://docs.aws.amazon.com/general/latest/gr/ecr.html (hosts and endpoints)
 */
export function parseEcrHost(host: string): EcrHost | undefined {
  const [, account = "", separator = "", fips, region = "", domain = ""] = hostForm.exec(host.toLowerCase()) ?? [];
  const apiDomain = domains[separator]?.[domain];
  if (apiDomain === undefined) return undefined;
  const name = fips !== undefined ? "ecr-fips" : separator === "." ? "api.ecr" : "ecr";
  return { account, region, endpoint: `https://${name}.${region}.${apiDomain}` };
}
