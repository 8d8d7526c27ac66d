// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../host/lab-error.ts";
import { preferredMirror } from "../host/lab-home.ts";

/** One line of apt's sources: an archive with the suites and components that are used of it. */
export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/**
 * The Debian mirror that this machine's apt uses.
 *
 * @throws {LabError} if apt has none
 */
export async function debianMirror(): Promise<string> {
  const preferred = preferredMirror();
  if (preferred !== undefined) return preferred;
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  const codename = /^VERSION_CODENAME=(.+)$/m.exec(release)?.[1] ?? "";
  const mirror = mirrorOf(await aptSources(), codename);
  if (mirror !== undefined) return mirror;
  throw new LabError("could not find a Debian mirror in apt's sources: name one in LAYERWISE_LAB_MIRROR");
}

/** Chooses the source that is Debian's own archive: others use Debian's names of suites too. */
export function mirrorOf(sources: readonly AptSource[], codename: string): string | undefined {
  const suites = new Set([codename, "stable", "testing", "unstable", "sid"]);
  const fit = sources.filter(
    (source) => source.components.includes("main") && source.suites.some((suite) => suites.has(suite)),
  );
  const named = fit.find((source) => /\/debian(\/|$)/.test(source.uri));
  return (named ?? fit[0])?.uri;
}

/** Reads one-line style. https://manpages.debian.org/bookworm/apt/sources.list.5.en.html */
export function parseOneLineSources(text: string): readonly AptSource[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (match === null) return [];
    const [, uri = "", suite = "", components = ""] = match;
    return [{ uri, suites: [suite], components: words(components) }];
  });
}

/** Reads deb822 style. https://manpages.debian.org/bookworm/apt/sources.list.5.en.html#DEB822-STYLE_FORMAT */
export function parseDeb822Sources(text: string): readonly AptSource[] {
  const stanzas = text
    .replace(/^#.*\n?/gm, "")
    .replace(/\n[ \t]+(?=\S)/g, " ")
    .split(/\n\s*\n/);
  return stanzas.flatMap((stanza) => {
    const field = (name: string) => words(new RegExp(`^${name}:(.*)$`, "im").exec(stanza)?.[1] ?? "");
    if (!field("Types").includes("deb") || field("Enabled").includes("no")) return [];
    return field("URIs").map((uri) => ({ uri, suites: field("Suites"), components: field("Components") }));
  });
}

async function aptSources(): Promise<readonly AptSource[]> {
  const folder = "/etc/apt/sources.list.d";
  const names = (await readdir(folder).catch(() => [])).sort();
  const files = ["/etc/apt/sources.list", ...names.map((name) => join(folder, name))];
  const sources: AptSource[] = [];
  for (const file of files) {
    const text = await readFile(file, "utf8").catch(() => "");
    if (file.endsWith(".list")) sources.push(...parseOneLineSources(text));
    if (file.endsWith(".sources")) sources.push(...parseDeb822Sources(text));
  }
  return sources;
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
