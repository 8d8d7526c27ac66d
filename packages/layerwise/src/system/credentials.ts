// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { LayerwiseError } from "../error.ts";
import type { CallOptions, Clock } from "../ports.ts";
import type { RepositoryName } from "../spec/reference.ts";
import { askHelper } from "./credential-helper.ts";
import {
  type CredentialPlace,
  type Credentials,
  credentialPlaces,
  type DockerConfig,
  decodeDockerConfig,
} from "./docker-config.ts";

/** Finds the credentials of repositories. */
export interface CredentialSource {
  /** What to send to the registry of a repository. CREDENTIALS_UNREADABLE if a file or a helper cannot be used. */
  credentialsFor(name: RepositoryName, options?: CallOptions): Promise<Credentials>;
}

/** What a credential source depends on. */
export interface CredentialOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Receives every secret that is found, for `redactText`. */
  readonly secrets: Set<string>;
  /** Asked for hosts of which the files know nothing; undefined if the host is not one of its own. */
  readonly cloud?: ((host: string, options: CallOptions) => Promise<Credentials> | undefined) | undefined;
}

/** Milliseconds that a helper's answer is used; what it hands out may expire within the hour. */
const helperAnswerTime = 10 * 60_000;

/**
 * Looks into the file that REGISTRY_AUTH_FILE names and into Docker's config (in DOCKER_CONFIG or ~/.docker), asks the
 * helpers they name, and last the cloud. Files are read once.
 */
export function createCredentialSource(options: CredentialOptions): CredentialSource {
  const { environment, clock, secrets, cloud } = options;
  const files = credentialFiles(environment);
  const configs = new Map<string, Promise<DockerConfig>>();
  const answers = new Map<string, { answer: Promise<Credentials | undefined>; until: number }>();

  function configOf(file: string): Promise<DockerConfig> {
    const config = configs.get(file) ?? readConfig(file);
    configs.set(file, config);
    return config;
  }

  function ask(place: CredentialPlace & { kind: "helper" }, call: CallOptions): Promise<Credentials | undefined> {
    const key = `${place.name} ${place.server}`;
    const known = answers.get(key);
    if (known !== undefined && clock.ticks() < known.until) return known.answer;
    const answer = askHelper(place, { ...call, environment, secrets });
    answers.set(key, { answer, until: clock.ticks() + helperAnswerTime });
    // What was cancelled or has failed may be asked again.
    answer.catch(() => answers.delete(key));
    return answer;
  }

  async function find(name: RepositoryName, call: CallOptions): Promise<Credentials> {
    for (const file of files) {
      for (const place of credentialPlaces(await configOf(file), { name, file })) {
        const found = place.kind === "entry" ? place.credentials : await ask(place, call);
        if (found !== undefined) return found;
      }
    }
    return (await cloud?.(name.host, call)) ?? { kind: "anonymous", source: files.join(" and ") };
  }

  return {
    async credentialsFor(name, call = {}) {
      const found = await find(name, call);
      for (const secret of secretsOf(found)) secrets.add(secret);
      return found;
    },
  };
}

/** The files that may hold credentials, in the order in which they are asked. */
function credentialFiles(environment: CredentialOptions["environment"]): readonly string[] {
  const { REGISTRY_AUTH_FILE: podman, DOCKER_CONFIG: docker, HOME: home } = environment;
  const config = join(docker || join(home || homedir(), ".docker"), "config.json");
  return podman ? [podman, config] : [config];
}

async function readConfig(file: string): Promise<DockerConfig> {
  try {
    return decodeDockerConfig(await readFile(file, "utf8"), file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return {};
    if (error instanceof LayerwiseError) throw error;
    throw new LayerwiseError("CREDENTIALS_UNREADABLE", `could not read the credentials in ${file}: ${code}`, {
      hint: "make the file readable, or name another directory with DOCKER_CONFIG",
      cause: error,
    });
  }
}

function secretsOf(credentials: Credentials): readonly string[] {
  switch (credentials.kind) {
    case "password":
      return [credentials.password, `${credentials.username}:${credentials.password}`];
    case "identity-token":
    case "registry-token":
      return [credentials.token];
    case "anonymous":
      return [];
  }
}
