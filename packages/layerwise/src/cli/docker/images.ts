// SPDX-License-Identifier: Apache-2.0
import { matchPath } from "../../dockerfile/path-match.ts";
import { LayerwiseError } from "../../error.ts";
import { storedImage } from "../../publish/stored-image.ts";
import { hexOf } from "../../spec/digest.ts";
import { parseReference } from "../../spec/reference.ts";
import type { StoredName } from "../../wire.ts";
import { readFlags } from "./flags.ts";
import { renderTemplate } from "./go-template.ts";
import { familiar, findImage, isImageName, storeName, untagged } from "./names.ts";
import type { StandIn } from "./stand-in.ts";

/** Digits of an ID in a list. */
const shortId = 12;

/** `docker inspect` of an image. */
export async function inspect(standIn: StandIn): Promise<number> {
  const { line, around } = standIn;
  const { values, positionals } = readFlags(line.verb ?? "", line.args, {
    format: { type: "string", short: "f" },
    type: { type: "string" },
    size: { type: "boolean", short: "s" },
  });
  const isOther = values.type !== undefined && values.type !== "image";
  const found = isOther ? [] : await Promise.all(positionals.map(async (text) => await find(standIn, text)));
  if (isOther || found.some((image) => image === undefined)) {
    const real = standIn.real();
    if (real !== undefined) return await real();
  }
  const documents: unknown[] = [];
  for (const image of found) if (image !== undefined) documents.push(await inspected(standIn, image));
  if (values.format === undefined) around.stdout.write(`${JSON.stringify(documents, undefined, 4)}\n`);
  else for (const document of documents) around.stdout.write(`${renderTemplate(values.format, document)}\n`);
  const missing = positionals.filter((_, at) => found[at] === undefined);
  for (const text of missing) around.stderr.write(`Error: No such object: ${text}\n`);
  return missing.length === 0 ? 0 : 1;
}

/** `docker images`. */
export async function listImages(standIn: StandIn): Promise<number> {
  const { line, around, store } = standIn;
  const { values, positionals } = readFlags("images", line.args, {
    format: { type: "string" },
    filter: { type: "string", short: "f", multiple: true },
    quiet: { type: "boolean", short: "q" },
    "no-trunc": { type: "boolean" },
    all: { type: "boolean", short: "a" },
    digests: { type: "boolean" },
  });
  const wanted = [...(values.filter ?? []).map(readFilter), ...positionals.map((text) => [text])];
  const names = (await store.names())
    .filter(isImageName)
    .filter(({ name }) => wanted.every((one) => matches(name, one)));
  const real = names.length === 0 ? standIn.real() : undefined;
  if (real !== undefined) return await real();
  const rows = await Promise.all(names.map(async (image) => await rowOf(standIn, image, values["no-trunc"] === true)));
  const format = values.quiet === true ? "{{.ID}}" : values.format?.replace(/^table\s+/, "");
  if (format !== undefined) for (const row of rows) around.stdout.write(`${renderTemplate(format, row)}\n`);
  else around.stdout.write(tableOf(rows));
  return 0;
}

/** `docker tag`. */
export async function tagImage(standIn: StandIn): Promise<number> {
  const { line, store, around } = standIn;
  const { positionals } = readFlags("tag", line.args, {});
  const [source, target, ...more] = positionals;
  if (source === undefined || target === undefined || more.length > 0) {
    throw new LayerwiseError("USAGE", "could not read the command line of docker tag", {
      hint: "give SOURCE and TARGET",
    });
  }
  const name = storeName(target);
  const image = await find(standIn, source);
  const manifest = image && (await store.repository.fetchManifest(image.digest, { signal: around.signal }));
  if (manifest === undefined) return await elsewhere(standIn, source);
  await store.repository.pushManifest(name, manifest, { signal: around.signal });
  return 0;
}

