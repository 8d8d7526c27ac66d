// SPDX-License-Identifier: Apache-2.0

/** How each runtime of a buildspec tells its version. */
const commands: Readonly<Record<string, readonly string[]>> = {
  nodejs: ["node", "--version"],
  python: ["python3", "--version"],
  java: ["java", "-version"],
  golang: ["go", "version"],
  ruby: ["ruby", "--version"],
  php: ["php", "--version"],
  dotnet: ["dotnet", "--version"],
};

/** Runs a program and returns what it wrote to either stream; undefined if it is not there. */
export type AskVersion = (argv: readonly string[]) => Promise<string | undefined>;

/**
 * Compares the runtimes that a buildspec asks for with those of this machine, one line for each. Nothing is installed:
 * the build runs with what is there.
 * https://docs.aws.amazon.com/codebuild/latest/userguide/runtime-versions.html
 */
export async function checkRuntimes(
  wanted: Readonly<Record<string, string>>,
  ask: AskVersion,
): Promise<readonly string[]> {
  return await Promise.all(
    Object.entries(wanted).map(async ([runtime, version]) => {
      const argv = commands[runtime];
      if (argv === undefined) return `runtime ${runtime} ${version}: not known here, and not checked`;
      const found = versionIn((await ask(argv)) ?? "");
      if (found === undefined) return `runtime ${runtime} ${version}: not installed on this machine`;
      const isRight = matchesVersion(version, found);
      return `runtime ${runtime} ${version}: this machine has ${found}${isRight ? "" : ", which differs"}`;
    }),
  );
}

/** `openjdk version "21.0.1"`, `v20.19.0`, `go1.22.1`, `corretto21`. */
function versionIn(text: string): string | undefined {
  return /(\d+(?:\.\d+)*)/.exec(text)?.[1];
}

/** Whether a version is one that `18`, `18.x`, `3.12`, `corretto21` or `latest` means. */
function matchesVersion(wanted: string, found: string): boolean {
  const numbers = versionIn(wanted);
  if (numbers === undefined) return true;
  return found === numbers || found.startsWith(`${numbers}.`);
}
