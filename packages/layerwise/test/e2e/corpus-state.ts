// SPDX-License-Identifier: Apache-2.0
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { pushBase, sharedBase } from "./corpus-bases.ts";
import type { CorpusCase, Edit, Entry } from "./corpus-case.ts";
import { removePaths, touchPaths, writeEntries } from "./corpus-context.ts";
import type { Site } from "./site.ts";

/** What a case has come to. */
export interface CaseState {
  readonly site: Site;
  readonly one: Omit<CorpusCase, "steps">;
  readonly reference: string;
  folder: string;
  dockerfile: string;
  options: readonly string[];
  readonly bases: Map<string, string>;
  digest: string | undefined;
  /** What was built, and what the engine built of the same. */
  readonly built: { readonly reference: string; readonly truth: string }[];
  /** How often the build context was written. */
  edits: number;
}

/** Pushes the bases of a case, and writes its build context. */
export async function startCase(site: Site, one: Omit<CorpusCase, "steps">): Promise<CaseState> {
  const { name, dockerfile, options } = one;
  const folder = await site.folder(name);
  const reference = `${site.registry.name}/corpus/${name}:1`;
  const bases = new Map([
    ["TINY", await sharedBase(site, "tiny")],
    ["TREE", await sharedBase(site, "tree")],
    ["REGISTRY", site.registry.name],
  ]);
  const state: CaseState = {
    ...{ site, one, reference, folder, dockerfile, options, bases },
    ...{ digest: undefined, built: [], edits: 0 },
  };
  await applyEdit(state, {
    dockerfile: [],
    remove: [],
    touch: [],
    context: one.context,
    bases: one.bases,
  });
  return state;
}

/** Changes what a build is made of. */
export async function applyEdit(state: CaseState, edit: Edit): Promise<void> {
  const { site, one } = state;
  for (const [name, spec] of Object.entries(edit.bases)) {
    const place = { repository: `bases/${one.name}-${name.toLowerCase()}`, tag: "1" };
    const reference = await pushBase(site, spec, place);
    state.bases.set(name, reference);
    state.bases.set(`${name}@`, `${reference.replace(/:1$/, "")}@${await digestOfTag(reference)}`);
  }
  if (edit.folder !== undefined) {
    const folder = join(site.work, edit.folder);
    await rename(state.folder, folder);
    state.folder = folder;
  }
  for (const [from, to] of edit.dockerfile) {
    if (state.dockerfile.split(from).length !== 2)
      throw new Error(`${one.name}: "${from}" is not once in its Dockerfile`);
    state.dockerfile = state.dockerfile.replace(from, () => to);
  }
  state.options = edit.options ?? state.options;
  await removePaths(state.folder, edit.remove);
  const written = edit.context.map((entry) => ({ ...entry, content: entry.content && filled(entry.content, state) }));
  state.edits += 1;
  const dockerfile: Entry = { path: one.file, type: "file", names: "utf8", content: filled(state.dockerfile, state) };
  await writeEntries(state.folder, [dockerfile, ...written], { edit: state.edits });
  await touchPaths(state.folder, { paths: edit.touch, edit: state.edits });
}

/** Puts what only this run knows in the place of `${NAME}`. */
export function filled(text: string, { bases, folder }: Pick<CaseState, "bases" | "folder">): string {
  let result = text.replaceAll("${CONTEXT}", folder);
  for (const [name, reference] of bases) result = result.replaceAll(`\${${name}}`, reference);
  return result;
}

/** The digest that a tag has in the registry; undefined if there is none. */
export async function digestOfTag(reference: string): Promise<string | undefined> {
  const [, host, repository, tag] = /^([^/]+)\/(.+):([^:]+)$/.exec(reference) ?? [];
  const accept = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
  const answer = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
    method: "HEAD",
    headers: { accept },
  });
  return answer.headers.get("docker-content-digest") ?? undefined;
}
