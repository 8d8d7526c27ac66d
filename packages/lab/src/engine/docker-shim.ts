// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startInRoom } from "../cell/room.ts";

/** Variables of this machine that would be wrong where the engine lives. */
const withheld = [
  "DOCKER_CERT_PATH",
  "DOCKER_CONTEXT",
  "DOCKER_TLS",
  "DOCKER_TLS_VERIFY",
  "LD_LIBRARY_PATH",
  "LD_PRELOAD",
  "SSL_CERT_DIR",
  "SSL_CERT_FILE",
  ...["http_proxy", "https_proxy", "all_proxy", "no_proxy"].flatMap((name) => [name, name.toUpperCase()]),
];

/**
 * Writes a `docker` program for this machine that runs the engine's own client where the engine lives.
 *
 * Arguments, standard streams, exit code and the folder go through; so does the environment, since a build can take
 * arguments and secrets from it by name, except for what is the machine's own. A SIGTERM reaches the client.
 *
 * @param state the folder of the engine's instance
 * @param environment what is set for the client
 * @returns the folder that holds the program
 */
export async function writeDockerShim(state: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(state, "bin");
  await mkdir(folder, { recursive: true });
  const unset = withheld.map((name) => `--unset=${name}`).join(" ");
  const set = Object.entries(environment).map(([name, value]) => quoted(`${name}=${value}`));
  const nowhere = join(state, "nowhere");
  const script = `#!/bin/bash
# The first process of the engine's cell; its number alone may have been given to another one since.
{
  holder=$(< ${quoted(join(state, "holder.json"))})
  [[ $holder =~ '"pid":'([0-9]+).*'"started":"'([0-9]+) ]]
  pid=\${BASH_REMATCH[1]} started=\${BASH_REMATCH[2]}
  stat=$(< "/proc/\${pid:-none}/stat")
} 2> /dev/null
fields=(\${stat##*) })
if [[ -z $pid || \${fields[19]} != "$started" ]]; then
  echo "the laboratory's engine has been stopped" >&2
  exit 125
fi
exec env ${unset} ${set.join(" ")} \\
  /usr/bin/nsenter --target "$pid" --mount --net --pid -- \\
  /bin/sh -c ${quoted(startInRoom)} sh "$PWD" ${quoted(nowhere)} docker "$@"
`;
  await writeFile(join(folder, "docker"), script, { mode: 0o755 });
  return folder;
}

/** A word for the shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
