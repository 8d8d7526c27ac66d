// SPDX-License-Identifier: Apache-2.0
export { type BaseContents, type BaseLayer, type PushOptions, type PushTarget, pushImage } from "./base/push-image.ts";
export { pythonBase } from "./base/python-base.ts";
export { layerOf, tinyBase, treeBase } from "./base/tiny-base.ts";
export type { LinkBytes } from "./cell/link.ts";
export {
  type CheckOptions,
  craneValidate,
  readersFlaws,
  runTool,
  type SkopeoInspection,
  skopeoInspect,
  type ToolOptions,
} from "./checks.ts";
export { installPackages, isDebianRoot } from "./debian/install-packages.ts";
export { type Engine, type EngineOptions, isOnOverlay, startEngine } from "./engine/engine.ts";
export { unpackEngineRoot } from "./engine/engine-root.ts";
export { type Generation, generations, type ImageStore } from "./engine/generation.ts";
export { LabError } from "./host/lab-error.ts";
export { labHome } from "./host/lab-home.ts";
export { type Output, type RunOptions, run } from "./host/run.ts";
export { type CompareOptions, differences, type ImageContents, readContents } from "./image/compare-images.ts";
export { type Descriptor, type MediaTypeFamily, mediaTypes, type Platform } from "./image/document.ts";
export { hostPlatform, type Image, type ImageChoice, type ImageLayer } from "./image/image.ts";
export { type ImageTree, mergeLayers, readTree, type TreeFile } from "./image/image-tree.ts";
export { openRegistryImage, type RegistryImageOptions } from "./image/registry-image.ts";
export { openArchiveImage, openLayoutImage } from "./image/stored-image.ts";
export type { TarEntry, TarType } from "./image/tar-entry.ts";
export { readTar } from "./image/tar-reader.ts";
export { encodeTar, type TarItem } from "./image/tar-writer.ts";
export { type ValidateOptions, validateImage } from "./image/validate-image.ts";
export type { RegistryRequest } from "./registry/access-log.ts";
export { type CraneRegistry, startCraneRegistry } from "./registry/crane-registry.ts";
export type { Credentials } from "./registry/http.ts";
export { type Registry, type RegistryOptions, type RegistryPlace, startRegistry } from "./registry/registry.ts";
export { type Relay, type RelayOptions, startRelay } from "./registry/relay.ts";
export { type Application, makeApplication } from "./workload/application.ts";
export { startWheelIndex, type WheelIndex, type WheelIndexOptions } from "./workload/wheel-index.ts";
export type { WheelSet } from "./workload/wheels.ts";
export { type DockerfileVariant, makeWorkload, type Workload, type WorkloadOptions } from "./workload/workload.ts";
