// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import { type Digest, isDigest } from "./digest.ts";

/** A repository: where in which registry. */
export interface RepositoryName {
  /** Host and port, for example `registry.example:5000`; Docker Hub is `docker.io`. */
  readonly host: string;
  /** For example `team/app`. */
  readonly path: string;
}

/** A repository with a tag, a digest or both. */
export interface Reference extends RepositoryName {
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

const defaultHost = "docker.io";
const pathForm = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const hostForm =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]+)?$|^\[[0-9A-Fa-f:]+\](?::[0-9]+)?$/;
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * Reads a reference as Docker does: `alpine` is `docker.io/library/alpine`, and the first part is a host only if it
 * has a dot or a colon, or is `localhost`.
 * https://github.com/distribution/reference/blob/v0.6.0/reference.go (grammar)
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf("@");
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, `"${digest}" is no sha256 digest`);
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !tagForm.test(tag)) throw invalid(text, `"${tag}" is no tag`);
  return { ...parseRepositoryName(hasTag ? named.slice(0, colon) : named), tag, digest };
}

/** Reads the name of a repository, without tag or digest. */
export function parseRepositoryName(text: string): RepositoryName {
  const slash = text.indexOf("/");
  const first = slash === -1 ? "" : text.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const host = isHost ? first : defaultHost;
  const rest = isHost ? text.slice(slash + 1) : text;
  if (isHost && !hostForm.test(host)) throw invalid(text, `"${host}" is no registry host`);
  if (!pathForm.test(rest)) {
    throw invalid(
      text,
      rest !== rest.toLowerCase() ? "a repository's name is lower case" : `"${rest}" is no repository name`,
    );
  }
  const normalHost = host === "index.docker.io" ? defaultHost : host;
  const path = normalHost === defaultHost && !rest.includes("/") ? `library/${rest}` : rest;
  if (path.length > 255) throw invalid(text, "the repository's name is longer than 255 characters");
  return { host: normalHost, path };
}

/** Writes a repository's full name, `host/path`. */
export function formatRepository({ host, path }: RepositoryName): string {
  return `${host}/${path}`;
}

/** Writes a reference in full, with its host. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${formatRepository(reference)}${tag}${digest}`;
}

/** Whether two names are the same repository. */
export function sameRepository(one: RepositoryName, other: RepositoryName): boolean {
  return one.host === other.host && one.path === other.path;
}

function invalid(text: string, why: string): LayerwiseError {
  return new LayerwiseError("REFERENCE_INVALID", `could not read "${text}" as an image reference: ${why}`, {
    hint: "write [host[:port]/]repository[:tag][@sha256:…], the repository in lower case",
  });
}
