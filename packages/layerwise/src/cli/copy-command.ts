// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../error.ts";
import type { Emit } from "../event.ts";
import { copyImage } from "../publish/copy-image.ts";
import { formatRepository, parseReference, type Reference } from "../spec/reference.ts";
import type { Wired } from "../wire.ts";
import { metadataText } from "./metadata.ts";
import type { CommandOptions, RawFlags } from "./options.ts";
import { writeText } from "./report-file.ts";
import type { Surroundings } from "./run.ts";

/** `layerwise copy`: prints the digest of what is at the destination now. */
export async function copyCommand(
  [source = "", destination = ""]: readonly string[],
  {
    options,
    flags,
    wired,
    around,
    emit,
  }: { options: CommandOptions; flags: RawFlags; wired: Wired; around: Surroundings; emit: Emit },
): Promise<void> {
  const from = parseReference(source);
  const to = parseReference(destination);
  if (to.digest !== undefined) {
    throw new LayerwiseError("USAGE", `could not copy to ${destination}: its digest is that of the source`, {
      hint: "give REPOSITORY or REPOSITORY:TAG",
    });
  }
  const tags = [
    ...new Set([...(to.tag === undefined ? [] : [to.tag]), ...(flags.tag ?? []).map((tag) => tagOf(tag, to))]),
  ];
  const { repositories } = wired.ports;
  wired.hear(emit);
  const { digest, mediaType, bytes } = await copyImage({
    from: repositories.inRegistry(from),
    reference: from.digest ?? from.tag ?? "latest",
    to: repositories.inRegistry(to),
    tags,
    emit,
    signal: around.signal,
  });
  const repository = formatRepository(to);
  const names = tags.length === 0 ? [`${repository}@${digest}`] : tags.map((tag) => `${repository}:${tag}`);
  if (options.metadataFile !== undefined) {
    const descriptor = { mediaType, digest, size: bytes.length };
    await writeText(options.metadataFile, metadataText({ descriptor, config: undefined, names }));
  }
  around.stdout.write(`${digest}\n`);
}

/** A tag by itself; a name would say another place. */
function tagOf(tag: string, { host, path }: Reference): string {
  try {
    if (parseReference(`${formatRepository({ host, path })}:${tag}`).tag === tag) return tag;
  } catch {
    // Said below.
  }
  throw new LayerwiseError("USAGE", `could not use ${tag} as a tag`, {
    hint: "give the tag alone; the destination names the repository",
  });
}
