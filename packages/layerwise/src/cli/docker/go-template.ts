// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";

/**
 * Fills in a template of `--format`, as far as tools use them: fields, and `json` of a field or of everything.
 * https://docs.docker.com/engine/cli/formatting/
 *
 * @throws USAGE for everything else that Go's templates can do, and for a field that is not there
 */
export function renderTemplate(template: string, value: unknown): string {
  if (template === "json") return JSON.stringify(value);
  return template
    .replace(/\\n/g, "\n")
    .replace(/\\t/g, "\t")
    .replace(/\{\{([^}]*)\}\}/g, (whole, inside: string) => {
      const match = /^\s*(json\s+)?(\.|(?:\.[A-Za-z][A-Za-z0-9]*)+)\s*$/.exec(inside);
      if (match === null) throw unknown(whole, "only fields and json are known here");
      const found = fieldOf(value, match[2] as string, whole);
      return match[1] === undefined ? plain(found) : JSON.stringify(found ?? null);
    });
}

function fieldOf(value: unknown, path: string, whole: string): unknown {
  let found = value;
  for (const name of path.split(".").filter((part) => part !== "")) {
    if (typeof found !== "object" || found === null || !(name in found)) throw unknown(whole, `there is no ${name}`);
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

/** As Go prints a value by itself. */
function plain(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(plain).join(" ")}]`;
  if (value === undefined || value === null) return "<no value>";
  if (typeof value !== "object") return String(value);
  const fields = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `map[${fields.map(([name, field]) => `${name}:${plain(field)}`).join(" ")}]`;
}

function unknown(what: string, why: string): LayerwiseError {
  return new LayerwiseError("USAGE", `could not fill in --format ${what}: ${why}`, {
    hint: "use {{.Field}}, {{json .}} or {{json .Field}}",
  });
}
