#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The bin layerwise-docker: `layerwise docker` as one program, for tools that can be told one name and no arguments.
process.argv.splice(2, 0, "docker");
await import("./main.ts");
