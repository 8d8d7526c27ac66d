// SPDX-License-Identifier: Apache-2.0
import type { Engine } from "layerwise-lab";
import { hasExecutedRun } from "./build-log.ts";
import type { RivalOutcome } from "./record.ts";
import { timed } from "./timed.ts";

/** What to deploy. */
export interface ClassicDeploy {
  readonly context: string;
  readonly repository: string;
  readonly number: number;
}

/** The classic recipe as a person would write it, for the reader. */
export const classicRecipe = `docker pull $REPO:latest || true
docker build --build-arg BUILDKIT_INLINE_CACHE=1 --cache-from $REPO:latest -t $REPO:latest -t $REPO:$COMMIT .
docker push $REPO:latest && docker push $REPO:$COMMIT`;

/** Deploys with it: pulls the image before, builds with its inline cache, pushes two tags. */
export async function deployClassically(
  engine: Engine,
  { context, repository, number }: ClassicDeploy,
): Promise<RivalOutcome> {
  const [latest, commit] = [`${repository}:latest`, `${repository}:c${number}`];
  const docker = (...args: string[]) =>
    engine.exec(["docker", ...args], { cwd: context, env: { DOCKER_BUILDKIT: "1" } });
  const { received } = await engine.bytes();
  const { result, seconds } = await timed(async () => {
    await engine.exec(["docker", "pull", latest], { allowFailure: true });
    const cache = ["--build-arg", "BUILDKIT_INLINE_CACHE=1", "--cache-from", latest];
    const built = await docker("build", "--progress=plain", ...cache, "--tag", latest, "--tag", commit, ".");
    await docker("push", latest);
    await docker("push", commit);
    return built;
  });
  const log = result.stdout + result.stderr;
  return { seconds, executed: hasExecutedRun(log), received: (await engine.bytes()).received - received };
}
