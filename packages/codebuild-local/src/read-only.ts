// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";

/** Makes the file system that `/` is on read-only but for one folder, in a mount namespace of its own, and goes on. */
const script = `set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -o remount,bind,ro /
shift; exec "$@"`;

/**
 * The words before a command that let it write to one folder only, as on Lambda compute; undefined where this user and
 * this machine cannot do that. File systems that are mounted below `/` stay as they are.
 *
 * @param folder where writing is allowed
 */
export async function writingOnlyTo(folder: string): Promise<readonly string[] | undefined> {
  const prefix = ["unshare", "--mount", "sh", "-c", script, "sh", folder];
  const [program = "", ...args] = [...prefix, "true"];
  const works = await new Promise<boolean>((resolve) => {
    execFile(program, args, (error) => resolve(error === null));
  });
  return works ? prefix : undefined;
}
