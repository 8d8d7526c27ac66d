// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash, hash } from "node:crypto";

/**
 * Names bytes by their SHA-256, as `sha256:<64 hex>`.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md#digests
 */
export type Digest = `sha256:${string}`;

const digestForm = /^sha256:[0-9a-f]{64}$/;

/** Whether a text is a digest in the one form that layerwise reads and writes. */
export function isDigest(text: string): text is Digest {
  return digestForm.test(text);
}

/** The digest of bytes, or of a text's UTF-8. */
export function digestOf(bytes: Uint8Array | string): Digest {
  // crypto.hash exists since Node 20.12 and costs half of a Hash object on small inputs.
  return `sha256:${hash("sha256", bytes, "hex")}`;
}

/** The hexadecimal part of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}

/** A running digest over a stream of bytes. */
export interface Digester {
  update(bytes: Uint8Array): void;
  /** The digest so far; nothing may be added afterwards. */
  digest(): Digest;
}

/** Starts a running digest. */
export function startDigest(): Digester {
  const running: Hash = createHash("sha256");
  return {
    update: (bytes) => void running.update(bytes),
    digest: () => `sha256:${running.digest("hex")}`,
  };
}
