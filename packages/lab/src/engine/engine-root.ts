// SPDX-License-Identifier: Apache-2.0
import { access, mkdir, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unpackPackages } from "../debian/unpack-packages.ts";
import { LabError } from "../host/lab-error.ts";
import { labHome } from "../host/lab-home.ts";
import { makeOnce } from "../host/make-once.ts";
import { run } from "../host/run.ts";
import { type Generation, generations } from "./generation.ts";

/** Raised when what is in a root changes, so that roots of earlier runs are not used. */
const recipe = 2;

/**
 * A folder with one generation of Docker unpacked from Debian packages; made once, then kept.
 *
 * The one of generation 28 also holds buildah, crane and skopeo.
 */
export async function unpackEngineRoot(generation: Generation): Promise<string> {
  const path = join(await labHome(), "roots", `docker-${generation}-${recipe}`);
  const { suite, packages } = generations[generation];
  return makeOnce(path, async (root) => {
    await unpackPackages(root, { suite, packages, variant: "extract", format: "directory" });
    await completeRoot(root);
    await checkVersion(root, generation);
  });
}

/** Does what the packages' own scripts, which did not run, would have done. */
async function completeRoot(root: string): Promise<void> {
  for (const family of ["iptables", "ip6tables"]) {
    for (const action of ["", "-save", "-restore"]) {
      await linkTo(`${family}-nft${action}`, join(root, "usr/sbin", `${family}${action}`));
    }
  }
  // Older suites have not merged /bin into /usr/bin when nothing runs their scripts.
  for (const folder of ["bin", "usr/bin"]) {
    const [bash, sh] = [join(root, folder, "bash"), join(root, folder, "sh")];
    if ((await isThere(bash)) && !(await isThere(sh))) await linkTo("bash", sh);
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

const files: Readonly<Record<string, string>> = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
  "etc/group": "root:x:0:\ndocker:x:999:\n",
  "etc/hosts": "127.0.0.1 localhost\n",
  "etc/resolv.conf": "",
  // buildah and skopeo refuse to work without a policy: https://github.com/containers/image/blob/v5.36.0/docs/containers-policy.json.5.md
  "etc/containers/policy.json": '{"default":[{"type":"insecureAcceptAnything"}]}\n',
};

/** A suite moves on: what it carries next must not run under the name of this generation. */
async function checkVersion(root: string, generation: Generation): Promise<void> {
  // Packages that were only unpacked are in no list, but the daemon knows what it is.
  const { stdout } = await run(["chroot", root, "dockerd", "--version"]);
  const version = /version ([\d.]+)/.exec(stdout)?.[1] ?? stdout.trim();
  if (version.startsWith(`${generation}.`)) return;
  const { suite } = generations[generation];
  throw new LabError(
    `could not unpack Docker ${generation}: Debian ${suite} carries ${version} now; name a mirror of an earlier day in LAYERWISE_LAB_MIRROR`,
  );
}

async function linkTo(target: string, path: string): Promise<void> {
  await unlink(path).catch(() => {});
  await symlink(target, path);
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
