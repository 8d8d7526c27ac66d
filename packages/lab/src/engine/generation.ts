// SPDX-License-Identifier: Apache-2.0

/** A generation of Docker, by the major number of its version. */
export type Generation = 20 | 26 | 28;

/** Where images are kept: Docker's own store, or containerd's. */
export type ImageStore = "classic" | "containerd";

/** What the laboratory knows of a generation. */
export interface GenerationFacts {
  /** The Debian suite that carries it. */
  readonly suite: string;
  readonly packages: readonly string[];
  readonly stores: readonly ImageStore[];
}

/** What both ends of an engine use beside Docker itself; in an unpacked root nothing is there by itself. */
const common = [
  "bash",
  "ca-certificates",
  "coreutils",
  "findutils",
  "git",
  "grep",
  "gzip",
  "iptables",
  "kmod",
  "libc-bin",
  "mount",
  "procps",
  "sed",
  "tar",
  "util-linux",
  "xz-utils",
] as const;

/** The generations that Debian carries. */
export const generations: Readonly<Record<Generation, GenerationFacts>> = {
  20: { suite: "bookworm", packages: ["docker.io", ...common], stores: ["classic"] },
  26: {
    suite: "trixie",
    packages: ["docker.io", "docker-cli", "docker-buildx", ...common],
    stores: ["classic", "containerd"],
  },
  28: {
    suite: "forky",
    packages: ["docker.io", "docker-cli", "docker-buildx", "buildah", "crane", "skopeo", ...common],
    stores: ["classic", "containerd"],
  },
};
