// SPDX-License-Identifier: Apache-2.0
import type { ImagePlan } from "./plan-file";
import { shellWord } from "./shell-word";

/**
 * The usual recipe as shell commands. What differs from commit to commit is read from the plan, so that the pipeline
 * stays as it is.
 */
export function classicCommands(plan: ImagePlan, planFile: string): string[] {
  const { repository, directory, file, target, buildArgs, floatingTags } = plan;
  const account = repository.account ?? "$LAYERWISE_ACCOUNT";
  const region = repository.region ?? "$LAYERWISE_REGION";
  const latest = `"$REPOSITORY:${floatingTags[0]}"`;
  const flags = [
    "--build-arg BUILDKIT_INLINE_CACHE=1",
    ...Object.entries(buildArgs).map(([name, value]) => `--build-arg ${shellWord(`${name}=${value}`)}`),
    ...(target === undefined ? [] : [`--target ${shellWord(target)}`]),
    `--file ${shellWord(directory === "." ? file : `${directory}/${file}`)}`,
    `--cache-from ${latest}`,
    `--tag ${latest}`,
    `--tag "$REPOSITORY:$LAYERWISE_TAG"`,
  ];
  return [
    `export REGISTRY="${account}.dkr.ecr.${region}.$LAYERWISE_URL_SUFFIX"`,
    `export REPOSITORY="$REGISTRY/${repository.name}"`,
    `export LAYERWISE_TAG="$(node -p 'JSON.parse(fs.readFileSync(process.argv[1], "utf8")).tag' "${planFile}")"`,
    `aws ecr get-login-password --region "${region}" | docker login --username AWS --password-stdin "$REGISTRY"`,
    `docker pull ${latest} || true`,
    `docker build ${flags.join(" ")} ${shellWord(directory)}`,
    `docker push ${latest}`,
    `docker push "$REPOSITORY:$LAYERWISE_TAG"`,
  ];
}
