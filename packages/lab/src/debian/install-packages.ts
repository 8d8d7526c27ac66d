// SPDX-License-Identifier: Apache-2.0
import { access, chmod, constants, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../host/lab-error.ts";
import { hostEnvironment, searchPath } from "../host/lab-home.ts";
import { withLock } from "../host/lock.ts";
import { run } from "../host/run.ts";

/** A package that the laboratory may need on this machine. */
export type HostPackage =
  | "chromium"
  | "docker-registry"
  | "git"
  | "iproute2"
  | "mmdebstrap"
  | "openssl"
  | "perl"
  | "python3"
  | "time"
  | "util-linux"
  | "zstd";

/** For each package a program that tells that it is there. */
const programs: Readonly<Record<HostPackage, string>> = {
  chromium: "chromium",
  "docker-registry": "docker-registry",
  git: "git",
  iproute2: "ip",
  mmdebstrap: "mmdebstrap",
  openssl: "openssl",
  perl: "perl",
  python3: "python3",
  time: "time",
  "util-linux": "nsenter",
  zstd: "zstd",
};

let updated = false;

/** Whether this is Debian and we may install packages. */
export async function isDebianRoot(): Promise<boolean> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  return process.getuid?.() === 0 && /^ID=debian$/m.test(release);
}

/**
 * Sees to it that packages are there, and installs those that are missing.
 *
 * @throws {LabError} if some are missing and this is not Debian, or not root
 */
export async function installPackages(names: readonly HostPackage[]): Promise<void> {
  if ((await missing(names)).length === 0) return;
  // One process installs; the others find everything there when their turn comes.
  await withLock("packages", async () => {
    const wanted = await missing(names);
    if (wanted.length === 0) return;
    if (!(await isDebianRoot())) {
      throw new LabError(`the laboratory needs ${wanted.join(", ")}: install them, or run it as root on Debian`);
    }
    await install(wanted);
  });
}

async function missing(names: readonly HostPackage[]): Promise<readonly string[]> {
  const found = await Promise.all(names.map((name) => isOnPath(programs[name] ?? name)));
  return names.filter((_, index) => !found[index]);
}

async function isOnPath(program: string): Promise<boolean> {
  for (const folder of searchPath()) {
    const usable = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return true;
  }
  return false;
}

async function install(names: readonly string[]): Promise<void> {
  const env = { ...hostEnvironment(), DEBIAN_FRONTEND: "noninteractive" };
  const apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"];
  if (!updated) await run([...apt, "update"], { env });
  updated = true;
  await withoutServices(() => run([...apt, "install", "--yes", "--no-install-recommends", ...names], { env }));
}

/**
 * Installs without starting the services of the packages: we run our own registry, and nobody asked for another.
 * https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt
 */
async function withoutServices(install: () => Promise<unknown>): Promise<void> {
  const policy = "/usr/sbin/policy-rc.d";
  const ours = await writeFile(policy, "#!/bin/sh\nexit 101\n", { flag: "wx" }).then(
    () => true,
    () => false,
  );
  try {
    if (ours) await chmod(policy, 0o755);
    await install();
  } finally {
    if (ours) await rm(policy, { force: true });
  }
}
