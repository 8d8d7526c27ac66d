// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from "node:http";
import { forward, type Onward } from "../http.ts";
import { digestOf, type SentManifest } from "./manifest.ts";
import type { RegistryState, StoredRepository } from "./registry-state.ts";

/** A registry over plain HTTP that keeps the bytes. */
export interface Backing {
  /** `address:port`. */
  readonly name: string;
  readonly auth?: { readonly user: string; readonly password: string } | undefined;
}

/** A repository of one account and Region. */
export interface Located {
  readonly state: Pick<RegistryState, "account" | "region">;
  readonly repository: Pick<StoredRepository, "name">;
}

/** The path below which the registry behind has a repository. */
export function pathBehind({ state, repository }: Located): string {
  return `/v2/${state.account}/${state.region}/${repository.name}`;
}

/** Sends a request to the registry behind. */
export async function askBehind({ name: host, auth }: Backing, onward: Omit<Onward, "host">): Promise<IncomingMessage> {
  const login = auth && `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString("base64")}`;
  const headers = { ...onward.headers, ...(login === undefined ? {} : { authorization: login }) };
  return await forward({ ...onward, host, headers });
}

/** Puts a manifest by its digest; the registry behind checks it and that its blobs are there. */
export async function putBehind(
  backing: Backing,
  { mediaType, bytes, ...located }: Located & SentManifest,
): Promise<IncomingMessage> {
  const path = `${pathBehind(located)}/manifests/${digestOf(bytes)}`;
  return await askBehind(backing, { method: "PUT", path, headers: { "content-type": mediaType }, body: bytes });
}
