// SPDX-License-Identifier: Apache-2.0

/**
 * What an image runs on.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md#image-index-property-descriptions
 */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
  readonly "os.version"?: string | undefined;
  readonly "os.features"?: readonly string[] | undefined;
}

const architectureAliases: Readonly<Record<string, readonly [string, string?]>> = {
  i386: ["386", ""],
  x86_64: ["amd64"],
  "x86-64": ["amd64"],
  aarch64: ["arm64"],
  armhf: ["arm", "v7"],
  armel: ["arm", "v6"],
};

/**
 * Normalises names as containerd's platforms package does (database.go, `normalizeArch`):
 * aliases are resolved, arm64's v8 and amd64's v1 are dropped, arm without variant is v7.
 */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase() === "macos" ? "darwin" : platform.os.toLowerCase();
  const alias = architectureAliases[platform.architecture.toLowerCase()];
  const architecture = alias?.[0] ?? platform.architecture.toLowerCase();
  let variant = alias?.[1] ?? platform.variant?.toLowerCase();
  if (architecture === "arm64" && (variant === "8" || variant === "v8")) variant = undefined;
  if (architecture === "amd64" && variant === "v1") variant = undefined;
  if (architecture === "arm") {
    if (variant === undefined || variant === "" || variant === "7") variant = "v7";
    else if (/^[568]$/.test(variant)) variant = `v${variant}`;
  }
  return { ...platform, os, architecture, variant: variant === "" ? undefined : variant };
}

/** Reads `os/architecture[/variant]`, `os` or `architecture` alone is not enough; undefined if malformed. */
export function parsePlatform(text: string): Platform | undefined {
  const parts = text.split("/");
  if (parts.length < 2 || parts.length > 3) return undefined;
  if (parts.some((part) => !/^[A-Za-z0-9_.-]+$/.test(part))) return undefined;
  const [os, architecture, variant] = parts as [string, string, string?];
  return normalizePlatform({ os, architecture, variant });
}

/** Writes `os/architecture[/variant]`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined || variant === "" ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** Whether an image for one platform is exactly what was asked for; no compatible variants are accepted. */
export function samePlatform(one: Platform, other: Platform): boolean {
  return formatPlatform(normalizePlatform(one)) === formatPlatform(normalizePlatform(other));
}
