// SPDX-License-Identifier: Apache-2.0
import { claimInstance } from "./cell/instance.ts";
import { openRoom } from "./cell/room.ts";
import { installPackages } from "./debian/install-packages.ts";
import { unpackEngineRoot } from "./engine/engine-root.ts";
import type { Output, RunOptions } from "./host/run.ts";
import type { Credentials } from "./registry/http.ts";

/** What skopeo says of an image. https://github.com/containers/skopeo/blob/v1.20.0/docs/skopeo-inspect.1.md */
export interface SkopeoInspection {
  readonly Digest: string;
  readonly Layers: readonly string[];
  readonly Env: readonly string[] | null;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Os: string;
  readonly Architecture: string;
}

/** Who reads. */
export interface CheckOptions {
  readonly auth?: Credentials | undefined;
}

/**
 * Has crane download an image and check its digests, sizes and diff IDs.
 *
 * @throws {LabError} with crane's words if one of them is wrong
 */
export async function craneValidate(reference: string, options: CheckOptions = {}): Promise<void> {
  await runTool(["crane", "validate", "--insecure", "--remote", reference], {
    files: options.auth && { ".docker/config.json": dockerConfig(reference, options.auth) },
  });
}

/** Has skopeo describe an image. */
export async function skopeoInspect(reference: string, options: CheckOptions = {}): Promise<SkopeoInspection> {
  const login = options.auth ? ["--creds", `${options.auth.user}:${options.auth.password}`] : [];
  // It would also list all tags of the repository, which is a request nobody needs.
  const argv = ["skopeo", "inspect", "--tls-verify=false", "--no-tags", ...login, `docker://${reference}`];
  return JSON.parse((await runTool(argv)).stdout) as SkopeoInspection;
}

/** What a tool finds when it starts. */
export interface ToolOptions extends RunOptions {
  /** Files of its home folder. */
  readonly files?: Readonly<Record<string, string>> | undefined;
  /** A folder that it sees at the same path. */
  readonly work?: string | undefined;
}

/** Runs a tool of the root of generation 28 (buildah, crane, skopeo) with this machine's network and an empty home. */
export async function runTool(argv: readonly string[], { files, work, ...options }: ToolOptions = {}): Promise<Output> {
  await installPackages(["iproute2", "util-linux"]);
  const root = await unpackEngineRoot(28);
  const instance = await claimInstance("tool");
  try {
    const room = await openRoom(instance, { root, shared: work === undefined ? [] : [work] });
    for (const [path, text] of Object.entries(files ?? {})) {
      const script = 'mkdir -p "$(dirname "$HOME/$1")" && cat > "$HOME/$1"';
      await room.run(["sh", "-c", script, "sh", path], { stdin: text });
    }
    return await room.run(argv, { ...options, hostNetwork: true });
  } finally {
    await instance.remove();
  }
}

function dockerConfig(reference: string, { user, password }: Credentials): string {
  const host = reference.slice(0, reference.indexOf("/"));
  return JSON.stringify({ auths: { [host]: { auth: Buffer.from(`${user}:${password}`).toString("base64") } } });
}
