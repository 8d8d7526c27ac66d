// SPDX-License-Identifier: Apache-2.0
import { type HostPackage, installPackages } from "../../src/debian/install-packages.ts";

// Asks for a package that no machine has.
const failure = await installPackages(["no-such-package-one" as HostPackage, "iproute2"]).then(
  () => "installed",
  (error: Error) => error.message,
);
process.stdout.write(`${failure}\n`);
