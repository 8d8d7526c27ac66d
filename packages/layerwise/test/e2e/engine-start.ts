// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from "node:os";
import {
  type Credentials,
  type Engine,
  hostPlatform,
  type Image,
  type RegistryPlace,
  readTree,
  startEngine,
} from "../../../lab/src/index.ts";

/** Which images to start. */
export interface StartOptions {
  readonly registry: RegistryPlace;
  /** The one to start them with; one for the purpose without it. */
  readonly engine: Engine | undefined;
  /** Finds an image whose shell did not start. */
  readonly open: (reference: string) => Promise<Image>;
}

/**
 * Has an engine start a shell in each of many images, and returns which did not, a line each. Images of other platforms
 * and images without a shell have nothing to start.
 */
export async function startFailures(references: readonly string[], options: StartOptions): Promise<readonly string[]> {
  const { registry, open } = options;
  if (references.length === 0) return [];
  const own = { generation: 28, store: "containerd", insecureRegistries: [registry.name] } as const;
  const engine = options.engine ?? (await startEngine(own));
  const failures: string[] = [];
  try {
    if (registry.auth !== undefined) await logIn(engine, registry.name, registry.auth);
    const waiting = [...references];
    const start = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const why = await startFailure(engine, next);
        if (why !== undefined && (await hasShell(await open(next)))) failures.push(`${next}: the engine says: ${why}`);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, start));
  } finally {
    if (options.engine === undefined) await engine.stop();
  }
  return failures;
}

async function logIn(engine: Engine, name: string, { user, password }: Credentials): Promise<void> {
  await engine.exec(["docker", "login", "--username", user, "--password-stdin", name], { stdin: password });
}

/** As root, since what is under test is the image and not its user. */
async function startFailure(engine: Engine, reference: string): Promise<string | undefined> {
  const run = ["docker", "run", "--rm", "--network=none", "--user=0", "--entrypoint=/bin/sh", reference];
  const { code, stderr } = await engine.exec([...run, "-c", "exit 0"], { allowFailure: true });
  return code === 0 ? undefined : stderr.trim();
}

async function hasShell(image: Image): Promise<boolean> {
  if (image.config.architecture !== hostPlatform().architecture) return false;
  const tree = await readTree(image);
  return tree.has("bin/sh") || tree.has("usr/bin/sh");
}
