// SPDX-License-Identifier: Apache-2.0
import { hasCode, type LayerwiseError } from "../error.ts";
import type { Emit } from "../event.ts";
import type { ContentOf } from "../plan/gather-content.ts";
import type { CallOptions, EngineDelivery, EngineRequest, Ports, Repository } from "../ports.ts";
import type { Digest } from "../spec/digest.ts";
import { type EngineImage, takeEngineImage } from "./engine-layers.ts";
import type { ImageLayer } from "./image.ts";

/** What the engine gets beside the residual: as the user gave it. */
export type EngineSettings = Pick<
  EngineRequest,
  "ignoreFile" | "context" | "directories" | "platform" | "buildArgs" | "passThrough" | "labels"
>;

/** Where an engine's results go and what they are made with. */
export interface EngineSurroundings extends CallOptions {
  readonly ports: Ports;
  readonly settings: EngineSettings;
  readonly cache: Repository | undefined;
  /** The repository that the image is pushed to; undefined if it goes elsewhere. */
  readonly target: { readonly repository: Repository; readonly name: string } | undefined;
  readonly emit: Emit;
  /** Throws CONTEXT_CHANGED if what the steps read from the build context is no longer what was planned with. */
  readonly checkContext: (content: ContentOf) => Promise<void>;
}

/** The tag that engines push to before the image gets its own; whatever it points to is taken by digest at once. */
const incomingTag = "lwcache-incoming";

/** How to have something built. */
export interface Running {
  readonly around: EngineSurroundings;
  /** Which delivery to use if it works; undefined: whichever the engine prefers. */
  readonly prefers: EngineDelivery["kind"] | undefined;
  readonly known: ReadonlyMap<Digest, ImageLayer>;
}

/** Has the engine build and takes over the result, in the way that suits both. */
export async function runEngine(
  request: Omit<EngineRequest, "delivery">,
  { around, prefers, known }: Running,
): Promise<EngineImage> {
  const { ports, target, emit, signal } = around;
  const facts = await ports.engine.inspect({ signal });
  emit({ kind: "engine-started", engine: facts.name, target: request.target ?? "" });
  const pushes = target !== undefined && facts.canPush && (prefers ?? facts.prefers) === "push";
  const delivery: EngineDelivery = pushes
    ? { kind: "push", repository: target.name, tag: incomingTag }
    : { kind: "archive" };
  const taking = { spool: ports.spool, known, pushedTo: target?.repository, signal };
  try {
    return await takeEngineImage(await ports.engine.build({ ...request, delivery }, { emit, signal }), taking);
  } catch (error) {
    if (delivery.kind === "archive" || !isPushFailure(error)) throw error;
    emit({ kind: "warning", message: `the engine could not push by itself; its image is taken from here` });
    const result = await ports.engine.build({ ...request, delivery: { kind: "archive" } }, { emit, signal });
    return await takeEngineImage(result, taking);
  }
}

/** The build itself worked: nothing is lost by asking for the result in another way. */
function isPushFailure(error: unknown): boolean {
  return hasCode(error, "BUILD_FAILED") && (error as LayerwiseError).details["push"] === true;
}
