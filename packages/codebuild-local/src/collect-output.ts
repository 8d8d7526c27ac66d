// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { BuildResult } from "./build-event.ts";
import type { ArtifactSpec, Buildspec } from "./buildspec.ts";
import { CodeBuildLocalError } from "./error.ts";
import { copyFiles, selectFiles } from "./select-files.ts";

/** What a build leaves behind. */
export type Collected = Pick<BuildResult, "artifacts" | "reports">;

interface Collecting {
  readonly buildspec: Buildspec;
  /** Nothing is copied without. */
  readonly output: string | undefined;
}

/**
 * Copies artifacts to `OUTPUT/artifacts/ID`.
 *
 * @param expected identifiers that the project has besides the primary one
 * @throws {CodeBuildLocalError} BUILDSPEC if an artifact has no files, or is not one of the project's
 */
export async function collectArtifacts(
  source: string,
  { buildspec, output, expected }: Collecting & { readonly expected: readonly string[] },
): Promise<Collected["artifacts"]> {
  const { artifacts, secondaryArtifacts } = buildspec;
  const all: [string, ArtifactSpec][] = [
    ...(artifacts === undefined ? [] : [["primary", artifacts] as [string, ArtifactSpec]]),
  ];
  for (const [id, spec] of Object.entries(secondaryArtifacts)) {
    if (expected.length > 0 && !expected.includes(id)) {
      throw new CodeBuildLocalError(
        "BUILDSPEC",
        `could not collect the artifact ${id}: the project has none of this name`,
      );
    }
    all.push([id, spec]);
  }
  const collected: Record<string, Collected["artifacts"][string]> = {};
  for (const [id, spec] of all) {
    const files = await selectFiles(source, spec);
    if (files.length === 0) {
      const why = `no matching artifact paths found: ${spec.files.join(", ")}`;
      throw new CodeBuildLocalError("BUILDSPEC", `could not collect the artifact ${id}: ${why}`);
    }
    const folder = output === undefined ? "" : join(output, "artifacts", id);
    if (output !== undefined) await copyFiles(files, folder);
    collected[id] = { name: spec.name ?? id, folder, files: files.map(({ destination }) => destination) };
  }
  return collected;
}

/** Copies results of tests to `OUTPUT/reports/GROUP`; a group without files is left out. */
export async function collectReports(source: string, { buildspec, output }: Collecting): Promise<Collected["reports"]> {
  const collected: Collected["reports"][number][] = [];
  for (const { group, format, ...spec } of buildspec.reports) {
    const files = await selectFiles(source, { ...spec, excludes: [] });
    if (files.length === 0) continue;
    const folder = output === undefined ? "" : join(output, "reports", group.split("/").at(-1) ?? group);
    if (output !== undefined) await copyFiles(files, folder);
    collected.push({ group, format, folder, files: files.map(({ destination }) => destination) });
  }
  return collected;
}
