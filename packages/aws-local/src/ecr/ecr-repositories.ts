// SPDX-License-Identifier: Apache-2.0
import { AwsError } from "../error.ts";
import { type EcrCall, repositoryOf, textOf } from "./ecr-call.ts";
import { repositoryIn, type StoredRepository } from "./registry-state.ts";
import { readMutability } from "./tag-mutability.ts";

export function createRepository({ state, input, clock, hostOf }: EcrCall): object {
  const name = textOf(input, "repositoryName");
  if (!/^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(name) || name.length < 2) {
    throw new AwsError(
      "InvalidParameterException",
      `Invalid parameter at 'repositoryName' failed to satisfy constraint: ${name}`,
    );
  }
  if (state.repositories.has(name)) {
    const message = `The repository with name '${name}' already exists in the registry with id '${state.account}'`;
    throw new AwsError("RepositoryAlreadyExistsException", message);
  }
  const scanning = input["imageScanningConfiguration"] as { scanOnPush?: boolean } | undefined;
  const repository: StoredRepository = {
    name,
    createdAt: clock(),
    mutability: readMutability(input["imageTagMutability"], input["imageTagMutabilityExclusionFilters"]),
    scanOnPush: scanning?.scanOnPush ?? false,
    encryption: (input["encryptionConfiguration"] as Record<string, unknown> | undefined) ?? {
      encryptionType: "AES256",
    },
    lifecyclePolicy: undefined,
    previewedPolicy: undefined,
    images: new Map(),
    tags: new Map(),
  };
  state.repositories.set(name, repository);
  return { repository: described(repository, { state, hostOf }) };
}

export function describeRepositories(call: EcrCall): object {
  const names = call.input["repositoryNames"] as readonly string[] | undefined;
  const { state } = call;
  const found = names === undefined ? [...state.repositories.values()] : names.map((name) => repositoryIn(state, name));
  return { repositories: found.map((repository) => described(repository, call)) };
}

export function deleteRepository(call: EcrCall): object {
  const repository = repositoryOf(call);
  const { state, input, hostOf } = call;
  if (repository.images.size > 0 && input["force"] !== true) {
    const message = `The repository with name '${repository.name}' in registry with id '${state.account}' cannot be deleted because it still contains images`;
    throw new AwsError("RepositoryNotEmptyException", message);
  }
  state.repositories.delete(repository.name);
  return { repository: described(repository, { state, hostOf }) };
}

export function putImageTagMutability(call: EcrCall): object {
  const repository = repositoryOf(call);
  const { state, input } = call;
  repository.mutability = readMutability(input["imageTagMutability"], input["imageTagMutabilityExclusionFilters"]);
  const { mode, exclusions } = repository.mutability;
  const filters = exclusions.map((filter) => ({ filterType: "WILDCARD", filter }));
  return {
    registryId: state.account,
    repositoryName: repository.name,
    imageTagMutability: mode,
    imageTagMutabilityExclusionFilters: filters,
  };
}

function described(repository: StoredRepository, { state, hostOf }: Pick<EcrCall, "state" | "hostOf">): object {
  const { name, mutability, createdAt, scanOnPush, encryption } = repository;
  const filters = mutability.exclusions.map((filter) => ({ filterType: "WILDCARD", filter }));
  return {
    repositoryArn: `arn:aws:ecr:${state.region}:${state.account}:repository/${name}`,
    registryId: state.account,
    repositoryName: name,
    repositoryUri: `${hostOf(state.account, state.region)}/${name}`,
    createdAt: createdAt / 1000,
    imageTagMutability: mutability.mode,
    ...(filters.length === 0 ? {} : { imageTagMutabilityExclusionFilters: filters }),
    imageScanningConfiguration: { scanOnPush },
    encryptionConfiguration: encryption,
  };
}
