// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, symlink } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Programs that build or run containers; none of them is there on Lambda compute. */
const engines: ReadonlySet<string> = new Set([
  "docker",
  "dockerd",
  "docker-compose",
  "docker-buildx",
  "podman",
  "buildah",
  "nerdctl",
  "finch",
  "containerd",
  "buildkitd",
  "buildctl",
]);

/**
 * A search path with the same programs but for engines: a folder that holds one is replaced by one with links to all the
 * others.
 *
 * @param folder where such folders may be made
 */
export async function withoutEngines(path: string, folder: string): Promise<string> {
  const parts: string[] = [];
  for (const [index, part] of path.split(delimiter).entries()) {
    const names = part === "" ? [] : await readdir(part).catch(() => []);
    if (!names.some((name) => engines.has(name))) {
      parts.push(part);
      continue;
    }
    const replaced = join(folder, `path-${index}`);
    await mkdir(replaced, { recursive: true });
    for (const name of names) if (!engines.has(name)) await symlink(join(part, name), join(replaced, name));
    parts.push(replaced);
  }
  return parts.join(delimiter);
}
