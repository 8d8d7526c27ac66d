// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";
import { dockerArchive } from "../../publish/docker-archive.ts";
import { storedImage } from "../../publish/stored-image.ts";
import { insideEngine } from "../../wire.ts";
import type { Said, Surroundings } from "../run.ts";
import { build } from "./build.ts";
import { parseDockerLine } from "./command-line.ts";
import { inspect, listImages, removeImages, tagImage } from "./images.ts";
import { login, logout } from "./login.ts";
import { familiar, isImageName, storeName, untagged } from "./names.ts";
import { push } from "./push.ts";
import { openStandIn, type StandIn } from "./stand-in.ts";
import { showVersion } from "./version.ts";

type Verb = (standIn: StandIn, said: Said) => Promise<number>;

const verbs: Readonly<Record<string, Verb>> = {
  login,
  logout,
  build,
  tag: tagImage,
  push,
  inspect,
  "image inspect": inspect,
  images: listImages,
  rmi: removeImages,
  version: showVersion,
  info: showVersion,
  "buildx version": showVersion,
  run: runContainer,
  create: runContainer,
};

/**
 * `layerwise docker`: does what tools ask docker for, with a store of its own. What needs an engine, and every verb that
 * is not known here, is the real docker's.
 */
export async function runDocker(
  argv: readonly string[],
  { around, said }: { around: Surroundings; said: Said },
): Promise<number> {
  if ((around.env[insideEngine] ?? "") !== "") {
    throw new LayerwiseError("ENGINE_MISSING", "could not act as an engine: this is layerwise in docker's place", {
      hint: "put the real docker on PATH",
    });
  }
  const line = parseDockerLine(argv);
  const standIn = openStandIn(argv, { line, around });
  try {
    if (line.isVersion) return await showVersion(standIn);
    const verb = line.verb === undefined || !Object.hasOwn(verbs, line.verb) ? undefined : verbs[line.verb];
    return await (verb ?? handedOver)(standIn, said);
  } finally {
    await standIn.close();
  }
}

async function handedOver(standIn: StandIn): Promise<number> {
  const real = standIn.real();
  if (real !== undefined) return await real();
  const { verb } = standIn.line;
  const what = verb === undefined ? "docker without a verb" : `docker ${verb}`;
  throw new LayerwiseError(
    "ENGINE_MISSING",
    `could not run ${what}: only a real docker can, and there is none on PATH`,
    {
      hint: "install Docker beside layerwise, which then hands this over to it",
    },
  );
}

/** A container of an image that only the store has: the real docker gets the image first. */
async function runContainer(standIn: StandIn): Promise<number> {
  const { line, store, wired, around } = standIn;
  if (standIn.real() === undefined) return await handedOver(standIn);
  const words = new Set(line.args.filter((word) => /^[a-z0-9]/.test(word)).map(nameOrNothing));
  const { signal } = around;
  for (const { name, digest } of (await store.names()).filter(isImageName)) {
    if (name.startsWith(untagged) || !words.has(name)) continue;
    const image = await storedImage(store.repository, digest, { signal });
    around.stderr.write(`loading ${familiar(name)} into docker\n`);
    await wired.ports.engine.load(dockerArchive(image, { references: [familiar(name)], signal }), { signal });
  }
  return await handedOver(standIn);
}

/** Most words of a command line are no names of images. */
function nameOrNothing(word: string): string | undefined {
  try {
    return storeName(word);
  } catch {
    return undefined;
  }
}
