// SPDX-License-Identifier: Apache-2.0
import type { RouteReason } from "./route.ts";

/**
 * Thrown inside the planner when something is the engine's. `whole`: nothing of the Dockerfile can be evaluated here,
 * so the engine gets it as it is; otherwise only the layers in question cannot be assembled. Whoever makes a plan or a
 * draft catches it.
 */
export class Refusal extends Error {
  readonly reason: RouteReason;
  readonly scope: "whole" | "layer";

  constructor(reason: RouteReason, scope: "whole" | "layer") {
    super(reason.name);
    this.reason = reason;
    this.scope = scope;
  }
}

/** Leaves the whole Dockerfile to the engine. */
export function refuseWhole(reason: RouteReason): never {
  throw new Refusal(reason, "whole");
}

/** Leaves a layer to the engine. */
export function refuseLayer(reason: RouteReason): never {
  throw new Refusal(reason, "layer");
}
