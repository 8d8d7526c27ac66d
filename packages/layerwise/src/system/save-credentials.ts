// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { LayerwiseError } from "../error.ts";
import type { CallOptions } from "../ports.ts";
import { useHelper } from "./credential-helper.ts";
import { decodeDockerConfig, serverKey } from "./docker-config.ts";
import { takeLock } from "./file-lock.ts";
import { readJson } from "./json.ts";

/** Where a login is kept. */
export interface LoginOptions extends CallOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `host[:port]`; Docker Hub is `docker.io`. */
  readonly host: string;
}

/**
 * Keeps a user's password where Docker keeps it: with the credential helper of the host, the store of all hosts, or in
 * the config file itself. Says where.
 * https://docs.docker.com/reference/cli/docker/login/#credential-stores
 */
export async function saveCredentials(
  { username, password }: { readonly username: string; readonly password: string },
  options: LoginOptions,
): Promise<string> {
  return await changeConfig(options, async (config, { key, helper, file }) => {
    if (helper !== undefined) {
      const secret = JSON.stringify({ ServerURL: key, Username: username, Secret: password });
      await useHelper({ name: helper, verb: "store", input: secret }, { ...options, secrets: new Set([password]) });
      return { config: withAuth(config, key, {}), answer: `docker-credential-${helper}` };
    }
    const auth = Buffer.from(`${username}:${password}`).toString("base64");
    return { config: withAuth(config, key, { auth }), answer: file };
  });
}

/** Forgets the password of a host; false if none was kept. */
export async function eraseCredentials(options: LoginOptions): Promise<boolean> {
  return await changeConfig(options, async (config, { key, helper }) => {
    const isKept = config.auths?.[key] !== undefined;
    if (helper !== undefined)
      await useHelper({ name: helper, verb: "erase", input: key }, { ...options, secrets: new Set() });
    return { config: withAuth(config, key, undefined), answer: isKept };
  });
}

/** The document as it is; only what concerns logins is looked at, and the rest stays. */
type ConfigDocument = Record<string, unknown> & { readonly auths?: Record<string, unknown> };

interface Place {
  readonly key: string;
  readonly helper: string | undefined;
  readonly file: string;
}

async function changeConfig<T>(
  { environment, host, signal }: LoginOptions,
  change: (config: ConfigDocument, place: Place) => Promise<{ config: ConfigDocument; answer: T }>,
): Promise<T> {
  const folder = environment["DOCKER_CONFIG"] || join(environment["HOME"] || homedir(), ".docker");
  const file = join(folder, "config.json");
  const key = serverKey(host);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = await takeLock(`${file}.layerwise-lock`, { signal });
    try {
      const text = await textOf(file);
      const { credHelpers, credsStore } = decodeDockerConfig(text, file);
      const before = (text.trim() === "" ? {} : readJson(text)) as ConfigDocument;
      const helper = credHelpers?.[host] || credHelpers?.[key] || credsStore || undefined;
      const { config, answer } = await change(before, { key, helper, file });
      if (JSON.stringify(config) !== JSON.stringify(before)) await writeWhole(file, config);
      return answer;
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (error instanceof LayerwiseError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new LayerwiseError(
      "CREDENTIALS_UNREADABLE",
      `could not change the credentials in ${file}: ${code ?? error}`,
      {
        cause: error,
        hint: "name a folder that this user may write with DOCKER_CONFIG or --config",
      },
    );
  }
}

function withAuth(config: ConfigDocument, key: string, entry: object | undefined): ConfigDocument {
  const auths = { ...config.auths };
  if (entry === undefined) delete auths[key];
  else auths[key] = entry;
  return Object.keys(auths).length === 0 && config.auths === undefined ? config : { ...config, auths };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/** Nobody else may read it, whatever it was before; a reader sees the old file or the new one. */
async function writeWhole(file: string, config: ConfigDocument): Promise<void> {
  const next = `${file}.${process.pid}`;
  const mode = await stat(file).then(
    ({ mode: bits }) => bits & 0o700,
    () => 0o600,
  );
  try {
    await writeFile(next, `${JSON.stringify(config, undefined, "\t")}\n`, { mode: 0o600 });
    await chmod(next, mode | 0o600);
    await rename(next, file);
  } catch (error) {
    await unlink(next).catch(() => undefined);
    throw error;
  }
}
