// SPDX-License-Identifier: Apache-2.0
import type { NamedImages } from "../plan/gather-bases.ts";
import { contextName } from "../plan/named-contexts.ts";
import type { BuildContext } from "../ports.ts";
import { parseReference } from "../spec/reference.ts";
import { openContextDirectory } from "../wire.ts";

/** What `--build-context` gives names to, by `contextName`. */
export interface BuildContexts {
  readonly named: NamedImages;
  readonly directories: ReadonlyMap<string, BuildContext>;
  readonly otherContexts: readonly string[];
}

/**
 * Opens named contexts: images are looked up here, directories are read here, and all else is the engine's.
 *
 * @throws REFERENCE_INVALID for a name that cannot be one, CONTEXT_NOT_FOUND for a directory that is not there
 */
export function openBuildContexts(contexts: ReadonlyMap<string, string>): BuildContexts {
  const otherContexts: string[] = [];
  const directories = new Map<string, BuildContext>();
  const named = new Map<string, ReturnType<NamedImages["get"]> & object>();
  for (const [text, value] of contexts) {
    parseReference(text);
    const name = contextName(text);
    const image = imageContext(value);
    if (image !== undefined) named.set(name, image);
    else if (isDirectoryContext(value)) directories.set(name, openContextDirectory(value));
    else otherContexts.push(name);
  }
  return { named, directories, otherContexts };
}

/**
 * Whether a client takes the value for a directory rather than for a URL, a git repository or an image (buildx,
 * `build/opt.go`, and buildkit's gitutil).
 */
export function isDirectoryContext(value: string): boolean {
  const scheme = /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/|target:|-$)/i;
  return value !== "" && !scheme.test(value) && !/^[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:/.test(value);
}

function imageContext(value: string): (ReturnType<NamedImages["get"]> & object) | undefined {
  const image = /^docker-image:\/\/(.+)$/.exec(value)?.[1];
  if (image !== undefined) {
    const { host, path, tag, digest } = parseReference(image);
    return { location: { kind: "registry", name: { host, path } }, reference: digest ?? tag ?? "latest" };
  }
  const layout = /^oci-layout:\/\/([^@]+?)(?::([A-Za-z0-9_][A-Za-z0-9_.-]*))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(value);
  if (layout === null) return undefined;
  return { location: { kind: "layout", path: layout[1] as string }, reference: layout[3] ?? layout[2] ?? "latest" };
}
