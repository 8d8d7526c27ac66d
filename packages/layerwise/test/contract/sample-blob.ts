// SPDX-License-Identifier: Apache-2.0
import type { Blob } from "../../src/ports.ts";
import { type Digest, digestOf } from "../../src/spec/digest.ts";

/** A blob of a text or of bytes. */
export function blobOf(content: string | Uint8Array): Blob {
  const bytes = Buffer.from(content as Uint8Array);
  return {
    descriptor: { mediaType: "application/octet-stream", digest: digestOf(bytes), size: bytes.length },
    async *open() {
      for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
    },
  };
}

/** The requests of an upload, as a scripted server expects them. */
export function uploadOf(
  path: string,
  digest: Digest,
): { head: string; post: string; put: (location: string) => string } {
  return {
    head: `HEAD /v2/${path}/blobs/${digest}`,
    post: `POST /v2/${path}/blobs/uploads/`,
    put: (location) => `PUT ${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`,
  };
}
