// SPDX-License-Identifier: Apache-2.0
import Module, { createRequire } from "node:module";

/**
 * Gives everything that asks for aws-cdk-lib the lowest version that the constructs support. Tests themselves get it by
 * an alias of their project; what they load asks Node.
 */
const loader = Module as unknown as { _resolveFilename(request: string, ...rest: unknown[]): string };
const resolve = loader._resolveFilename;
loader._resolveFilename = (request, ...rest) =>
  resolve.call(loader, request.replace(/^aws-cdk-lib(?=\/|$)/, "aws-cdk-lib-floor"), ...rest);

const { version } = createRequire(import.meta.url)("aws-cdk-lib/package.json") as { version: string };
if (version !== "2.221.0") throw new Error(`the tests would run with aws-cdk-lib ${version}`);
