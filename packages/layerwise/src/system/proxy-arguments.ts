// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type ConfigProxies, type DockerConfig, decodeDockerConfig } from "./docker-config.ts";

/** Where docker finds its engine unless DOCKER_HOST says another place. */
const usualHost = "unix:///var/run/docker.sock";

/**
 * The build arguments that the docker client adds by itself: the proxies in its config file. A RUN sees them where the
 * Dockerfile declares them. None if the file cannot be read; whoever needs credentials from it says so.
 * https://docs.docker.com/engine/cli/proxy/
 */
export async function proxyArguments(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ReadonlyMap<string, string>> {
  const { DOCKER_CONFIG: docker, DOCKER_HOST: host, HOME: home } = environment;
  const file = join(docker || join(home || homedir(), ".docker"), "config.json");
  try {
    return argumentsIn(decodeDockerConfig(await readFile(file, "utf8"), file), host || usualHost);
  } catch {
    return new Map();
  }
}

/** The build arguments for an engine's address, each in both cases. */
export function argumentsIn({ proxies }: DockerConfig, host: string): ReadonlyMap<string, string> {
  const chosen: ConfigProxies = proxies?.[host] ?? proxies?.["default"] ?? {};
  const named: readonly (readonly [string, string | null | undefined])[] = [
    ["HTTP_PROXY", chosen.httpProxy],
    ["HTTPS_PROXY", chosen.httpsProxy],
    ["FTP_PROXY", chosen.ftpProxy],
    ["NO_PROXY", chosen.noProxy],
    ["ALL_PROXY", chosen.allProxy],
  ];
  return new Map(
    named.flatMap(([name, value]): [string, string][] =>
      value
        ? [
            [name, value],
            [name.toLowerCase(), value],
          ]
        : [],
    ),
  );
}
