// SPDX-License-Identifier: Apache-2.0
import { hasCode, LayerwiseError } from "../../error.ts";
import type { Blob, CallOptions } from "../../ports.ts";
import type { Descriptor } from "../../spec/descriptor.ts";
import type { Digest } from "../../spec/digest.ts";
import { readErrorDocument } from "./error-document.ts";
import { type HttpAnswer, isSuccess } from "./http-message.ts";
import { resolveUrl } from "./redirect.ts";
import { isRetryStatus, withRetries } from "./retry.ts";
import type { RepositoryRequest, Session } from "./session.ts";

/** Milliseconds that a registry may take to store a blob after its last byte; some copy it once more. */
const commitTimeout = 10 * 60_000;

/** Upload sessions that registries opened instead of mounting, by the blob they were opened for. */
export type OpenUploads = Map<Digest, URL>;

/**
 * Makes a blob of another repository of the same registry appear in this one; false if the registry would not.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#mounting-a-blob-from-another-repository
 *
 * A registry that would not may open an upload session instead; it is kept for {@link pushBlob}.
 */
export async function mountBlob(
  session: Session,
  {
    descriptor,
    from,
    uploads,
  }: { readonly descriptor: Descriptor; readonly from: string; readonly uploads: OpenUploads },
  { signal }: CallOptions = {},
): Promise<boolean> {
  const { digest } = descriptor;
  const request: RepositoryRequest = {
    method: "POST",
    target: `blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`,
    action: `mount blob ${digest} into ${session.name}`,
    access: { write: true, readAlso: from },
    signal,
  };
  const answer = await session.send(request).catch(refusedToken);
  if (answer === undefined) return false;
  if (answer.status === 201) return true;
  if (answer.status === 202) {
    uploads.set(digest, locationOf(answer, { session, action: request.action }));
    return false;
  }
  if (noMount.has(answer.status)) return false;
  throw session.errorOf(answer, request);
}

/** Answers of registries that do not mount, or not this blob, or not for this user. */
const noMount: ReadonlySet<number> = new Set([400, 401, 403, 404, 405]);

/** Some token servers refuse the whole token if the source may not be read. */
function refusedToken(error: unknown): undefined {
  if (!hasCode(error, "REGISTRY_UNAUTHORIZED")) throw error;
}

/**
 * Uploads a blob with one POST and one PUT.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#post-then-put
 *
 * Never in chunks: some registries lose those after the first. A broken upload begins anew, because nobody knows what
 * has arrived; it first looks whether only the answer was lost.
 */
export async function pushBlob(
  session: Session,
  { blob, uploads }: { readonly blob: Blob; readonly uploads: OpenUploads },
  { signal }: CallOptions = {},
): Promise<void> {
  const { digest } = blob.descriptor;
  const upload: Upload = { session, blob, action: `push blob ${digest} to ${session.name}`, signal };
  const answer = await withRetries(async (attempt) => {
    if (attempt > 1) {
      const present = await look(upload);
      if (present.status === 200 || isRetryStatus(present.status)) return present;
    }
    const opened = uploads.get(digest);
    uploads.delete(digest);
    return attemptUpload(upload, opened);
  }, session.transport.retryRules(signal));
  if (!isSuccess(answer.status) || answer.status === 202) throw session.errorOf(answer, once(upload));
}

interface Upload extends CallOptions {
  readonly session: Session;
  readonly blob: Blob;
  readonly action: string;
}

/** What the requests of an upload have in common. Each is sent once: `pushBlob` repeats the sequence. */
function once({ action, signal }: Upload): Pick<RepositoryRequest, "action" | "signal" | "access" | "attempts"> {
  return { action, signal, access: { write: true }, attempts: 1 };
}

/** Sessions that are begun in one attempt, should the registry have lost the first. */
const maxSessions = 2;

async function attemptUpload(upload: Upload, opened: URL | undefined): Promise<HttpAnswer> {
  const answer = opened === undefined ? undefined : await putBlob(upload, opened);
  if (answer !== undefined && !isLostSession(answer)) return answer;
  for (let sessions = 1; ; sessions++) {
    const started = await upload.session.send({ ...once(upload), method: "POST", target: "blobs/uploads/" });
    if (started.status !== 202) return started;
    const stored = await putBlob(upload, locationOf(started, upload));
    if (sessions === maxSessions || !isLostSession(stored)) return stored;
  }
}

function look(upload: Upload): Promise<HttpAnswer> {
  return upload.session.send({ ...once(upload), method: "HEAD", target: `blobs/${upload.blob.descriptor.digest}` });
}

function putBlob(upload: Upload, location: URL): Promise<HttpAnswer> {
  const { digest, size } = upload.blob.descriptor;
  return upload.session.send({
    ...once(upload),
    method: "PUT",
    // The query is the registry's and stays as it is, to the letter.
    target: new URL(`${location.href}${location.search === "" ? "?" : "&"}digest=${encodeURIComponent(digest)}`),
    headers: { "content-type": "application/octet-stream" },
    body: { size, open: () => upload.blob.open() },
    answerTimeout: commitTimeout,
  });
}

/** Whether the registry no longer knows the upload session. */
function isLostSession({ status, bytes }: HttpAnswer): boolean {
  if (status === 404 || status === 416) return true;
  const { codes } = readErrorDocument(bytes);
  return status === 400 && codes.some((code) => code === "BLOB_UPLOAD_INVALID" || code === "BLOB_UPLOAD_UNKNOWN");
}

/** Where to send a blob. A registry behind a proxy may believe that it speaks plain HTTP, although it was asked over TLS. */
function locationOf(answer: HttpAnswer, { session, action }: Pick<Upload, "session" | "action">): URL {
  const { location } = answer.headers;
  if (location === undefined) {
    throw new LayerwiseError("REGISTRY_PROTOCOL", `could not ${action}: the registry does not say where to`);
  }
  const url = resolveUrl(location, { base: answer.url, action });
  url.hash = "";
  const origin = new URL(session.origin());
  const isDowngrade = origin.protocol === "https:" && url.protocol === "http:" && url.hostname === origin.hostname;
  if (isDowngrade && (url.port === "" || url.port === origin.port)) {
    url.protocol = "https:";
    url.port = origin.port;
  }
  return url;
}
