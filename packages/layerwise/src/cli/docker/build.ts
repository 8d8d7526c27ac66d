// SPDX-License-Identifier: Apache-2.0
import { createColors } from "picocolors";
import { hasCode } from "../../error.ts";
import type { Event } from "../../event.ts";
import type { Report } from "../../report/report.ts";
import { hexOf } from "../../spec/digest.ts";
import { formatReference } from "../../spec/reference.ts";
import { openConsole } from "../console.ts";
import { openBuildOptions, openCacheRepository } from "../open-build.ts";
import { progressKind, usesColour, writeResults } from "../results.ts";
import type { Said } from "../run.ts";
import { tracedBuild } from "../traced-build.ts";
import { type BuildLine, readBuildLine } from "./build-line.ts";
import { familiar, untagged } from "./names.ts";
import { type StandIn, tidy } from "./stand-in.ts";

/** `docker build` and `docker buildx build`: builds into the store, and wherever the flags say besides. */
export async function build(standIn: StandIn, said: Said): Promise<number> {
  const { line, around } = standIn;
  let read: BuildLine;
  try {
    read = readBuildLine(line.args, around.env);
  } catch (error) {
    const real = standIn.real();
    if (real === undefined || !hasCode(error, "USAGE")) throw error;
    around.stderr.write(`layerwise leaves this build to docker: ${(error as Error).message}\n`);
    return await real();
  }
  for (const flag of read.idle) around.stderr.write(`${flag} has nothing to do: checkpoints take its place\n`);
  return await buildInto(standIn, read, said);
}

async function buildInto(standIn: StandIn, { options }: BuildLine, said: Said): Promise<number> {
  const { around, wired, store, cacheRepo } = standIn;
  const palette = createColors(usesColour(around));
  const kind = progressKind(options.progress, around);
  said.isJson = kind === "json";
  const live = openConsole(kind, { stream: around.stderr, palette });
  try {
    const opened = await openBuildOptions(options, { wired, around, isPlan: false });
    said.dockerfile = opened.dockerfile.text;
    const names = options.tags.map(formatReference);
    const cache = options.cacheRepo ?? cacheRepo;
    const emit = (event: Event) => {
      standIn.note(event);
      live.emit(event);
    };
    const { report, earlier } = await tracedBuild(
      {
        ...opened,
        outputs: [
          { kind: "repository", repository: store.repository, tags: names },
          ...opened.outputs.filter((output) => output.kind !== "load"),
        ],
        cache: cache === undefined ? store.repository : openCacheRepository(cache, wired.ports.repositories),
      },
      { around, wired, emit },
    );
    if (names.length === 0) await keepUntagged(standIn, report);
    live.end();
    await writeResults({ report: shown(report, store.repository.name), earlier }, { options, kind, around, palette });
    await tidy(standIn);
    return 0;
  } catch (error) {
    live.end();
    if (hasCode(error, "BUILD_FAILED")) for (const line of live.unseen()) around.stderr.write(`${line}\n`);
    throw error;
  } finally {
    live.end();
  }
}

/** An image without a name can be asked for by its ID. */
async function keepUntagged({ store, around }: StandIn, { image }: Report): Promise<void> {
  const { signal } = around;
  const manifest = await store.repository.fetchManifest(image.digest, { signal });
  if (manifest === undefined) return;
  await store.repository.pushManifest(`${untagged}${hexOf(manifest.digest)}`, manifest, { signal });
}

/** The names that the image has in the store, as docker says them. */
function shown(report: Report, store: string): Report {
  const references = report.image.references.map((name) => {
    return name.startsWith(`${store}:`) ? familiar(name.slice(store.length + 1)) : name;
  });
  return { ...report, image: { ...report.image, references } };
}
