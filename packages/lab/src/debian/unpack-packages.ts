// SPDX-License-Identifier: Apache-2.0

import { startCell } from "../cell/cell.ts";
import { claimInstance } from "../cell/instance.ts";
import { debianMirror } from "./debian-mirror.ts";
import { installPackages } from "./install-packages.ts";

/** Which packages to unpack, and how. */
export interface UnpackOptions {
  readonly suite: string;
  readonly packages: readonly string[];
  /**
   * `extract` only unpacks them and what they depend on, in seconds; `minbase` makes a Debian system of them.
   * https://manpages.debian.org/bookworm/mmdebstrap/mmdebstrap.1.en.html#OPTIONS
   */
  readonly variant: "extract" | "minbase";
  /** A folder, or a file for a tar. */
  readonly format: "directory" | "tar";
}

/** Unpacks Debian packages of any suite from this machine's mirror, without installing them here. */
export async function unpackPackages(target: string, options: UnpackOptions): Promise<void> {
  await installPackages(["mmdebstrap", "util-linux"]);
  const mirror = await debianMirror();
  const instance = await claimInstance("unpack");
  try {
    // In a cell, so that it ends and its mounts go if we are killed meanwhile.
    const cell = await startCell(instance, { network: false });
    await cell.run([
      "mmdebstrap",
      "--quiet",
      "--mode=root",
      "--skip=check/empty",
      // A frozen mirror falls behind the clock; then the lists of moving suites count as expired.
      '--aptopt=Acquire::Check-Valid-Until "false"',
      '--aptopt=Acquire::Retries "3"',
      `--variant=${options.variant}`,
      `--format=${options.format}`,
      `--include=${options.packages.join(",")}`,
      options.suite,
      target,
      mirror,
    ]);
  } finally {
    await instance.remove();
  }
}
