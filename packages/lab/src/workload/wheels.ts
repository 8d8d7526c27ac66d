// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unpackPackages } from "../debian/unpack-packages.ts";
import { LabError } from "../host/lab-error.ts";
import { labHome } from "../host/lab-home.ts";
import { makeOnce } from "../host/make-once.ts";
import { encodeZip, type ZipFile } from "./zip.ts";

/** Which dependencies an application has: a handful of small ones, some more, or 50 MB that a data team would have. */
export type WheelSet = "small" | "medium" | "full";

interface WheelSetFacts {
  /** Debian's packages. */
  readonly packages: readonly string[];
  /** The Python modules in them, each of which becomes a wheel. */
  readonly modules: readonly string[];
}

/** Raised when what is in the wheels changes. */
const recipe = 2;
const version = "1.0";
/** The one module that has a next version, with the same content. */
const upgraded = { name: "six", version: "1.1" };

const small: WheelSetFacts = {
  packages: ["requests", "urllib3", "certifi", "chardet", "idna", "six"].map((name) => `python3-${name}`),
  modules: ["requests", "urllib3", "certifi", "chardet", "idna", "six"],
};

const sets: Readonly<Record<WheelSet, WheelSetFacts>> = {
  small,
  medium: {
    packages: [...small.packages, ..."numpy sqlalchemy jinja2 yaml".split(" ").map((name) => `python3-${name}`)],
    modules: [...small.modules, ..."numpy sqlalchemy jinja2 yaml".split(" ")],
  },
  full: {
    packages: [
      ...small.packages,
      ..."numpy scipy pandas botocore boto3 jmespath dateutil s3transfer tz sqlalchemy jinja2 yaml"
        .split(" ")
        .map((name) => `python3-${name}`),
    ],
    modules: [
      ...small.modules,
      ..."numpy scipy pandas botocore boto3 jmespath dateutil s3transfer pytz sqlalchemy jinja2 yaml".split(" "),
    ],
  },
};

/** The lines of requirements.txt for a set. */
export function requirementsOf(set: WheelSet): string {
  return sets[set].modules.map((name) => `${name}==${version}\n`).join("");
}

/** The lines of requirements.txt after the upgrade of one dependency. */
export function upgradedRequirementsOf(set: WheelSet): string {
  return requirementsOf(set).replace(`${upgraded.name}==${version}`, `${upgraded.name}==${upgraded.version}`);
}

/** A folder of real Python packages as wheels, repacked from Debian's; made once, then kept. */
export async function makeWheels(set: WheelSet): Promise<string> {
  const path = join(await labHome(), "wheels", `${set}-${recipe}`);
  return makeOnce(path, async (folder) => {
    await mkdir(folder);
    const root = join(folder, "root");
    await unpackPackages(root, { ...sets[set], suite: "bookworm", variant: "extract", format: "directory" });
    const modules = join(root, "usr/lib/python3/dist-packages");
    for (const wheel of [...sets[set].modules.map((name) => ({ name, version })), upgraded]) {
      const file = `${wheel.name}-${wheel.version}-py3-none-any.whl`;
      await writeFile(join(folder, file), await encodeWheel(modules, wheel));
    }
    await rm(root, { recursive: true });
  });
}

/** https://packaging.python.org/en/latest/specifications/binary-distribution-format/ */
async function encodeWheel(
  folder: string,
  { name, version }: { readonly name: string; readonly version: string },
): Promise<Buffer> {
  const files = await filesOf(folder, name);
  const info = `${name}-${version}.dist-info`;
  const text = (file: string, content: string): ZipFile => ({ path: `${info}/${file}`, content: Buffer.from(content) });
  files.push(
    text("METADATA", `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`),
    text("WHEEL", "Wheel-Version: 1.0\nGenerator: layerwise-lab\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
  );
  const record = files
    .map(({ path, content }) => `${path},sha256=${recordDigest(content)},${content.length}\n`)
    .join("");
  return encodeZip([...files, text("RECORD", `${record}${info}/RECORD,,\n`)]);
}

function recordDigest(content: Buffer): string {
  return createHash("sha256").update(content).digest("base64url");
}

/** The files of a module: a folder, or a single file. */
async function filesOf(folder: string, name: string): Promise<ZipFile[]> {
  const single = await readFile(join(folder, `${name}.py`)).catch(() => undefined);
  if (single !== undefined) return [{ path: `${name}.py`, content: single }];
  const files: ZipFile[] = [];
  const names = await readdir(join(folder, name), { recursive: true }).catch(() => []);
  for (const inner of names.sort()) {
    const path = join(folder, name, inner);
    if (inner.includes("__pycache__") || !(await stat(path)).isFile()) continue;
    files.push({ path: `${name}/${inner}`, content: await readFile(path) });
  }
  if (files.length === 0) throw new LabError(`could not make a wheel of ${name}: Debian's packages do not hold it`);
  return files;
}
