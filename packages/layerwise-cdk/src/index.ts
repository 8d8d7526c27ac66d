// SPDX-License-Identifier: Apache-2.0
export * from "./base-images";
export * from "./build-compute";
export * from "./build-secret";
export * from "./classic-image-build-step";
export * from "./engine-fallback";
export * from "./image-build-step";
export * from "./image-builds";
export * from "./image-platform";
export * from "./image-promotion-step";
export * from "./image-publish-role";
export * from "./image-repository";
export * from "./image-tag";
export * from "./layerwise-image";
