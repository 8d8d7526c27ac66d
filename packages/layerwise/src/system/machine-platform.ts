// SPDX-License-Identifier: Apache-2.0
import { normalizePlatform, type Platform } from "../spec/platform.ts";

/** Node's names of processors where Go, and so OCI, has others. */
const architectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };

/** Where layers are built when no platform is asked for: Linux on this machine's processor, as Docker does. */
export function machinePlatform(): Platform {
  return normalizePlatform({ os: "linux", architecture: architectures[process.arch] ?? process.arch });
}