/** `docker rmi`: takes names away; what they stood for goes with the next cleaning. */
export async function removeImages(standIn: StandIn): Promise<number> {
  const { line, store, around } = standIn;
  const { positionals } = readFlags("rmi", line.args, {
    force: { type: "boolean", short: "f" },
    "no-prune": { type: "boolean" },
  });
  const found = await Promise.all(positionals.map(async (text) => await find(standIn, text)));
  const missing = positionals.find((_, at) => found[at] === undefined);
  if (missing !== undefined) return await elsewhere(standIn, missing);
  for (const image of found) {
    if (image === undefined || !(await store.untag(image.name, { signal: around.signal }))) continue;
    around.stdout.write(`Untagged: ${familiar(image.name)}\n`);
  }
  return 0;
}

/** An image of the store by name or ID. */
export async function find(standIn: StandIn, text: string): Promise<StoredName | undefined> {
  return await findImage(standIn.store, text, async (image) => (await open(standIn, image)).configDescriptor.digest);
}

/** An image that is not in the store may be the real docker's. */
export async function elsewhere(standIn: StandIn, text: string): Promise<number> {
  const real = standIn.real();
  if (real !== undefined) return await real();
  standIn.around.stderr.write(`Error: No such image: ${text}\n`);
  return 1;
}

async function open({ store, around }: StandIn, { digest }: StoredName) {
  return await storedImage(store.repository, digest, { signal: around.signal });
}

/** https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageInspect */
async function inspected(standIn: StandIn, image: StoredName): Promise<Readonly<Record<string, unknown>>> {
  const { config, configDescriptor, layers } = await open(standIn, image);
  const names = (await standIn.store.names()).filter(({ digest }) => digest === image.digest).filter(isImageName);
  const tags = names.filter(({ name }) => !name.startsWith(untagged)).map(({ name }) => familiar(name));
  return {
    Id: configDescriptor.digest,
    RepoTags: tags,
    RepoDigests: [...new Set(tags.map((tag) => `${tag.replace(/:[^:/]*$/, "")}@${image.digest}`))],
    Parent: "",
    Comment: "",
    Created: config.created ?? "",
    Author: config.author ?? "",
    Config: config.config,
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0),
    RootFS: { Type: "layers", Layers: config.diffIds },
    Metadata: {},
  };
}

interface Row {
  readonly Repository: string;
  readonly Tag: string;
  readonly ID: string;
  readonly Digest: string;
  readonly CreatedAt: string;
  readonly Size: string;
}

async function rowOf(standIn: StandIn, image: StoredName, isWhole: boolean): Promise<Row> {
  const { config, configDescriptor, layers } = await open(standIn, image);
  const isNamed = !image.name.startsWith(untagged);
  const { tag = "" } = isNamed ? parseReference(image.name) : {};
  const size = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  return {
    Repository: isNamed ? familiar(image.name).slice(0, -tag.length - 1) : "<none>",
    Tag: isNamed ? tag : "<none>",
    ID: isWhole ? configDescriptor.digest : hexOf(configDescriptor.digest).slice(0, shortId),
    Digest: image.digest,
    CreatedAt: config.created ?? "",
    Size: `${(size / 1e6).toFixed(1)}MB`,
  };
}

function tableOf(rows: readonly Row[]): string {
  const lines = [
    ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"],
    ...rows.map(({ Repository, Tag, ID, CreatedAt, Size }) => [Repository, Tag, ID, CreatedAt, Size]),
  ];
  const widths = [0, 1, 2, 3].map((at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)) + 3);
  return lines.map((line) => `${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("")}\n`).join("");
}

function readFilter(text: string): readonly string[] {
  const pattern = /^reference=(.+)$/.exec(text)?.[1];
  if (pattern !== undefined) return [pattern];
  throw new LayerwiseError("USAGE", `could not use --filter ${text}: only reference=PATTERN is known here`, {
    hint: "drop the filter",
  });
}

/** A pattern is for the short name, with the tag or without. https://docs.docker.com/reference/cli/docker/image/ls/#filter */
function matches(name: string, [pattern = ""]: readonly string[]): boolean {
  if (name.startsWith(untagged)) return false;
  const short = familiar(name);
  return matchPath(pattern, short) || matchPath(pattern, short.replace(/:[^:/]*$/, ""));
}
