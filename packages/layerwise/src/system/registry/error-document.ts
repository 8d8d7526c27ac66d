// SPDX-License-Identifier: Apache-2.0
import { readJson } from "../json.ts";

/** What an error's body says. */
export interface ErrorDocument {
  /** The codes of the distribution specification, or a registry's own. */
  readonly codes: readonly string[];
  /** For people; of any length, and empty if the body says nothing. */
  readonly message: string;
  /** Whether the body is a web page, which no registry sends. */
  readonly isPage: boolean;
}

/** Most errors of one document that are repeated. */
const maxErrors = 3;

/**
 * Reads the body of an error: the document of the distribution specification, of a token server (OAuth 2), of AWS, or
 * whatever else is there.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes
 */
export function readErrorDocument(bytes: Uint8Array): ErrorDocument {
  const text = Buffer.from(bytes).toString("utf8").trim();
  const json = parseObject(text);
  if (json === undefined) return readText(text);
  const errors = Array.isArray(json["errors"]) ? json["errors"].filter(isObject) : [];
  if (errors.length > 0) {
    const shown = errors.slice(0, maxErrors).map(describeError);
    return { codes: errors.flatMap(({ code }) => textOf(code)), message: shown.join("; "), isPage: false };
  }
  const codes = [json["code"], json["__type"], json["error"]].flatMap(textOf).slice(0, 1);
  const [message = ""] = ["message", "Message", "error_description", "details"].flatMap((name) => textOf(json[name]));
  return { codes, message: [...codes, message].filter((part) => part !== "").join(": "), isPage: false };
}

function describeError({ code, message, detail }: JsonObject): string {
  const parts = [...textOf(code), ...textOf(message)];
  // The detail names the blob that is missing, or which right is; its form differs from registry to registry.
  const digest = /sha256:[0-9a-f]{64}/.exec(JSON.stringify(detail ?? ""))?.[0];
  const named = digest === undefined || parts.some((part) => part.includes(digest)) ? "" : ` (${digest})`;
  return `${parts.join(": ")}${named}`;
}

function readText(text: string): ErrorDocument {
  const isPage = /^<(?:!doctype html|html|head|body)\b/i.test(text);
  const words = text
    .replace(/<(script|style)\b.*?<\/\1>/gis, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return { codes: [], message: words, isPage };
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseObject(text: string): JsonObject | undefined {
  const json = readJson(text);
  return isObject(json) ? json : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string[] {
  return typeof value === "string" && value.trim() !== "" ? [value.replace(/\s+/g, " ").trim()] : [];
}
