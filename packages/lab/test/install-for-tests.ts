// SPDX-License-Identifier: Apache-2.0
import { installPackages } from "../src/index.ts";

/** Before suites that do I/O: programs that tests call without asking whether they are there. */
export async function setup(): Promise<void> {
  await installPackages(["git", "openssl", "python3"]);
}
