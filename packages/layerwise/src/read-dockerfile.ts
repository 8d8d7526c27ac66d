// SPDX-License-Identifier: Apache-2.0
import { unknownFrontEnd } from "./dockerfile/front-end.ts";
import type { Dockerfile } from "./dockerfile/instruction.ts";
import { parseDockerfile } from "./dockerfile/parse.ts";
import type { NamedImages } from "./plan/gather-bases.ts";
import type { NamedContexts } from "./plan/named-contexts.ts";
import type { RouteReason } from "./plan/route.ts";
import type { BuildContext } from "./ports.ts";

/** What reading a Dockerfile depends on, besides its text. */
export interface DockerfileOptions {
  /** No text if the Dockerfile is where only an engine reads it. */
  readonly dockerfile: { readonly text: string | undefined; readonly file: string };
  readonly context: Pick<BuildContext, "name">;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly named: NamedImages;
  readonly directories?: NamedContexts["directories"];
  readonly otherContexts?: NamedContexts["otherContexts"];
  /** Why nothing can be evaluated here, if that is known from the options alone. */
  readonly wholeReason: RouteReason | undefined;
}

/** A Dockerfile that another front end reads, or that only an engine sees, has no instructions for us. */
export function readDockerfile(options: DockerfileOptions): {
  dockerfile: Dockerfile;
  wholeReason: RouteReason | undefined;
} {
  const { text, file } = options.dockerfile;
  if (text === undefined) {
    return {
      dockerfile: emptyDockerfile("", file),
      wholeReason: { name: "remote-context", detail: options.context.name },
    };
  }
  const syntax = unknownFrontEnd(text, { file, buildArgs: options.buildArgs });
  if (syntax !== undefined) {
    return { dockerfile: emptyDockerfile(text, file), wholeReason: { name: "front-end-unknown", detail: syntax } };
  }
  const dockerfile = parseDockerfile(text, file);
  return { dockerfile, wholeReason: options.wholeReason ?? replacedStage(dockerfile, options) };
}

/**
 * To front ends that know named contexts, one with the name or number of a stage takes the stage's place. Clients and
 * front ends have meanings of their own for some names, and a stage without a name gets one in a residual.
 */
function replacedStage({ stages }: Dockerfile, options: DockerfileOptions): RouteReason | undefined {
  const { named, directories, otherContexts = [] } = options;
  const names = new Set(stages.flatMap(({ name, index }) => [name?.toLowerCase() ?? "", String(index)]));
  const isTaken = (name: string) => names.has(name) || /^(?:context|dockerfile|scratch|stage-.*)$/.test(name);
  const all = [...named.keys(), ...(directories?.keys() ?? []), ...otherContexts];
  const replacing = all.find((name) => isTaken(name.toLowerCase()));
  return replacing === undefined ? undefined : { name: "named-context", detail: replacing };
}

function emptyDockerfile(text: string, file: string): Dockerfile {
  return { file, text, escape: "\\", syntax: undefined, check: undefined, globalArgs: [], stages: [] };
}
