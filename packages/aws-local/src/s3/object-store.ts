// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { AwsError } from "../error.ts";

/** An object with its bytes, in memory. */
export interface StoredObject {
  readonly bytes: Buffer;
  readonly contentType: string;
  /** The user's `x-amz-meta-…` fields. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In quotes, as in the field. */
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

/** A bucket of one Region. */
export interface Bucket {
  readonly region: string;
  readonly account: string;
  readonly objects: Map<string, StoredObject>;
}

/** Buckets by name; names are unique in all accounts. */
export type Buckets = Map<string, Bucket>;

/** @throws {AwsError} NoSuchBucket */
export function bucketNamed(buckets: Buckets, name: string): Bucket {
  const bucket = buckets.get(name);
  if (bucket === undefined) throw new AwsError("NoSuchBucket", "The specified bucket does not exist", 404);
  return bucket;
}

/** An object of these bytes. */
export function objectOf(
  bytes: Buffer,
  parts: Pick<StoredObject, "contentType" | "metadata" | "modifiedAt">,
): StoredObject {
  return { bytes, ...parts, etag: `"${createHash("md5").update(bytes).digest("hex")}"` };
}

/**
 * The bytes inside a body in chunks with signatures or trailers; the body itself if it is none.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export function decodeChunks(body: Buffer, contentSha256: string): Buffer {
  if (!contentSha256.startsWith("STREAMING-")) return body;
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.subarray(at, end).toString("latin1"), 16);
    if (end === -1 || !Number.isInteger(size))
      throw new AwsError("IncompleteBody", "The chunks of the body are malformed");
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
