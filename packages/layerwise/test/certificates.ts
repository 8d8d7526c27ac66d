// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** An authority that nobody knows, and a certificate of it for localhost. */
export interface Certificates {
  /** PEM file of the authority. */
  readonly caFile: string;
  /** For a server. */
  readonly key: string;
  readonly cert: string;
  remove(): Promise<void>;
}

const run = promisify(execFile);

/** Makes an authority and a certificate for localhost and other names with openssl. */
export async function makeCertificates({
  names = [],
}: {
  readonly names?: readonly string[];
} = {}): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), "layerwise-tls-"));
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "2",
    "-subj",
    "/CN=Test authority",
  );
  await openssl("req", ...newKey, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost");
  await writeFile(
    file("names"),
    `subjectAltName=IP:127.0.0.1,${["localhost", ...names].map((name) => `DNS:${name}`).join(",")}`,
  );
  const authority = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
  await openssl(
    "x509",
    "-req",
    "-in",
    "server.csr",
    ...authority,
    "-out",
    "server.pem",
    "-days",
    "2",
    "-extfile",
    "names",
  );
  return {
    caFile: file("ca.pem"),
    key: await readFile(file("server.key"), "utf8"),
    cert: await readFile(file("server.pem"), "utf8"),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
