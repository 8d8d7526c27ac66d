// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { AwsError } from "../error.ts";
import type { Answer } from "../http.ts";
import type { Caller, SignedRequest } from "../signature.ts";
import { type Bucket, type Buckets, bucketNamed, decodeChunks, objectOf, type StoredObject } from "./object-store.ts";

/** What S3's API works on. */
export interface S3Parts {
  readonly buckets: Buckets;
  /** Uploads in parts that have not ended, by their ids: what was said of the object, and the parts by number. */
  readonly uploads: Map<string, { readonly head: StoredObject; readonly parts: Map<number, Buffer> }>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

interface Call extends S3Parts {
  readonly request: SignedRequest;
  readonly caller: Caller;
  readonly query: URLSearchParams;
  readonly bucketName: string;
  readonly key: string;
}

const xml = { "content-type": "application/xml" };

/**
 * Answers a request of S3's REST API, with the bucket in the path, as far as publishing and reading assets needs it.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
export function callS3(
  request: SignedRequest,
  { caller, parts }: { readonly caller: Caller; readonly parts: S3Parts },
): Answer {
  const url = new URL(request.target, "http://s3.invalid");
  const [bucketName = "", ...rest] = url.pathname.slice(1).split("/").map(decodeURIComponent);
  const call: Call = { ...parts, request, caller, query: url.searchParams, bucketName, key: rest.join("/") };
  if (bucketName === "") return listBuckets(call);
  if (call.key === "") return serveBucket(call);
  return serveObject(call, bucketNamed(parts.buckets, bucketName));
}

/** The form of S3's errors; without a body for HEAD. */
export function s3Error({ code, message, status }: AwsError): Answer {
  return {
    status,
    headers: xml,
    body: `${prolog}<Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`,
  };
}

const prolog = '<?xml version="1.0" encoding="UTF-8"?>\n';

function listBuckets({ buckets, caller }: Call): Answer {
  const own = [...buckets].filter(([, { account }]) => account === caller.principal.account);
  const list = own.map(([name]) => `<Bucket><Name>${name}</Name></Bucket>`).join("");
  return document(`<ListAllMyBucketsResult><Buckets>${list}</Buckets></ListAllMyBucketsResult>`);
}

function serveBucket(call: Call): Answer {
  const { request, query, buckets, bucketName, caller } = call;
  if (request.method === "PUT" && query.size === 0) {
    if (buckets.has(bucketName)) throw new AwsError("BucketAlreadyOwnedByYou", "The bucket is there already", 409);
    buckets.set(bucketName, { region: caller.region, account: caller.principal.account, objects: new Map() });
    return { status: 200, headers: { location: `/${bucketName}` } };
  }
  const bucket = bucketNamed(buckets, bucketName);
  if (request.method === "HEAD") return { status: 200, headers: { "x-amz-bucket-region": bucket.region } };
  if (request.method !== "GET") throw new AwsError("NotImplemented", `${request.method} of a bucket is not there`, 501);
  if (query.has("location")) {
    const region = bucket.region === "us-east-1" ? "" : bucket.region;
    return document(
      `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${region}</LocationConstraint>`,
    );
  }
  if (query.has("encryption")) {
    const rule =
      "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>";
    return document(`<ServerSideEncryptionConfiguration>${rule}</ServerSideEncryptionConfiguration>`);
  }
  if (query.get("list-type") === "2") return listObjects(call, bucket);
  throw new AwsError("NotImplemented", `GET of a bucket with ?${query} is not there`, 501);
}

function listObjects({ query, bucketName }: Call, bucket: Bucket): Answer {
  const prefix = query.get("prefix") ?? "";
  const most = Number(query.get("max-keys") ?? 1000);
  const after = query.get("continuation-token") ?? query.get("start-after") ?? "";
  const all = [...bucket.objects].sort(([one], [other]) => (one < other ? -1 : 1));
  const found = all.filter(([key]) => key.startsWith(prefix) && key > after);
  const page = found.slice(0, most);
  const isCut = found.length > page.length;
  const contents = page.map(
    ([key, { bytes, etag, modifiedAt }]) =>
      `<Contents><Key>${escaped(key)}</Key><LastModified>${new Date(modifiedAt).toISOString()}</LastModified>` +
      `<ETag>${escaped(etag)}</ETag><Size>${bytes.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  const next = isCut ? `<NextContinuationToken>${escaped(page.at(-1)?.[0] ?? "")}</NextContinuationToken>` : "";
  return document(
    `<ListBucketResult><Name>${bucketName}</Name><Prefix>${escaped(prefix)}</Prefix><KeyCount>${page.length}</KeyCount>` +
      `<MaxKeys>${most}</MaxKeys><IsTruncated>${isCut}</IsTruncated>${next}${contents.join("")}</ListBucketResult>`,
  );
}

function serveObject(call: Call, bucket: Bucket): Answer {
  const { request, key, query } = call;
  if (query.has("uploadId") || query.has("uploads")) return serveParts(call, bucket);
  if (request.method === "PUT") {
    const source = fieldOf(call, "x-amz-copy-source");
    const object = source === "" ? sentObject(call, sentBytes(call)) : copiedObject(call, source);
    bucket.objects.set(key, object);
    if (source === "") return { status: 200, headers: { etag: object.etag } };
    return document(`<CopyObjectResult><ETag>${escaped(object.etag)}</ETag></CopyObjectResult>`);
  }
  if (request.method === "DELETE") {
    bucket.objects.delete(key);
    return { status: 204 };
  }
  const object = bucket.objects.get(key);
  if (object === undefined) throw new AwsError("NoSuchKey", "The specified key does not exist.", 404);
  return sendObject(call, object);
}

function sendObject(call: Call, object: StoredObject): Answer {
  const metadata = Object.entries(object.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]);
  const headers = {
    ...Object.fromEntries(metadata),
    "content-type": object.contentType,
    etag: object.etag,
    "last-modified": new Date(object.modifiedAt).toUTCString(),
    "accept-ranges": "bytes",
  };
  const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(fieldOf(call, "range")) ?? [];
  if (start === undefined) return { status: 200, headers, body: object.bytes };
  const last = Math.min(end === "" ? Number.POSITIVE_INFINITY : Number(end), object.bytes.length - 1);
  const range = { "content-range": `bytes ${start}-${last}/${object.bytes.length}` };
  return { status: 206, headers: { ...headers, ...range }, body: object.bytes.subarray(Number(start), last + 1) };
}

function serveParts(call: Call, bucket: Bucket): Answer {
  const { request, query, key, uploads, bucketName } = call;
  if (query.has("uploads")) {
    const id = randomBytes(16).toString("hex");
    uploads.set(id, { head: sentObject(call, Buffer.alloc(0)), parts: new Map() });
    const names = `<Bucket>${bucketName}</Bucket><Key>${escaped(key)}</Key>`;
    return document(
      `<InitiateMultipartUploadResult>${names}<UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    );
  }
  const id = query.get("uploadId") ?? "";
  const upload = uploads.get(id);
  if (upload === undefined) throw new AwsError("NoSuchUpload", "The specified upload does not exist.", 404);
  if (request.method === "PUT") {
    const part = sentObject(call, sentBytes(call));
    upload.parts.set(Number(query.get("partNumber")), part.bytes);
    return { status: 200, headers: { etag: part.etag } };
  }
  uploads.delete(id);
  if (request.method === "DELETE") return { status: 204 };
  const ordered = [...upload.parts].sort(([one], [other]) => one - other).map(([, bytes]) => bytes);
  const object = objectOf(Buffer.concat(ordered), upload.head);
  bucket.objects.set(key, object);
  const names = `<Bucket>${bucketName}</Bucket><Key>${escaped(key)}</Key><ETag>${escaped(object.etag)}</ETag>`;
  return document(`<CompleteMultipartUploadResult>${names}</CompleteMultipartUploadResult>`);
}

function sentBytes(call: Call): Buffer {
  return decodeChunks(Buffer.from(call.request.body), fieldOf(call, "x-amz-content-sha256"));
}

function sentObject(call: Call, bytes: Buffer): StoredObject {
  const prefix = "x-amz-meta-";
  const names = Object.keys(call.request.headers).filter((name) => name.startsWith(prefix));
  const metadata = Object.fromEntries(names.map((name) => [name.slice(prefix.length), fieldOf(call, name)]));
  const contentType = fieldOf(call, "content-type") || "binary/octet-stream";
  return objectOf(bytes, { contentType, metadata, modifiedAt: call.clock() });
}

function copiedObject({ buckets, clock }: Call, source: string): StoredObject {
  const [name = "", ...rest] = decodeURIComponent(source).replace(/^\//, "").split("/");
  const object = bucketNamed(buckets, name).objects.get(rest.join("/"));
  if (object === undefined) throw new AwsError("NoSuchKey", "The specified key does not exist.", 404);
  return { ...object, modifiedAt: clock() };
}

function fieldOf({ request }: Call, name: string): string {
  const value = request.headers[name];
  return typeof value === "string" ? value : "";
}

function document(body: string): Answer {
  return { status: 200, headers: xml, body: `${prolog}${body}` };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
