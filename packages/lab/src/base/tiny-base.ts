// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { unpackPackages } from "../debian/unpack-packages.ts";
import { labHome } from "../host/lab-home.ts";
import { makeOnce } from "../host/make-once.ts";
import { sha256 } from "../image/document.ts";
import { encodeTar, type TarItem } from "../image/tar-writer.ts";
import type { RegistryPlace } from "../registry/registry.ts";
import { type BaseLayer, type PushOptions, pushImage } from "./push-image.ts";
import { tinyLayers } from "./tiny-layers.ts";

const config = {
  Env: ["PATH=/usr/local/bin:/usr/bin:/bin", "GREETING=hello world"],
  WorkingDir: "/",
  Cmd: ["sh"],
  Labels: { "org.example.kind": "tiny" },
};

/**
 * Pushes a small image in four layers that has what makes images hard, and returns its reference.
 *
 * It has a shell and the usual tools (busybox), and in its layers: whiteouts, an opaque directory, hard links, merged
 * /usr, links to directories, set bits, capabilities, large owners, long and foreign names. {@link tinyLayers} says what.
 */
export async function tinyBase(registry: RegistryPlace, options: PushOptions = {}): Promise<string> {
  const layers = tinyLayers(await busybox()).map(layerOf);
  return pushImage({ layers, config }, { registry, repository: "tiny", ...options });
}

/**
 * Pushes the tiny base with a busybox that is only a few bytes, and returns its reference: for builds that run nothing,
 * which then move next to nothing.
 */
export async function treeBase(registry: RegistryPlace, options: PushOptions = {}): Promise<string> {
  const layers = tinyLayers(Buffer.from("no program\n")).map(layerOf);
  return pushImage({ layers, config }, { registry, repository: "tree", ...options });
}

/** A layer of entries. */
export function layerOf(items: readonly TarItem[]): BaseLayer {
  const tar = encodeTar(items);
  const zipped = gzipSync(tar);
  const open = async function* () {
    yield zipped;
  };
  return { digest: sha256(zipped), diffId: sha256(tar), size: zipped.length, open };
}

async function busybox(): Promise<Buffer> {
  const path = await makeOnce(join(await labHome(), "bases", "busybox-1"), async (partial) => {
    await mkdir(partial);
    const root = join(partial, "root");
    const packages = ["busybox-static"];
    await unpackPackages(root, { suite: "bookworm", packages, variant: "extract", format: "directory" });
    await rename(join(root, "bin/busybox"), join(partial, "busybox"));
    await rm(root, { recursive: true });
  });
  return readFile(join(path, "busybox"));
}
