// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { SignatureV4 } from "@smithy/signature-v4";
import { LayerwiseError } from "../error.ts";
import { redactText } from "./redact.ts";

/*
 * The only module that knows AWS's packages; imported when a token is needed. They are CommonJS, which a bundler with
 * code splitting can only serve through static imports.
 */

/** A request to sign. */
export interface EcrRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly region: string;
  /** Receives the credentials that the request is signed with. */
  readonly secrets: Set<string>;
}

/** Milliseconds for each question to the metadata service of a virtual machine, which most machines do not have. */
const metadataTimeout = 1_000;

/**
 * The headers of a request, signed with Signature Version 4; undefined if this machine has no AWS credentials.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 *
 * Credentials come from AWS's default chain, which reads this process's own environment.
 */
export async function signEcrRequest({
  url,
  headers,
  body,
  region,
  secrets,
}: EcrRequest): Promise<Record<string, string> | undefined> {
  const credentials = await findCredentials(secrets);
  if (credentials === undefined) return undefined;
  const { secretAccessKey, sessionToken } = credentials;
  for (const secret of [secretAccessKey, sessionToken]) if (secret !== undefined) secrets.add(secret);
  const signer = new SignatureV4({ credentials, region, service: "ecr", sha256: Sha256 });
  const { headers: signed } = await signer.sign({
    method: "POST",
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { ...headers },
    body,
  });
  return signed;
}

type AwsCredentials = Awaited<ReturnType<ReturnType<typeof defaultProvider>>>;

async function findCredentials(secrets: ReadonlySet<string>): Promise<AwsCredentials | undefined> {
  try {
    return await defaultProvider({ timeout: metadataTimeout, maxRetries: 1, logger: silent })();
  } catch (error) {
    const { message } = error as Error;
    // Nothing but its words tells the end of the chain from credentials that are there and cannot be used.
    if (message === "Could not load credentials from any providers") return undefined;
    throw new LayerwiseError(
      "CREDENTIALS_UNREADABLE",
      `could not use AWS's credentials: ${redactText(message, secrets)}`,
      {
        hint: "check AWS's credentials on this machine",
      },
    );
  }
}

/** AWS's packages would otherwise write to this program's stderr. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** SHA-256 and its HMAC in the form that the signer wants. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof data === "string") return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
