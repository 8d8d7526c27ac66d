// SPDX-License-Identifier: Apache-2.0
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { ECRClient } from "@aws-sdk/client-ecr";
import { type Destination, registryToken } from "./destination.ts";
import { RunnerError } from "./runner-error.ts";
import type { Running } from "./running.ts";

/** A registry of ECR's: account, Region, domain. */
const ecrHostForm = /^\d{12}\.dkr\.ecr\.([a-z0-9-]+)\./;

/**
 * Makes a Docker config that knows the registries of these repositories and of base images, and gives the variable that
 * names it. An engine has no way of its own to ask AWS for a token, and two accounts have two of them.
 *
 * The folder is in the runner's own, which is removed in the end; the machine's config is taken over and left as it is.
 */
export async function logIn(
  destinations: readonly Destination[],
  { cli, settings }: Running,
): Promise<Readonly<Record<string, string>>> {
  const folder = join(cli.folder, "docker");
  const own = process.env["DOCKER_CONFIG"] || join(process.env["HOME"] || homedir(), ".docker");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Plugins such as buildx may be in the folder of the config.
  await cp(join(own, "cli-plugins"), join(folder, "cli-plugins"), { recursive: true }).catch(ignoreAbsent);
  const config = await readConfig(join(own, "config.json"));
  const auths: Record<string, unknown> = {};
  for (const destination of destinations) auths[destination.host] ??= { auth: await destination.token() };
  for (const host of settings.pullFrom) auths[host] ??= { auth: await baseToken(host) };
  // A helper would be asked before the entries of its hosts, and a store before all of them.
  const { credsStore: _, credHelpers = {}, auths: before, ...rest } = config;
  const helpers = Object.fromEntries(Object.entries(credHelpers as object).filter(([host]) => !(host in auths)));
  const merged = { ...rest, credHelpers: helpers, auths: { ...(before as object | undefined), ...auths } };
  await writeFile(join(folder, "config.json"), JSON.stringify(merged), { mode: 0o600 });
  return { DOCKER_CONFIG: folder };
}

async function readConfig(path: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  } catch (error) {
    ignoreAbsent(error);
    return {};
  }
}

function ignoreAbsent(error: unknown): void {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return;
  throw new RunnerError(`could not read Docker's config: ${code ?? "it is no JSON"}`, {
    cause: error,
    hint: "make it readable, or name another folder with DOCKER_CONFIG",
  });
}

async function baseToken(host: string): Promise<string> {
  const region = ecrHostForm.exec(host)?.[1];
  if (region === undefined) throw new RunnerError(`could not get a token for ${host}: it is no registry of ECR`);
  return await registryToken(new ECRClient({ region }), host);
}
