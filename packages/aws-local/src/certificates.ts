// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { AwsLocalError } from "./error.ts";

/** A certificate for some names, of an authority that nobody else knows. */
export interface Certificates {
  /** PEM file of the authority. */
  readonly caFile: string;
  readonly key: string;
  readonly cert: string;
  remove(): Promise<void>;
}

/**
 * Makes an authority and a certificate for names with openssl.
 *
 * @throws {AwsLocalError} if there is no openssl
 */
export async function makeCertificates(names: readonly string[]): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), "aws-local-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  const openssl = async (command: string) => await promisify(execFile)("openssl", command.split(" "), { cwd: folder });
  const newKey = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  try {
    await writeFile(join(folder, "names"), `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`);
    await openssl(`req -x509 ${newKey} -keyout ca.key -out ca.pem -days 2 -subj /CN=aws-local`);
    await openssl(`req ${newKey} -keyout server.key -out server.csr -subj /CN=registry`);
    await openssl(
      "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    );
    const [key, cert] = await Promise.all(
      ["server.key", "server.pem"].map((name) => readFile(join(folder, name), "utf8")),
    );
    return { caFile: join(folder, "ca.pem"), key: key as string, cert: cert as string, remove };
  } catch (cause) {
    await remove();
    throw new AwsLocalError(`could not make certificates with openssl: ${(cause as Error).message}`, { cause });
  }
}
