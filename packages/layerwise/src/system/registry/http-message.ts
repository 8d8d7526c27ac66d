// SPDX-License-Identifier: Apache-2.0

/** Bytes to send, which can be read more than once. */
export interface RequestBody {
  readonly size: number;
  open(): AsyncIterable<Uint8Array>;
}

/** A request to a registry, a token server or a blob store. */
export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly url: URL;
  /** What is done, for errors: the words after "could not", for example `push blob sha256:… to registry.example/app`. */
  readonly action: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: RequestBody | undefined;
  /** Most bytes of a successful answer that are read. */
  readonly maxBytes?: number | undefined;
  /** Milliseconds that the answer may take after the last byte is sent. */
  readonly answerTimeout?: number | undefined;
  /** How often the request is sent at most; as the transport's policy says by default. */
  readonly attempts?: number | undefined;
  /** The body is secret: it is not sent to another host, whatever a server says. */
  readonly isSecret?: boolean | undefined;
  /** Allows plain HTTP to any host: the user wrote the URL. */
  readonly plain?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An answer. Bodies of errors are cut to {@link maxErrorBody}. */
export interface HttpAnswer {
  /** Of the request that was answered. */
  readonly method: HttpRequest["method"];
  readonly status: number;
  /** Names in lower case; repeated fields are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
}

/** An answer whose content is read as a stream. */
export interface StreamedAnswer extends HttpAnswer {
  /** Set for 200 and 206; the bodies of all others are in `bytes`. Must be read to its end or left. */
  readonly body: AsyncIterable<Uint8Array> | undefined;
}

/** Most bytes of an error's body that are read; registries' error documents have some hundred. */
export const maxErrorBody: number = 64 * 1024;

/** A body of bytes in memory. */
export function bodyOf(bytes: Uint8Array): RequestBody {
  return {
    size: bytes.length,
    async *open() {
      yield bytes;
    },
  };
}

/** Whether a status says that the request was done. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
