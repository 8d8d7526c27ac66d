// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from "node:http";
import type { Digest } from "../src/spec/digest.ts";

/** How a test registry wants its users to come in. */
export interface Login {
  /** With a password, or with a token that a token server gives. */
  readonly scheme: "basic" | "bearer";
  /** What the token server is asked with: a password and GET, or an identity token and OAuth 2's POST. */
  readonly grant?: "password" | "identity-token";
  /** Where the token server is. */
  readonly realm?: `/${string}`;
  /** The field of its answer that has the token. */
  readonly field?: "token" | "access_token";
  /** Seconds that tokens live; they end with their answer if it is 0. */
  readonly lifetime?: number;
}

/** How a test registry differs from the specification's ideal; may be changed while it runs. */
export interface RegistrySwitches {
  /** What becomes of a request to mount: done, answered with an upload session, or refused with a status. */
  mount: "mounted" | "upload-opened" | 401 | 403 | 404 | 405;
  /** The status for a mount from a repository that is not there; undefined: an upload session. */
  mountFromMissing: 401 | undefined;
  /** Whether answers name the digest of a manifest. */
  namesDigests: boolean;
  /** Whether a part of a blob can be asked for. */
  knowsRanges: boolean;
  /** Whether Location fields are relative. */
  relativeLocations: boolean;
  /** Where uploads go: to the registry's API, to another path of it, or to another host. */
  uploads: "api" | "path" | "host";
  /** Whether downloads of blobs are redirected to another host, which refuses whoever sends credentials there. */
  redirectsBlobs: boolean;
  /** Whether a manifest can be asked for with HEAD. */
  headsManifests: boolean;
  /** Whether OCI's media types are refused. */
  refusesOci: boolean;
  /** Whether who does not accept a manifest's media type gets another document of another type. */
  convertsManifests: boolean;
  /** Every so many requests one is answered with 429; 0: none. */
  busyEvery: number;
  /** The status for everything in repositories below `others/`. */
  others: 401 | 403 | 404 | undefined;
  /** Who may come in; undefined: everybody. */
  login: Login | undefined;
  /** How many of the next requests are answered with 429. */
  busy: number;
  /** How many of the next downloads break after half of the blob. */
  brokenDownloads: number;
  /** Whether blobs are only measured, not kept. */
  discardsBlobs: boolean;
  /** Whether manifests may be removed. */
  removes: boolean;
  /** The Authorization field without which every request is answered with 401. */
  authorization: string | undefined;
}

/** A request that was answered. */
export interface ServedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly status: number;
  /** Bytes of the request's body. */
  readonly received: number;
}

/** What a repository holds. */
export interface StoredRepository {
  readonly blobs: Map<string, { readonly size: number; readonly bytes: Buffer | undefined }>;
  readonly manifests: Map<string, { readonly mediaType: string; readonly bytes: Buffer }>;
}

/** A registry's state. */
export interface Registry {
  readonly switches: RegistrySwitches;
  readonly requests: ServedRequest[];
  readonly leaks: string[];
  /** What tokens were given out for. */
  readonly tokens: Map<string, ReadonlySet<string>>;
  /** The other host, `http://host:port`. */
  storage: string;
  /** Requests so far. */
  count: number;
  readonly repositories: Map<string, StoredRepository>;
  /** Sessions, and the repositories that they belong to. */
  readonly uploads: Map<string, string>;
}

/** What is answered. */
export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string | number> | undefined;
  readonly body?: Buffer | undefined;
  /** Ends the connection after half of the body. */
  readonly breaks?: boolean | undefined;
}

/** A request that was read. */
export interface Call {
  readonly registry: Registry;
  readonly method: string;
  readonly url: URL;
  readonly request: IncomingMessage;
  readonly body: { readonly digest: Digest; readonly size: number; readonly bytes: Buffer | undefined };
}

/** An answer that refuses. */
export function refusal(status: number, code: string, detail?: object): Answer {
  const body = Buffer.from(JSON.stringify({ errors: [{ code, message: code.toLowerCase(), detail }] }));
  return { status, body };
}
