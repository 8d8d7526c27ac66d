// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";
import type { CallOptions, StoredManifest } from "../../ports.ts";
import { type Digest, digestOf, isDigest } from "../../spec/digest.ts";
import { manifestAccept } from "../../spec/media-type.ts";
import { manifestTypeOf, maxManifestBytes } from "../manifest-type.ts";
import { bodyOf, type HttpAnswer, isSuccess } from "./http-message.ts";
import type { RepositoryRequest, Session } from "./session.ts";

/**
 * The manifest under a tag or a digest; undefined if there is none.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests
 *
 * DIGEST_MISMATCH if the bytes are not those of the digest that was asked for, or that the registry announces.
 */
export async function fetchManifest(
  session: Session,
  reference: string,
  { signal }: CallOptions = {},
): Promise<StoredManifest | undefined> {
  const request: RepositoryRequest = {
    method: "GET",
    target: `manifests/${reference}`,
    action: `fetch manifest ${nameOf(session, reference)}`,
    headers: { accept: manifestAccept },
    maxBytes: maxManifestBytes,
    signal,
  };
  const answer = await session.send(request);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw session.errorOf(answer, request);
  const digest = digestOf(answer.bytes);
  const expected = isDigest(reference) ? reference : announcedDigest(answer);
  if (expected !== undefined && expected !== digest) {
    throw new LayerwiseError(
      "DIGEST_MISMATCH",
      `could not ${request.action}: its digest is ${digest}, not ${expected}`,
      {
        details: { digest: expected },
      },
    );
  }
  return { mediaType: manifestTypeOf(answer.bytes, answer.headers["content-type"]), digest, bytes: answer.bytes };
}

/**
 * Stores a manifest under a tag or its own digest.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pushing-manifests
 *
 * If the registry misses a blob of it, the error has `details.missingBlob`.
 */
export async function pushManifest(
  session: Session,
  { reference, manifest }: { readonly reference: string; readonly manifest: StoredManifest },
  { signal }: CallOptions = {},
): Promise<void> {
  const request: RepositoryRequest = {
    method: "PUT",
    target: `manifests/${reference}`,
    action: `push manifest ${nameOf(session, reference)}`,
    headers: { "content-type": manifest.mediaType },
    body: bodyOf(manifest.bytes),
    access: { write: true },
    signal,
  };
  if (isDigest(reference) && reference !== manifest.digest) {
    throw new LayerwiseError("DIGEST_MISMATCH", `could not ${request.action}: its digest is ${manifest.digest}`);
  }
  const answer = await session.send(request);
  if (!isSuccess(answer.status)) throw session.errorOf(answer, request);
  const stored = announcedDigest(answer);
  if (stored === undefined || stored === manifest.digest) return;
  throw new LayerwiseError("DIGEST_MISMATCH", `could not ${request.action}: the registry stored it as ${stored}`, {
    hint: "check whether something between here and the registry rewrites manifests",
    details: { digest: manifest.digest },
  });
}

/** Statuses of registries that delete nothing, or not for everybody. */
const refusesRemoval: ReadonlySet<number> = new Set([400, 401, 403, 405, 501]);

/**
 * Removes a manifest with all its tags. False if the registry or the user's rights do not allow it.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#deleting-manifests
 */
export async function removeManifest(session: Session, digest: Digest, { signal }: CallOptions = {}): Promise<boolean> {
  const request: RepositoryRequest = {
    method: "DELETE",
    target: `manifests/${digest}`,
    action: `remove manifest ${nameOf(session, digest)}`,
    access: { remove: true },
    signal,
  };
  const answer = await session.send(request);
  if (isSuccess(answer.status) || answer.status === 404) return true;
  if (refusesRemoval.has(answer.status)) return false;
  throw session.errorOf(answer, request);
}

/** Registries may leave the field out, and may name the digest of another algorithm. */
function announcedDigest({ headers }: HttpAnswer): string | undefined {
  const announced = headers["docker-content-digest"] ?? "";
  return isDigest(announced) ? announced : undefined;
}

function nameOf({ name }: Session, reference: string): string {
  return `${name}${reference.includes(":") ? "@" : ":"}${reference}`;
}
