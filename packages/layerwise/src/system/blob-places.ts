// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { type Digest, hexOf } from "../spec/digest.ts";
import { parseRepositoryName, type RepositoryName } from "../spec/reference.ts";
import { readJson } from "./json.ts";

/** A repository of a registry that held a blob when it was last looked. */
export interface BlobPlace {
  readonly repository: RepositoryName;
  /** The folder of the Docker config that opened it; undefined: the usual one. Holds no credentials itself. */
  readonly dockerConfig: string | undefined;
}

/** Remembers in which repositories blobs are. One small file a blob and repository, so that no writer disturbs another. */
export interface BlobPlaces {
  note(digest: Digest, place: BlobPlace): Promise<void>;
  of(digest: Digest): Promise<readonly BlobPlace[]>;
  /** Forgets where blobs are. */
  forget(digests: readonly Digest[]): Promise<void>;
  /** All blobs of which a place is known. */
  digests(): Promise<readonly Digest[]>;
}

const placeSchema = v.object({ repository: v.string(), dockerConfig: v.optional(v.string()) });

/** Keeps places in a directory, made when it is first written to. */
export function openBlobPlaces(directory: string): BlobPlaces {
  const folderOf = (digest: Digest) => join(directory, hexOf(digest));
  return {
    async note(digest, { repository, dockerConfig }) {
      const folder = folderOf(digest);
      await mkdir(folder, { recursive: true });
      const name = `${repository.host}/${repository.path}`;
      const file = join(folder, encodeURIComponent(name));
      const next = `${file}.${process.pid}`;
      await writeFile(next, JSON.stringify({ repository: name, dockerConfig }));
      await rename(next, file);
    },
    async of(digest) {
      const folder = folderOf(digest);
      const found: BlobPlace[] = [];
      for (const name of await namesIn(folder)) {
        const text = await readFile(join(folder, name), "utf8").catch(() => "");
        const parsed = v.safeParse(placeSchema, readJson(text));
        // A file that is being written is under its last name soon.
        if (!parsed.success) continue;
        const { repository, dockerConfig } = parsed.output;
        found.push({ repository: parseRepositoryName(repository), dockerConfig });
      }
      return found;
    },
    async forget(digests) {
      for (const digest of digests) await rm(folderOf(digest), { recursive: true, force: true });
    },
    async digests() {
      return (await namesIn(directory)).map((hex): Digest => `sha256:${hex}`);
    },
  };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
