// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, type Registry, startEngine, startRegistry } from "../../../lab/src/index.ts";
import { type AwsLocal, type AwsLocalOptions, startAwsLocal } from "../../src/index.ts";
import { clientsOf } from "../clients.ts";

/** A registry of its own with the stand-in for AWS in front, and a folder. */
export interface FlowSite {
  /** Whoever runs a build may look into it. */
  readonly work: string;
  readonly registry: Registry;
  readonly aws: AwsLocal;
  /** With the rights of the first user. */
  readonly clients: ReturnType<typeof clientsOf>;
  close(): Promise<void>;
}

/** The same with Docker 28, which reaches both. */
export interface EngineSite extends FlowSite {
  readonly engine: Engine;
}

/** Opens a site without an engine. */
export async function openFlowSite(name: string): Promise<FlowSite> {
  return await openSite(name, () => ({}));
}

/** Opens a site with an engine that has one of Docker's image stores. */
export async function openEngineSite(name: string, store: "classic" | "containerd" = "classic"): Promise<EngineSite> {
  const site = await openSite(name, ({ address }) => ({ host: address }));
  const { work, aws } = site;
  try {
    const reach = { work, insecureRegistries: [aws.registryHost()], httpsProxy: aws.endpoint };
    const engine = await startEngine({ generation: 28, store, ...reach });
    const close = async () => {
      await engine.stop();
      await site.close();
    };
    return { ...site, engine, close };
  } catch (error) {
    await site.close();
    throw error;
  }
}

async function openSite(name: string, optionsFor: (registry: Registry) => Partial<AwsLocalOptions>): Promise<FlowSite> {
  const work = await mkdtemp(join(tmpdir(), `aws-local-${name}-`));
  await chmod(work, 0o755);
  const registry = await startRegistry();
  const close = async () => {
    await registry.stop();
    await rm(work, { recursive: true, force: true });
  };
  try {
    const aws = await startAwsLocal({ registry, ...optionsFor(registry) });
    const closeAll = async () => {
      await aws.close();
      await close();
    };
    return { work, registry, aws, clients: clientsOf(aws), close: closeAll };
  } catch (error) {
    await close();
    throw error;
  }
}
