// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";
import type { Event } from "../../event.ts";
import { copyImage } from "../../publish/copy-image.ts";
import { formatBytes } from "../../report/render-text.ts";
import { parseReference } from "../../spec/reference.ts";
import { readFlags } from "./flags.ts";
import { elsewhere, find } from "./images.ts";
import { familiar, storeName } from "./names.ts";
import { type StandIn, tidy } from "./stand-in.ts";

/** `docker push`: uploads what the registry does not have and cannot take from a repository of its own. */
export async function push(standIn: StandIn): Promise<number> {
  const { line, store, wired, around } = standIn;
  const { values, positionals } = readFlags("push", line.args, {
    quiet: { type: "boolean", short: "q" },
    "all-tags": { type: "boolean", short: "a" },
    platform: { type: "string" },
  });
  const [text, ...more] = positionals;
  if (text === undefined || more.length > 0 || values["all-tags"] === true) {
    throw new LayerwiseError(
      "USAGE",
      "could not read the command line of docker push: one name with one tag is needed",
      {
        hint: "give NAME:TAG, one at a time",
      },
    );
  }
  const reference = parseReference(storeName(text));
  const image = await find(standIn, text);
  if (image === undefined) return await elsewhere(standIn, text);
  const say = (words: string) => {
    if (values.quiet !== true) around.stdout.write(`${words}\n`);
  };
  const emit = (event: Event) => {
    standIn.note(event);
    const said = lineOf(event);
    if (said !== undefined) say(said);
  };
  say(
    `The push refers to repository [${familiar(reference.host === "docker.io" ? text : `${reference.host}/${reference.path}`)}]`,
  );
  wired.hear(emit);
  const tag = reference.tag ?? "latest";
  const to = wired.ports.repositories.inRegistry(reference);
  const { digest, bytes } = await copyImage({
    from: store.repository,
    reference: image.digest,
    to,
    tags: [tag],
    emit,
    signal: around.signal,
  });
  if (values.quiet === true) around.stdout.write(`${text}\n`);
  say(`${tag}: digest: ${digest} size: ${bytes.length}`);
  await tidy(standIn);
  return 0;
}

const words = { "blob-present": "already there", "blob-mounted": "mounted", "blob-uploaded": "pushed" } as const;

function lineOf(event: Event): string | undefined {
  if (event.kind !== "blob-present" && event.kind !== "blob-mounted" && event.kind !== "blob-uploaded")
    return undefined;
  return `${event.digest.slice(7, 19)}: ${words[event.kind]} (${formatBytes(event.bytes)})`;
}
