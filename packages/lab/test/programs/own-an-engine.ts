// SPDX-License-Identifier: Apache-2.0
import { startEngine, startRegistry, tinyBase } from "../../src/index.ts";

// Starts an engine with a container that does not end by itself, says where, and ends when it is told to.
const [how] = process.argv.slice(2);
const registry = await startRegistry();
const base = await tinyBase(registry);
const engine = await startEngine({ generation: 28, insecureRegistries: [registry.name] });
await engine.exec(["docker", "run", "--detach", base, "sleep", "1000"]);
process.stdout.write(`${engine.shim}\n${registry.name}\n`);
if (how === "exit") process.exit(7);
if (how === "run-out") process.exitCode = 8;
else await new Promise(() => setInterval(() => {}, 1_000));
