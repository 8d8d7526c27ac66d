// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import type { SecureContext } from "node:tls";
import { LayerwiseError } from "../../error.ts";
import type { Environment } from "./proxy.ts";

/** Where certificates of authorities are read from, besides those that Node knows. */
export interface TrustOptions {
  /** PEM files that the user named; each must be readable. */
  readonly caFiles: readonly string[];
  readonly environment: Environment;
}

/**
 * The certificates that registries are checked against: Node's own, those of SSL_CERT_FILE and NODE_EXTRA_CA_CERTS, and
 * those of the files that the user named.
 */
export async function loadTrust({ caFiles, environment }: TrustOptions): Promise<SecureContext> {
  // Loaded here, because who speaks plain HTTP or works in a directory does without.
  const { createSecureContext, rootCertificates } = await import("node:tls");
  const { SSL_CERT_FILE: systemFile, NODE_EXTRA_CA_CERTS: nodeFile } = environment;
  // Without a list Node uses its own roots and NODE_EXTRA_CA_CERTS.
  if (caFiles.length === 0 && !systemFile) return createSecureContext();
  const optional = [systemFile, nodeFile].flatMap((file) => (file ? [file] : []));
  const found = await Promise.all(optional.map((file) => readFile(file, "utf8").catch(() => "")));
  const named = await Promise.all(caFiles.map(readNamed));
  return createSecureContext({ ca: [...rootCertificates, ...found.filter((text) => text !== ""), ...named] });
}

/** For connections on which certificates are not checked: without those of authorities, which take time to load. */
export async function trustNobody(): Promise<SecureContext> {
  const { createSecureContext } = await import("node:tls");
  return createSecureContext({ ca: [] });
}

async function readNamed(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw unusable(file, cause.code ?? cause.message, cause);
  });
  if (!text.includes("-----BEGIN CERTIFICATE-----")) throw unusable(file, "it holds no certificate in PEM form");
  return text;
}

function unusable(file: string, why: string, cause?: unknown): LayerwiseError {
  return new LayerwiseError("DISK", `could not read the certificates of ${file}: ${why}`, {
    hint: "name a readable file with one or more PEM certificates",
    cause,
  });
}
