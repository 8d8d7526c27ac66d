// SPDX-License-Identifier: Apache-2.0
import type { RegistryPlace } from "../../../lab/src/index.ts";
import type { Report } from "../../src/report/report.ts";

/** What was published while a site was open, so that in the end others can read all of it. */
export interface PublishedImages {
  /** Notes the images of a build that has pushed, by its report. */
  report(report: Report): void;
  /** Notes the images of a build that has pushed, by what it printed last; false if there was nothing to see of one. */
  printed(stderr: string): boolean;
  /** The images by digest; with `latest` only those that were the last under a name. */
  references(options?: { readonly latest?: boolean }): readonly string[];
}

/**
 * Collects what is published to a registry.
 *
 * @param others names of other ways to the same registry
 */
export function collectPublished(registry: RegistryPlace, others: readonly string[]): PublishedImages {
  /** All digests that were published under a name, in order. */
  const digests = new Map<string, string[]>();

  function add(digest: string, references: readonly string[]): void {
    for (const reference of references) {
      // The image may have gone into an archive or a layout as well.
      const host = [registry.name, ...others].find((name) => reference.startsWith(`${name}/`));
      if (host === undefined) continue;
      const name = `${registry.name}${reference.slice(host.length)}`;
      digests.set(name, [...(digests.get(name) ?? []), digest]);
    }
  }

  return {
    report: ({ image }) => add(image.digest, image.references),
    printed(stderr) {
      const digest = /^digest (sha256:[0-9a-f]{64})$/m.exec(stderr)?.[1];
      const tags = [...stderr.matchAll(/^tag {4}(\S+)$/gm)].map(([, reference]) => reference ?? "");
      if (digest === undefined || tags.length === 0) return false;
      add(digest, tags);
      return true;
    },
    references({ latest = false } = {}) {
      const found = new Set<string>();
      for (const [name, all] of digests) {
        const repository = name.replace(/:[^:/]*$/, "");
        for (const digest of latest ? all.slice(-1) : all) found.add(`${repository}@${digest}`);
      }
      return [...found];
    },
  };
}
