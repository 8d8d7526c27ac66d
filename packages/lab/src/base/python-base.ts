// SPDX-License-Identifier: Apache-2.0
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { unpackPackages } from "../debian/unpack-packages.ts";
import { labHome } from "../host/lab-home.ts";
import { makeOnce } from "../host/make-once.ts";
import { measured } from "../image/measured.ts";
import type { RegistryPlace } from "../registry/registry.ts";
import { type BaseLayer, type PushOptions, pushImage } from "./push-image.ts";

/** Raised when what is in the image changes. */
const recipe = 1;

/** What a Lambda function's base sets, in the image this one stands for. */
const config = {
  Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LAMBDA_TASK_ROOT=/var/task"],
  WorkingDir: "/var/task",
  Cmd: ["python3"],
};

/** Pushes Debian with Python and pip, one layer of about 86 MB, and returns its reference. Made once, then kept. */
export async function pythonBase(registry: RegistryPlace, options: PushOptions = {}): Promise<string> {
  return pushImage({ layers: [await pythonLayer()], config }, { registry, repository: "python", ...options });
}

type Measures = Pick<BaseLayer, "digest" | "diffId" | "size">;

async function pythonLayer(): Promise<BaseLayer> {
  const folder = await makeOnce(join(await labHome(), "bases", `python-${recipe}`), makeLayer);
  const measures = JSON.parse(await readFile(join(folder, "layer.json"), "utf8")) as Measures;
  return { ...measures, open: () => createReadStream(join(folder, "layer.tar.gz")) };
}

async function makeLayer(folder: string): Promise<void> {
  await mkdir(folder);
  const tar = join(folder, "layer.tar");
  await unpackPackages(tar, {
    suite: "bookworm",
    packages: ["ca-certificates", "python3", "python3-pip"],
    variant: "minbase",
    format: "tar",
  });
  const [diff, blob] = [
    { digest: "", size: 0 },
    { digest: "", size: 0 },
  ];
  // Compressed once, so that every registry gets the same digest.
  const zipped = Readable.from(measured(createReadStream(tar), diff)).pipe(createGzip({ level: 6 }));
  await pipeline(measured(zipped, blob), createWriteStream(join(folder, "layer.tar.gz")));
  const measures: Measures = { digest: blob.digest, diffId: diff.digest, size: blob.size };
  await writeFile(join(folder, "layer.json"), JSON.stringify(measures));
  await rm(tar);
}
