// SPDX-License-Identifier: Apache-2.0

/** The version of this package; the bundler puts it in, from package.json. */
export const version: string = process.env["LAYERWISE_VERSION"] ?? "0.0.0-development";
