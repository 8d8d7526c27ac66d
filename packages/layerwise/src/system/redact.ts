// SPDX-License-Identifier: Apache-2.0

/**
 * Query parameters whose values are public: those that the distribution specification defines and those of token
 * requests. Everything else may be a signature, a session state or a token.
 */
const publicParameters: ReadonlySet<string> = new Set(["digest", "mount", "from", "scope", "service", "n", "last"]);

/** What stands in the place of a secret. */
const mask = "***";

/** A URL as it may be shown: without user, password and fragment, and with the values of unknown parameters masked. */
export function redactUrl(url: string | URL): string {
  const text = String(url);
  const [, scheme = "", authority = "", path = "", query] = urlForm.exec(text) ?? [];
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  return `${scheme}${host}${path}${query === undefined ? "" : `?${query.split("&").map(redactParameter).join("&")}`}`;
}

/**
 * A text from outside as it may be shown: every secret masked, as it is and in its encoded forms, and every URL in it
 * redacted.
 */
export function redactText(text: string, secrets: Iterable<string>): string {
  const forms = new Set<string>();
  for (const secret of secrets) for (const form of formsOf(secret)) forms.add(form);
  // Longest first, so that no part of a longer secret is left behind.
  const ordered = [...forms].sort((one, other) => other.length - one.length);
  let shown = text;
  for (const form of ordered) shown = shown.replaceAll(form, mask);
  return shown.replace(urlsInText, (url) => redactUrl(url)).replace(authorizations, `$1 ${mask}`);
}

/** The beginning of a text from outside as it may be shown. It is cut after the masking: half a secret is not found. */
export function excerptOf(text: string, { secrets, length }: { secrets: Iterable<string>; length: number }): string {
  const shown = redactText(text, secrets);
  return shown.length <= length ? shown : `${shown.slice(0, length)}…`;
}

const urlForm = /^([a-z][a-z0-9+.-]*:\/\/)?((?<=:\/\/)[^/?#]*)?([^?#]*)(?:\?([^#]*))?/i;
const urlsInText = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi;
const authorizations = /\b(Bearer|Basic) (?!realm\b)[A-Za-z0-9+/=_.~-]{8,}/g;

function redactParameter(parameter: string): string {
  const equals = parameter.indexOf("=");
  if (equals === -1) return publicParameters.has(parameter) ? parameter : mask;
  const name = parameter.slice(0, equals);
  return publicParameters.has(name) ? parameter : `${name}=${mask}`;
}

/** A secret as it may appear: plain, in a URL, in JSON, and in base64. */
function formsOf(secret: string): string[] {
  if (secret === "") return [];
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString("base64"),
    bytes.toString("base64url"),
  ];
}
