// SPDX-License-Identifier: Apache-2.0

/** A request that a registry has answered. */
export interface RegistryRequest {
  readonly method: string;
  /** With the query, if there was one. */
  readonly path: string;
  readonly status: number;
  /** Bytes of the answer's body; what was uploaded is not in the log. */
  readonly bytes: number;
}

/** One line of the combined log format, up to the size. https://httpd.apache.org/docs/2.4/logs.html#combined */
const line = /^\S+ \S+ \S+ \[[^\]]*\] "(\S+) (\S+) HTTP\/[\d.]+" (\d{3}) (\d+)/;

/** Reads the complete lines of an access log; other lines are passed over. */
export function parseAccessLog(text: string): readonly RegistryRequest[] {
  return text.split("\n").flatMap((one) => {
    const match = line.exec(one);
    if (match === null) return [];
    const [, method = "", path = "", status, bytes] = match;
    // For HEAD the registry logs what it would have sent.
    return [{ method, path, status: Number(status), bytes: method === "HEAD" ? 0 : Number(bytes) }];
  });
}
