// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeApplication, type Output, run } from "layerwise-lab";
import { hasExecutedRun } from "./build-log.ts";
import { changesOf } from "./changes.ts";
import { deploySeries } from "./deploy-series.ts";
import { buildWithLayerwise } from "./layerwise.ts";
import type { Showing } from "./private-engines.ts";
import type { RivalOutcome, Series } from "./record.ts";
import { addShell, installScript, writeRuntime } from "./sample-files.ts";
import { timed } from "./timed.ts";
import { makeWorkFolder } from "./work-folder.ts";

/** The first client that needs a plugin for BuildKit. */
const firstWithPlugin = 23;

/** The version of the Docker that answers here and can build with BuildKit; undefined if there is none. */
export async function dockerVersion(): Promise<string | undefined> {
  const asked = await tryDocker("version", "--format", "{{.Client.Version}} {{.Server.Version}}");
  const [client = "", server] = asked?.stdout.trim().split(" ") ?? [];
  if (asked?.code !== 0 || server === undefined) return undefined;
  const plugin = await tryDocker("buildx", "version");
  return Number.parseInt(client, 10) < firstWithPlugin || plugin?.code === 0 ? server : undefined;
}

/**
 * Shows the story on the Docker of this machine. There is no registry, so images and checkpoints go into an OCI layout;
 * and it is not ours to wipe, so it is compared with a build that is told to find nothing.
 */
export async function showOnDocker(version: string, { quick, narrator }: Showing): Promise<Series> {
  const folder = await makeWorkFolder();
  const context = join(folder, "app");
  const scratch = join(folder, "scratch");
  await mkdir(scratch);
  const application = await makeApplication(context, quick ? "small" : "full");
  await narrator.during("Setting up an application whose base is made of this machine's shell", () =>
    writeBase(context),
  );
  narrator.say(`\nDocker ${version}; layerwise keeps images and checkpoints in an OCI layout.`);
  narrator.say("Without a registry there is nothing to pull: a machine that remembers nothing builds everything.");
  const tag = `layerwise-demo:${process.pid}`;
  const layout = join(folder, "images");
  const args = ["--output", `type=oci,dest=${layout}`, "--tag", tag];
  const shown = await deploySeries({
    application,
    changes: changesOf({ quick }),
    narrator,
    ways: {
      // First, since what Docker builds without looking at its cache is in its cache afterwards.
      layerwise: () => buildWithLayerwise({ args, context, scratch }),
      rival: { name: "docker build --no-cache", deploy: () => buildFromNothing(context, tag) },
    },
  });
  narrator.say("Docker's build cache has grown by this; `docker builder prune` empties it.");
  return { engine: { version, store: null }, rival: "docker build --no-cache", ...shown };
}

async function buildFromNothing(context: string, tag: string): Promise<RivalOutcome> {
  const argv = ["docker", "build", "--no-cache", "--progress=plain", "--tag", tag, "."];
  const env = { ...process.env, DOCKER_BUILDKIT: "1" };
  const { result, seconds } = await timed(() => run(argv, { cwd: context, env }));
  await run(["docker", "image", "rm", tag], { env });
  return { seconds, executed: hasExecutedRun(result.stdout + result.stderr), received: null };
}

async function writeBase(context: string): Promise<void> {
  await writeRuntime(join(context, "runtime"));
  // Elsewhere the shell of this machine is for another system than containers have.
  const isLinux = process.platform === "linux";
  if (isLinux) await addShell(join(context, "runtime"));
  await writeFile(join(context, "install.sh"), installScript);
  await writeFile(join(context, "Dockerfile"), dockerfile(isLinux ? "scratch" : "busybox"));
}

function dockerfile(base: string): string {
  return `FROM ${base}
COPY runtime /
COPY requirements.txt install.sh /app/
WORKDIR /app/dependencies
RUN sh ../install.sh
COPY src /app/src
CMD [ "sh" ]
`;
}

async function tryDocker(...args: string[]): Promise<Output | undefined> {
  // It may not be there at all.
  return await run(["docker", ...args], { allowFailure: true }).catch(() => undefined);
}
