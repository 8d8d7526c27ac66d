// SPDX-License-Identifier: Apache-2.0

/**
 * What a token is for: a resource and the actions on it, for example `repository:team/app` and `pull`, `push`.
 * https://distribution.github.io/distribution/spec/auth/scope/
 */
export interface Scope {
  /** Type and name. */
  readonly resource: string;
  readonly actions: readonly string[];
}

/** The scope that lets pull from a repository. */
export function pullScope(path: string): Scope {
  return { resource: `repository:${path}`, actions: ["pull"] };
}

/** The scope that lets push to a repository, and pull from it. */
export function pushScope(path: string): Scope {
  return { resource: `repository:${path}`, actions: ["pull", "push"] };
}

/** The scope that lets delete from a repository, and read what it deletes. */
export function deleteScope(path: string): Scope {
  return { resource: `repository:${path}`, actions: ["delete", "pull"] };
}

/** Reads the scopes of a challenge, which are separated by blanks. */
export function parseScopes(text: string | undefined): readonly Scope[] {
  const words = (text ?? "").split(" ").filter((word) => word !== "");
  return words.map((word) => {
    const colon = word.lastIndexOf(":");
    // A word without a colon is a scope that only its registry understands.
    if (colon === -1) return { resource: word, actions: [] };
    return {
      resource: word.slice(0, colon),
      actions: word
        .slice(colon + 1)
        .split(",")
        .filter((action) => action !== ""),
    };
  });
}

/** Writes a scope, its actions in one order. */
export function formatScope({ resource, actions }: Scope): string {
  return actions.length === 0 ? resource : `${resource}:${[...actions].sort().join(",")}`;
}

/** All scopes of both lists, one a resource, in the order in which resources first occur. */
export function mergeScopes(one: readonly Scope[], other: readonly Scope[]): readonly Scope[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of [...one, ...other]) {
    const known = actions.get(scope.resource) ?? new Set();
    for (const action of scope.actions) known.add(action);
    actions.set(scope.resource, known);
  }
  return [...actions].map(([resource, set]) => ({ resource, actions: [...set] }));
}

/** Whether a token for `granted` serves a request that needs `needed`. */
export function coversScopes(granted: readonly Scope[], needed: readonly Scope[]): boolean {
  return needed.every(({ resource, actions }) =>
    granted.some((scope) => scope.resource === resource && actions.every((action) => scope.actions.includes(action))),
  );
}
