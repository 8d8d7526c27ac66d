// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, LayerwiseError } from "../../error.ts";
import type { RepositoryName } from "../../spec/reference.ts";
import type { Credentials } from "../docker-config.ts";
import { parseEcrHost } from "../ecr-host.ts";
import { excerptOf, redactUrl } from "../redact.ts";
import { type ErrorDocument, readErrorDocument } from "./error-document.ts";
import type { HttpAnswer } from "./http-message.ts";

/** What an error needs to know besides the answer. */
export interface AnswerContext {
  /** What was done, see `HttpRequest.action`. */
  readonly action: string;
  readonly repository: RepositoryName;
  /** Whether something was to be written. */
  readonly writes: boolean;
  /** What was sent; undefined if the registry was never asked with credentials in mind. */
  readonly credentials: Credentials | undefined;
  /** Masked in what the registry says. */
  readonly secrets: Iterable<string>;
}

/**
 * The error for an answer that refuses a request.
 *
 * `details.registryCodes` has the registry's codes. `details.missingBlob` is true if a manifest was refused because the
 * registry lacks a blob of it: pushing that blob and then the manifest again may help.
 */
export function answerError(answer: HttpAnswer, context: AnswerContext): LayerwiseError {
  const document = readErrorDocument(answer.bytes);
  const { codes, isPage } = document;
  const missingBlob = context.writes && codes.some((code) => missingBlobCodes.has(code));
  const code = missingBlob ? "REGISTRY_PROTOCOL" : codeOf(answer, document, context);
  const said = isPage ? "a web page instead of a registry's answer" : document.message;
  const message = excerptOf(said, { secrets: context.secrets, length: maxMessage });
  const { host, path } = context.repository;
  return new LayerwiseError(
    code,
    `could not ${context.action}: ${[answer.status, message].filter(Boolean).join(" ")}`,
    {
      hint: hintFor(code, { answer, codes, isPage, missingBlob, ...context }),
      details: {
        registry: host,
        repository: path,
        method: answer.method,
        url: redactUrl(answer.url),
        status: answer.status,
        registryCodes: codes.map((one) => excerptOf(one, { secrets: context.secrets, length: maxCode })),
        ...(missingBlob ? { missingBlob } : {}),
        ...(context.credentials === undefined ? {} : { credentials: context.credentials.source }),
      },
    },
  );
}

/** Longest message of a registry that is repeated, in characters, and longest code. */
const maxMessage = 400;
const maxCode = 60;

const missingBlobCodes: ReadonlySet<string> = new Set(["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"]);

/** Statuses of servers that will never do what was asked. */
const unsupported: ReadonlySet<number> = new Set([501, 505]);

function codeOf(answer: HttpAnswer, { codes }: ErrorDocument, { writes, credentials }: AnswerContext): ErrorCode {
  const { status } = answer;
  const says = (...known: string[]) => codes.some((code) => known.includes(code));
  if (status === 429 || status === 408 || says("TOOMANYREQUESTS")) return "REGISTRY_BUSY";
  if (lacksRight(answer, credentials)) return "REGISTRY_DENIED";
  if (status === 401) return "REGISTRY_UNAUTHORIZED";
  if (status >= 500 && !unsupported.has(status)) return "REGISTRY_BUSY";
  if ((writes && isFixedTag(status, codes)) || says("DENIED")) return "REGISTRY_DENIED";
  if (says("UNAUTHORIZED")) return "REGISTRY_UNAUTHORIZED";
  if (says("BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN")) return "REGISTRY_PROTOCOL";
  if (says("DIGEST_INVALID", "SIZE_INVALID")) return "DIGEST_MISMATCH";
  if (status === 404 || says("NAME_UNKNOWN")) return "REGISTRY_NOT_FOUND";
  return "REGISTRY_PROTOCOL";
}

/** How registries say that a tag is there and may not be moved. */
function isFixedTag(status: number, codes: readonly string[]): boolean {
  return status === 409 || codes.includes("TAG_INVALID");
}

/** A token that was accepted and does not allow enough is refused with 401 as well. https://www.rfc-editor.org/rfc/rfc6750#section-3.1 */
function lacksRight({ status, headers }: HttpAnswer, credentials: Credentials | undefined): boolean {
  if (status === 403) return true;
  const known = credentials !== undefined && credentials.kind !== "anonymous";
  return status === 401 && known && /error="?insufficient_scope/.test(headers["www-authenticate"] ?? "");
}

interface HintParts extends AnswerContext {
  readonly answer: HttpAnswer;
  readonly codes: readonly string[];
  readonly isPage: boolean;
  readonly missingBlob: boolean;
}

function hintFor(code: ErrorCode, parts: HintParts): string | undefined {
  const { answer, repository, writes, isPage, missingBlob } = parts;
  const { host, path } = repository;
  if (answer.status === 413) return `raise the limit for request bodies of the proxy in front of ${host}`;
  if (isPage && code !== "REGISTRY_BUSY") {
    return `check that ${answer.url.host} is a registry and that no proxy answers in its place`;
  }
  if (missingBlob) return "run the build again; if it stays so, clear the cache tags of this repository";
  switch (code) {
    case "REGISTRY_UNAUTHORIZED":
      return loginHint(parts);
    case "REGISTRY_DENIED":
      if (!isFixedTag(answer.status, parts.codes)) return rightHint(parts);
      return `choose another tag, or allow tags of ${path} to be overwritten`;
    case "REGISTRY_NOT_FOUND":
      return writes ? createHint(repository) : `check the name ${path}, and that it is in ${host}`;
    case "REGISTRY_BUSY":
      return answer.status === 429
        ? `wait a while, or log in to ${host}, which allows users more`
        : "run it again later";
    default:
      return undefined;
  }
}

function loginHint({ credentials, repository: { host } }: HintParts): string {
  if (credentials === undefined) return `log in with "docker login ${host}"`;
  if (credentials.kind !== "anonymous")
    return `check the credentials for ${host}; those of ${credentials.source} were sent`;
  return `log in with "docker login ${host}"; no credentials were found in ${credentials.source}`;
}

function rightHint(parts: HintParts): string {
  const { credentials, writes } = parts;
  if (credentials?.kind === "anonymous") return loginHint(parts);
  const user = credentials === undefined ? "this user" : `the user of ${credentials.source}`;
  return `give ${user} the right to ${writes ? "push to" : "pull from"} ${parts.repository.path}`;
}

function createHint({ host, path }: RepositoryName): string {
  const ecr = parseEcrHost(host);
  if (ecr === undefined) return `create the repository ${path} in ${host} first`;
  return `create it first: aws ecr create-repository --region ${ecr.region} --repository-name ${path}`;
}
