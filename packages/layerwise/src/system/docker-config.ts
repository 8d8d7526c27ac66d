// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";
import { LayerwiseError } from "../error.ts";
import type { RepositoryName } from "../spec/reference.ts";
import { readJson } from "./json.ts";

/** What proves to a registry who is asking. `source` says where it was found, for people. */
export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string; readonly source: string }
  /** To be exchanged for tokens at the registry's token server. */
  | { readonly kind: "identity-token"; readonly token: string; readonly source: string }
  /** To be sent to the registry as it is. */
  | { readonly kind: "registry-token"; readonly token: string; readonly source: string }
  /** Nothing was found; `source` says where it was looked for. */
  | { readonly kind: "anonymous"; readonly source: string };

/** The part of Docker's config file (and of podman's auth file) that is about credentials and proxies. */
export interface DockerConfig {
  readonly auths?: Readonly<Record<string, ConfigEntry>> | null | undefined;
  /** Helpers by host. */
  readonly credHelpers?: Readonly<Record<string, string>> | null | undefined;
  /** The helper for all other hosts. */
  readonly credsStore?: string | null | undefined;
  /** What containers are told of proxies, by the engine's address; `default` for the others. */
  readonly proxies?: Readonly<Record<string, ConfigProxies>> | null | undefined;
}

type Text = string | null | undefined;

/** What a config file knows of one host. */
export interface ConfigEntry {
  /** user:password in base64. */
  readonly auth?: Text;
  readonly username?: Text;
  readonly password?: Text;
  readonly identitytoken?: Text;
  readonly registrytoken?: Text;
}

/** The proxies that a config file has for an engine. */
export interface ConfigProxies {
  readonly httpProxy?: Text;
  readonly httpsProxy?: Text;
  readonly ftpProxy?: Text;
  readonly noProxy?: Text;
  readonly allProxy?: Text;
}

/** A place where the credentials of a repository may be found. */
export type CredentialPlace =
  | {
      readonly kind: "helper";
      /** The program is `docker-credential-NAME`. */
      readonly name: string;
      /** What the helper is asked for. */
      readonly server: string;
    }
  | { readonly kind: "entry"; readonly credentials: Credentials };

const text = v.nullish(v.string());

const configSchema = v.object({
  auths: v.nullish(
    v.record(
      v.string(),
      v.object({ auth: text, username: text, password: text, identitytoken: text, registrytoken: text }),
    ),
  ),
  credHelpers: v.nullish(v.record(v.string(), v.string())),
  credsStore: text,
  proxies: v.nullish(
    v.record(
      v.string(),
      v.object({ httpProxy: text, httpsProxy: text, ftpProxy: text, noProxy: text, allProxy: text }),
    ),
  ),
});

/**
 * Reads a config file. Errors never quote it, because what it holds is secret.
 *
 * @param file how errors name it
 */
export function decodeDockerConfig(document: string, file: string): DockerConfig {
  const json = document.trim() === "" ? {} : readJson(document);
  if (json === undefined) throw unreadable(file, "it is no JSON");
  const parsed = v.safeParse(configSchema, json);
  if (parsed.success) return parsed.output;
  // The keys of auths are hosts; only the values are secret, and valibot's own messages quote them.
  const at = parsed.issues.map((issue) => v.getDotPath(issue) ?? "the document").join(", ");
  throw unreadable(file, `${at} is not of the right type`);
}

/**
 * Where the credentials of a repository may be found in a config, in Docker's order: the host's helper, the store of
 * all credentials, the entry in the file.
 * https://docs.docker.com/reference/cli/docker/login/#credential-stores
 *
 * Entries may be keyed by host, by URL, or, as podman allows, by the beginning of a repository's name; the longest wins.
 * https://github.com/containers/image/blob/v5.36.0/docs/containers-auth.json.5.md
 */
export function credentialPlaces(
  { auths, credHelpers, credsStore }: DockerConfig,
  { name, file }: { readonly name: RepositoryName; readonly file: string },
): readonly CredentialPlace[] {
  const places: CredentialPlace[] = [];
  const server = serverKey(name.host);
  const helper = Object.entries(credHelpers ?? {}).find(([key]) => readKey(key).host === name.host)?.[1];
  for (const program of [helper, credsStore]) if (program) places.push({ kind: "helper", name: program, server });
  const entries = Object.entries(auths ?? {}).flatMap(([key, entry]) => {
    const { host, path } = readKey(key);
    const fits = host === name.host && (path === "" || name.path === path || name.path.startsWith(`${path}/`));
    const credentials = fits ? readEntry(entry, { key, file }) : undefined;
    return credentials === undefined ? [] : [{ length: path.length, exact: key === server, credentials }];
  });
  entries.sort((one, other) => other.length - one.length || Number(other.exact) - Number(one.exact));
  const [best] = entries;
  if (best !== undefined) places.push({ kind: "entry", credentials: best.credentials });
  return places;
}

const hub = "docker.io";
/** Docker's name for Docker Hub in config files, older than repositories' names. */
const hubKey = "https://index.docker.io/v1/";
const hubHosts: ReadonlySet<string> = new Set([hub, "index.docker.io", "registry-1.docker.io"]);

/** How a config file and its helpers name a registry. */
export function serverKey(host: string): string {
  return host === hub ? hubKey : host;
}

/** The host that a name of a server stands for, as people and tools write it: a host or a URL; nothing is Docker Hub. */
export function serverHost(server: string | undefined): string {
  return server === undefined || server === "" ? hub : readKey(server).host;
}

/** Host and, for keys without a scheme, the path that a key stands for. */
function readKey(key: string): { host: string; path: string } {
  const bare = key.replace(/^https?:\/\//, "");
  const slash = bare.indexOf("/");
  const host = slash === -1 ? bare : bare.slice(0, slash);
  const rest = slash === -1 ? "" : bare.slice(slash + 1).replace(/\/+$/, "");
  const path = bare !== key || rest === "v1" || rest === "v2" ? "" : rest;
  return { host: hubHosts.has(host) ? hub : host, path };
}

function readEntry(
  { auth, username, password, identitytoken, registrytoken }: ConfigEntry,
  { key, file }: { key: string; file: string },
): Credentials | undefined {
  const source = `the entry ${key} of ${file}`;
  if (registrytoken) return { kind: "registry-token", token: registrytoken, source };
  if (identitytoken) return { kind: "identity-token", token: identitytoken, source };
  if (auth) {
    const pair = Buffer.from(auth, "base64").toString("utf8");
    const colon = pair.indexOf(":");
    if (colon < 1) throw unreadable(file, `the auth of ${key} is not the base64 form of user:password`);
    return passwordOf({ username: pair.slice(0, colon), password: pair.slice(colon + 1), source });
  }
  return username && password ? passwordOf({ username, password, source }) : undefined;
}

/** Old versions of Docker filled passwords up with NUL characters. */
function passwordOf(parts: { username: string; password: string; source: string }): Credentials {
  return { kind: "password", ...parts, password: parts.password.replace(/\0+$/, "") };
}

function unreadable(file: string, why: string): LayerwiseError {
  return new LayerwiseError("CREDENTIALS_UNREADABLE", `could not read the credentials in ${file}: ${why}`, {
    hint: "correct the file, or write it anew with docker login",
  });
}
