// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import { access, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { differences, type Engine, type ImageTree, mergeLayers } from "../../../lab/src/index.ts";

/** Two images of a registry that should be equal. */
export interface ImagePair {
  readonly one: string;
  readonly other: string;
  /** Whether they may have a shell to run. */
  readonly runs: boolean;
}

/** What an engine makes of an image. */
interface View {
  /** The files of a container, as the engine unpacked them; none if it refused to make one. */
  readonly tree: ImageTree;
  /** What a program in it saw, or why it refused. */
  readonly told: string;
}

/**
 * Makes a container of an image and exports its files, and then runs a program in another one. Refusals go to the output
 * as well, since both images must be refused for the same reason.
 */
const look = `
  docker pull --quiet "$1" > /dev/null || exit
  id=$(docker create --hostname seen --network none "$1" nothing 2> "$2/refusal") || exec cat "$2/refusal"
  docker export "$id" > "$2/tree.tar" && docker rm --volumes "$id" > /dev/null || exit
  [ "$3" = run ] || exit 0
  docker run --rm --hostname seen --network none --entrypoint /bin/sh "$1" -c 'id; pwd; env | sort' 2> "$2/refusal"
  echo "exit code $?"
  # Identifiers of containers are never the same.
  sed "s/[0-9a-f]\\{64\\}/…/g" "$2/refusal"`;

/** Has an engine unpack and run both images, and returns what it sees differ, a line each. */
export async function viewDifferences(engine: Engine, { one, other, runs }: ImagePair): Promise<readonly string[]> {
  const [first, second] = [await viewOf(engine, one, runs), await viewOf(engine, other, runs)];
  const contents = ({ tree }: View) => ({ tree, config: {}, history: [] });
  const lines = differences(contents(first), contents(second)).map((line) => `in a container, ${line}`);
  if (first.told !== second.told) lines.push(`a container says:\n${first.told}and not:\n${second.told}`);
  return lines;
}

async function viewOf(engine: Engine, reference: string, runs: boolean): Promise<View> {
  const folder = await mkdtemp(join(engine.work, "view-"));
  try {
    const { stdout } = await engine.exec(["sh", "-c", look, "sh", reference, folder, runs ? "run" : ""]);
    return { tree: await treeIn(join(folder, "tree.tar")), told: stdout };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function treeIn(file: string): Promise<ImageTree> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  return isThere ? await mergeLayers([{ claims: {}, open: () => createReadStream(file) }]) : new Map();
}
