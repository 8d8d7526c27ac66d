// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { type Engine, unpackEngineRoot } from "layerwise-lab";
import { runInNetwork } from "./run-layerwise.ts";
import { type BenchSite, dependenciesOnly, type Place } from "./site.ts";

/** A way to deploy that is compared with ours. */
export interface Contender {
  readonly name: string;
  readonly title: string;
  /** The engine that forgets everything before each deploy. */
  readonly engine: "current" | "old";
  /** Whether it moves the whole image each time. */
  readonly isSlow: boolean;
  /** Gets ready for a deploy; not measured. */
  readonly prepare?: (deploy: Deploy) => Promise<void>;
  readonly deploy: (deploy: Deploy) => Promise<void>;
}

/** One deploy. */
export interface Deploy {
  readonly site: BenchSite;
  readonly place: Place;
  readonly engine: Engine;
  /** Without a tag. */
  readonly repository: string;
  readonly commit: string;
}

/** The contenders, in the order in which the first deploys help one another. */
export const contenders: readonly Contender[] = [
  {
    name: "classic",
    title: "classic recipe, Docker 28 (containerd)",
    engine: "current",
    isSlow: true,
    deploy: classic,
  },
  {
    name: "registry-cache",
    title: "BuildKit's registry cache, mode=max",
    engine: "current",
    isSlow: true,
    deploy: registryCache,
  },
  { name: "expert", title: "expert's best: --link, store=false", engine: "current", isSlow: false, deploy: expert },
  {
    name: "crane",
    title: "crane append, told what to append",
    engine: "current",
    isSlow: false,
    prepare: writeTar,
    deploy: append,
  },
  { name: "buildah", title: "buildah --layers --cache-from/-to", engine: "current", isSlow: true, deploy: buildah },
  { name: "classic-old", title: "classic recipe, Docker 20", engine: "old", isSlow: true, deploy: classic },
];

/** Pull, build with inline cache, push twice. */
async function classic({ engine, place, repository, commit }: Deploy): Promise<void> {
  const [latest, tagged] = [`${repository}:latest`, `${repository}:${commit}`];
  const docker = { cwd: place.app.folder, env: { DOCKER_BUILDKIT: "1" } };
  await engine.exec(["docker", "pull", latest], { ...docker, allowFailure: true });
  const cache = ["--build-arg", "BUILDKIT_INLINE_CACHE=1", "--cache-from", latest];
  await engine.exec(["docker", "build", ...cache, "--tag", latest, "--tag", tagged, "."], docker);
  await engine.exec(["docker", "push", latest], docker);
  await engine.exec(["docker", "push", tagged], docker);
}

async function registryCache({ engine, place, repository, commit }: Deploy): Promise<void> {
  const cache = `type=registry,ref=${repository}:cache`;
  const tags = ["--tag", `${repository}:latest`, "--tag", `${repository}:${commit}`];
  const argv = [
    "docker",
    "buildx",
    "build",
    "--provenance=false",
    "--cache-to",
    `${cache},mode=max`,
    "--cache-from",
    cache,
  ];
  await engine.exec([...argv, "--push", ...tags, "."], { cwd: place.app.folder });
}

async function expert({ engine, place, repository, commit }: Deploy): Promise<void> {
  const cache = ["--cache-to", "type=inline", "--cache-from", `type=registry,ref=${repository}:latest`];
  const names = `"name=${repository}:latest,${repository}:${commit}"`;
  const output = ["--output", `type=image,${names},push=true,store=false`];
  const file = ["--file", place.app.dockerfiles.link];
  const argv = ["docker", "buildx", "build", "--provenance=false", ...cache, ...output, ...file, "."];
  await engine.exec(argv, { cwd: place.app.folder });
}

const tar = (work: string) => join(work, "source.tar");

async function writeTar({ site, place }: Deploy): Promise<void> {
  const order = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  const from = ["-C", join(place.app.folder, "src"), "--transform", "s,^\\./,var/task/,"];
  await runInNetwork(site, { argv: ["tar", ...order, ...from, "-cf", tar(site.work), "."] });
}

/** The image that it appends to is what the first of our Dockerfile's lines make; somebody has to know that. */
async function append({ site, place, repository }: Deploy): Promise<void> {
  const crane = join(await unpackEngineRoot(28), "usr/bin/crane");
  const base = `${place.registry}/${dependenciesRepository}:1`;
  const argv = [crane, "append", "--insecure", "-b", base, "-f", tar(site.work), "-t", `${repository}:latest`];
  await runInNetwork(site, { argv });
}

const dependenciesRepository = "dependencies";

/** Pushes what crane appends to; the engine that has built the application has its layers. */
export async function pushDependencies({ current, places }: BenchSite): Promise<void> {
  const { registry, app } = places.direct;
  const tag = `${registry}/${dependenciesRepository}:1`;
  const argv = [
    "docker",
    "buildx",
    "build",
    "--provenance=false",
    "--file",
    dependenciesOnly,
    "--push",
    "--tag",
    tag,
    ".",
  ];
  await current.exec(argv, { cwd: app.folder });
}

/**
 * The limits that buildah would raise for a RUN, which a container may not allow, stay as they are. It looks for a
 * helper that makes networks, and does not call it where RUN uses the network that is there.
 */
const buildahScript = `
  set -e; repository=$1 commit=$2
  ln -sf /bin/false /tmp/netavark
  printf '[engine]\\nhelper_binaries_dir = ["/tmp"]\\n' > /tmp/containers.conf
  export CONTAINERS_CONF=/tmp/containers.conf
  limits="--ulimit nofile=$(ulimit -Hn):$(ulimit -Hn) --ulimit nproc=$(ulimit -Hu):$(ulimit -Hu)"
  buildah bud --isolation chroot --network host $limits --tls-verify=false --layers \\
    --cache-from "$repository/cache" --cache-to "$repository/cache" \\
    --tag "$repository:latest" --tag "$repository:$commit" .
  buildah push --tls-verify=false "$repository:latest"
  buildah push --tls-verify=false "$repository:$commit"`;

async function buildah({ engine, place, repository, commit }: Deploy): Promise<void> {
  await engine.exec(["bash", "-c", buildahScript, "bash", repository, commit], { cwd: place.app.folder });
}
