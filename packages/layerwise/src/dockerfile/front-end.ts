// SPDX-License-Identifier: Apache-2.0
import { detectSyntax } from "./directive.ts";

/** The front end whose language this folder reads, in all its releases; its labs channel only adds to it. */
const known =
  /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?(?:@sha256:[0-9a-f]{64})?$/;

/**
 * The front end that a build asks for if it is not Docker's own; undefined if it is, or none is asked for. The build
 * argument BUILDKIT_SYNTAX wins over the directive in the file (BuildKit, frontend/dockerfile/builder/build.go).
 */
export function unknownFrontEnd(
  text: string,
  { file, buildArgs }: { file: string; buildArgs: ReadonlyMap<string, string> },
): string | undefined {
  const reference = buildArgs.get("BUILDKIT_SYNTAX") ?? detectSyntax(text, file)?.reference;
  return reference === undefined || known.test(reference) ? undefined : reference;
}
