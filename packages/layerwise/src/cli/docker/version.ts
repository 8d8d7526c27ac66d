// SPDX-License-Identifier: Apache-2.0
import { readFlags } from "./flags.ts";
import { renderTemplate } from "./go-template.ts";
import type { StandIn } from "./stand-in.ts";

/** What tools that look for a minimum take this for: the last Docker whose verbs were compared. */
const likeDocker = "28.5.2";

/** `docker version`, `docker info` and `docker --version`: the real docker's, if there is one. */
export async function showVersion(standIn: StandIn): Promise<number> {
  const { line, around } = standIn;
  const real = standIn.real();
  if (real !== undefined) return await real();
  if (line.isVersion) {
    around.stdout.write(`Docker version ${likeDocker}, build layerwise-${around.version}\n`);
    return 0;
  }
  const { values } = readFlags(line.verb ?? "", line.args, { format: { type: "string", short: "f" } });
  const product = { Version: likeDocker, Platform: { Name: `layerwise ${around.version}` }, Os: "linux" };
  const document =
    line.verb === "info"
      ? { ServerVersion: likeDocker, Name: "layerwise", Driver: "layerwise", OSType: "linux" }
      : { Client: product, Server: product };
  if (values.format !== undefined) around.stdout.write(`${renderTemplate(values.format, document)}\n`);
  else around.stdout.write(`layerwise ${around.version} in the place of Docker ${likeDocker}; there is no engine\n`);
  return 0;
}
