// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { engineDiskError } from "./engine-disk.ts";

it.each([
  'failed to copy: write /data/content/ingest/1/data: "no space left on device"',
  "failed to register layer: mkdir /data/overlay2/1: disk quota exceeded",
])("finds the disk guilty of %s", (why) => {
  expect(engineDiskError("build the image", why)).toMatchObject({
    code: "DISK",
    message: `could not build the image: the engine's disk is full: ${why}`,
  });
});

it.each([
  'process "/bin/sh -c echo no space left on device; false" did not complete successfully: exit code: 1',
  "executor failed running [/bin/sh -c head -c 1G /dev/zero: no space left on device]: exit code: 2",
  "failed to read dockerfile: open Dockerfile: no such file or directory",
])("does not find it guilty of %s", (why) => {
  expect(engineDiskError("build the image", why)).toBeUndefined();
});
