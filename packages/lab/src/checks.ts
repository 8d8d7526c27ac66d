// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from "node:os";
import { claimInstance } from "./cell/instance.ts";
import { openRoom, type Room } from "./cell/room.ts";
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
  await runTool(validation(reference), { files: options.auth && loginFile(reference, options.auth) });
}

/** Has skopeo describe an image. */
export async function skopeoInspect(reference: string, options: CheckOptions = {}): Promise<SkopeoInspection> {
  return JSON.parse((await runTool(inspection(reference, options.auth))).stdout) as SkopeoInspection;
}

/**
 * Has crane validate and skopeo describe each of many images, and returns what is wrong, a line each.
 *
 * @param references images of one registry
 */
export async function readersFlaws(
  references: readonly string[],
  { auth }: CheckOptions = {},
): Promise<readonly string[]> {
  const [first] = references;
  if (first === undefined) return [];
  return await inToolRoom({ files: auth && loginFile(first, auth) }, async (room) => {
    const waiting = [...references];
    const flaws: string[] = [];
    const read = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        for (const argv of [validation(next), inspection(next, auth)]) {
          const { code, stderr } = await room.run(argv, { hostNetwork: true, allowFailure: true });
          if (code !== 0) flaws.push(`${next}: ${argv[0]} says: ${stderr.trim()}`);
        }
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, read));
    return flaws;
  });
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
  return await inToolRoom({ files, work }, async (room) => await room.run(argv, { ...options, hostNetwork: true }));
}

async function inToolRoom<T>(
  { files, work }: Pick<ToolOptions, "files" | "work">,
  act: (room: Room) => Promise<T>,
): Promise<T> {
  await installPackages(["iproute2", "util-linux"]);
  const root = await unpackEngineRoot(28);
  const instance = await claimInstance("tool");
  try {
    const room = await openRoom(instance, { root, shared: work === undefined ? [] : [work] });
    for (const [path, text] of Object.entries(files ?? {})) {
      const script = 'mkdir -p "$(dirname "$HOME/$1")" && cat > "$HOME/$1"';
      await room.run(["sh", "-c", script, "sh", path], { stdin: text });
    }
    return await act(room);
  } finally {
    await instance.remove();
  }
}

function validation(reference: string): readonly string[] {
  return ["crane", "validate", "--insecure", "--remote", reference];
}

function inspection(reference: string, auth: Credentials | undefined): readonly string[] {
  const login = auth ? ["--creds", `${auth.user}:${auth.password}`] : [];
  // It would also list all tags of the repository, which is a request nobody needs.
  return ["skopeo", "inspect", "--tls-verify=false", "--no-tags", ...login, `docker://${reference}`];
}

/** The login of crane, as a file of its home folder. */
function loginFile(reference: string, { user, password }: Credentials): Readonly<Record<string, string>> {
  const host = reference.slice(0, reference.indexOf("/"));
  const auth = Buffer.from(`${user}:${password}`).toString("base64");
  return { ".docker/config.json": JSON.stringify({ auths: { [host]: { auth } } }) };
}
