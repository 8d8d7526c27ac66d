// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { AwsError } from "../error.ts";
import { type Answer, send } from "../http.ts";
import type { Serve } from "../listener.ts";
import { s3Error } from "../s3/s3-api.ts";
import { askBehind, type Backing } from "./backing.ts";

/** The bucket of Amazon S3 from which registries have layers downloaded. */
export interface LayerDownloads {
  /** A signed URL of a blob; `path` is that in the registry behind. */
  urlOf(path: string, region: string): string;
  readonly serve: Serve;
}

/** Milliseconds. */
const lifetime = 3_600_000;

/** The name of the bucket, as in https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html */
export function layerHost(region: string): string {
  return `prod-${region}-starport-layer-bucket.s3.${region}.amazonaws.com`;
}

/** Answers only who has a signed URL and, as S3 does, nobody who sends credentials besides. */
export function createLayerDownloads(backing: Backing, clock: () => number): LayerDownloads {
  const signed = new Map<string, { readonly path: string; readonly expires: number }>();
  return {
    urlOf(path, region) {
      const signature = randomBytes(32).toString("hex");
      signed.set(signature, { path, expires: clock() + lifetime });
      const query = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=${lifetime / 1000}&X-Amz-Signature=${signature}`;
      return `https://${layerHost(region)}/${path.split("/").at(-1)}?${query}`;
    },
    async serve(request, response) {
      const { searchParams } = new URL(request.url ?? "/", "http://s3.invalid");
      const found = signed.get(searchParams.get("X-Amz-Signature") ?? "");
      const { authorization, range } = request.headers;
      if (authorization !== undefined)
        return send(response, refused("InvalidArgument", "Only one auth mechanism allowed", 400));
      if (found === undefined || found.expires <= clock())
        return send(response, refused("AccessDenied", "Access Denied", 403));
      const headers = range === undefined ? {} : { range };
      const answer = await askBehind(backing, { method: request.method ?? "GET", path: found.path, headers });
      const { connection: _, "keep-alive": __, ...passed } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, passed);
      await pipeline(answer, response);
    },
  };
}

function refused(code: string, message: string, status: number): Answer {
  return s3Error(new AwsError(code, message, status));
}
