// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { LayerwiseError } from "../error.ts";
import { startFailure } from "./start-failure.ts";

const failed = (step: string, message: string) => new LayerwiseError("BUILD_FAILED", message, { details: { step } });
const unread =
  'could not run RUN make: failed to compute cache key: failed commit on ref "layer-sha256:1": commit failed';

it.each([
  { what: "the step FROM", error: failed("[1/3] FROM registry.example/app@sha256:1", "could not run FROM") },
  {
    what: "a named stage's FROM",
    error: failed("[builder 1/3] FROM registry.example/app@sha256:1", "could not run FROM"),
  },
  { what: "the look at its image", error: failed("[internal] load metadata for registry.example/app@sha256:1", "no") },
  { what: "a step that needs its layers", error: failed("[2/3] RUN make", unread) },
])("finds the checkpoint guilty of a failure in $what", ({ error }) => {
  expect(startFailure(error)).toBe(error.message);
});

it.each([
  {
    what: "a command that failed",
    error: failed(
      "[2/3] RUN make",
      'could not run RUN make: process "/bin/sh -c make" did not complete successfully: exit code: 2',
    ),
  },
  {
    what: "a command with words of an engine",
    error: failed(
      "[2/3] RUN echo failed to copy: x",
      "could not run RUN echo failed to copy: x: executor failed: exit code: 1",
    ),
  },
  {
    what: "a COPY that finds nothing",
    error: failed("[2/3] COPY --from=one /a /a", 'could not run COPY: "/a": not found'),
  },
  {
    what: "an export",
    error: failed("exporting to image", "could not run exporting to image: no space left on device"),
  },
  { what: "no step", error: failed("", "could not build the image: closed") },
  { what: "another error", error: new LayerwiseError("ENGINE_UNREACHABLE", unread) },
])("does not find the checkpoint guilty of $what", ({ error }) => {
  expect(startFailure(error)).toBeUndefined();
});
