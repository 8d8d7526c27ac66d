// SPDX-License-Identifier: Apache-2.0

/** A command line of docker's, taken apart as far as the verb. */
export interface DockerLine {
  /** What follows `--config`. */
  readonly config: string | undefined;
  /** The verb under its shortest name; undefined: there is none. */
  readonly verb: string | undefined;
  readonly args: readonly string[];
  /** `--version` in the place of a verb. */
  readonly isVersion: boolean;
}

/** Docker's global flags that have a value. https://docs.docker.com/reference/cli/docker/#options */
const withValue: ReadonlySet<string> = new Set([
  "--config",
  "-c",
  "--context",
  "-H",
  "--host",
  "-l",
  "--log-level",
  "--tlscacert",
  "--tlscert",
  "--tlskey",
]);

/** One verb has several names. */
const shortest: Readonly<Record<string, string>> = {
  "image inspect": "image inspect",
  "image ls": "images",
  "image list": "images",
  "image tag": "tag",
  "image push": "push",
  "image rm": "rmi",
  "image remove": "rmi",
  "image build": "build",
  "builder build": "build",
  "buildx build": "build",
  "buildx b": "build",
  "container run": "run",
  "container create": "create",
};

/** Verbs whose next word belongs to them. */
const groups: ReadonlySet<string> = new Set(["image", "builder", "buildx", "container"]);

/** Takes a command line apart. Pure; flags of the verb stay as they are. */
export function parseDockerLine(argv: readonly string[]): DockerLine {
  let config: string | undefined;
  let at = 0;
  for (; argv[at]?.startsWith("-") === true; at++) {
    const [flag = "", value] = splitFlag(argv[at] as string);
    if (flag === "--version" || flag === "-v") return { config, verb: undefined, args: [], isVersion: true };
    if (!withValue.has(flag)) continue;
    const given = value ?? argv[at + 1];
    if (value === undefined) at += 1;
    if (flag === "--config") config = given;
  }
  const [first, second, ...rest] = argv.slice(at);
  if (first === undefined || !groups.has(first) || second === undefined) {
    return { config, verb: first, args: argv.slice(at + 1), isVersion: false };
  }
  const full = `${first} ${second}`;
  return { config, verb: shortest[full] ?? full, args: rest, isVersion: false };
}

function splitFlag(word: string): [string, string | undefined] {
  const equals = word.indexOf("=");
  return equals === -1 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}
