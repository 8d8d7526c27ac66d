// SPDX-License-Identifier: Apache-2.0
import { isLayerwiseError } from "../error.ts";
import type { BuildContext } from "../ports.ts";
import { parseReference } from "../spec/reference.ts";
import type { StageHead } from "./global-scope.ts";
import { refuseWhole } from "./refusal.ts";

/** What `--build-context` says of names, apart from images; by `contextName`. */
export interface NamedContexts {
  readonly directories?: ReadonlyMap<string, BuildContext> | undefined;
  /** Names of what only an engine reads: URLs and git repositories. */
  readonly otherContexts?: readonly string[] | undefined;
}

/**
 * The form in which names are compared with what a Dockerfile says: `alpine`, `alpine:latest` and
 * `docker.io/library/alpine` are one (BuildKit, frontend/dockerui, `NamedContext`).
 */
export function contextName(text: string): string {
  try {
    const { host, path, tag, digest } = parseReference(text);
    const name = host === "docker.io" ? path.replace(/^library\//, "") : `${host}/${path}`;
    const tagged = tag === undefined ? name : `${name}:${tag}`;
    return digest === undefined ? tagged.replace(/:latest$/, "") : `${tagged}@${digest}`;
  } catch (error) {
    // What is no reference has no other form.
    if (isLayerwiseError(error)) return text;
    throw error;
  }
}

/**
 * Leaves a Dockerfile to the engine that uses a name in a way that is not evaluated here: a URL, or a directory in the
 * place of a base.
 */
export function refuseUnread(
  heads: readonly StageHead[],
  { contexts, imagesReadBy }: { contexts: NamedContexts; imagesReadBy: (head: StageHead) => readonly string[] },
): void {
  const { directories, otherContexts = [] } = contexts;
  const isOther = (name: string) => otherContexts.includes(contextName(name));
  for (const head of heads) {
    const { base, parent, stage } = head;
    const startsHere = parent === undefined && base !== "scratch";
    const isBase = startsHere && (isOther(base) || directories?.has(contextName(base)) === true);
    const detail = isBase ? base : imagesReadBy(head).find(isOther);
    if (detail !== undefined) refuseWhole({ name: "named-context", detail, at: stage.from.at });
  }
}
