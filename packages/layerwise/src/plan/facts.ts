// SPDX-License-Identifier: Apache-2.0
import type { LayerwiseError } from "../error.ts";
import type { Descriptor } from "../spec/descriptor.ts";
import type { Digest } from "../spec/digest.ts";
import type { ImageConfig } from "../spec/image-config.ts";
import type { MediaFamily } from "../spec/media-type.ts";
import type { Platform } from "../spec/platform.ts";
import type { RepositoryName } from "../spec/reference.ts";

/** Where an image lives. */
export type ImageLocation =
  | { readonly kind: "registry"; readonly name: RepositoryName }
  | { readonly kind: "layout"; readonly path: string };

/** An image that a FROM or a --from names, as its registry or layout has it now. */
export interface BaseImage {
  /** As the Dockerfile says, variables expanded. */
  readonly reference: string;
  readonly location: ImageLocation;
  /** What the reference points to: a manifest or an index. The engine is given this digest. */
  readonly digest: Digest;
  readonly family: MediaFamily;
  readonly config: ImageConfig;
  readonly layers: readonly Descriptor[];
}

/** An image that cannot be used here; an engine may know it. */
export interface UnreadableBase {
  readonly reference: string;
  readonly reason: "base-unreadable" | "base-platform" | "base-layers";
  readonly why: string;
  /** What went wrong, for a build where no engine can help. */
  readonly cause?: LayerwiseError | undefined;
}

/** What planning needs to know from outside, before any checkpoint is looked for. */
export interface Facts {
  /** By reference and platform, see `baseKey`. */
  readonly bases: ReadonlyMap<string, BaseImage | UnreadableBase>;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  /** The directories that `--build-context` names, by `contextName`. */
  readonly directories?: ReadonlyMap<string, unknown> | undefined;
}

/** How a base is found in {@link Facts}. */
export function baseKey(reference: string, platform: string): string {
  return `${platform} ${reference}`;
}

/** Whether a base could be read. */
export function isReadable(base: BaseImage | UnreadableBase | undefined): base is BaseImage {
  return base !== undefined && "config" in base;
}
