// SPDX-License-Identifier: Apache-2.0
import { isDebianRoot, isOnOverlay, labHome, run } from "layerwise-lab";
import { dockerVersion } from "./docker-here.ts";
import type { Mode } from "./record.ts";

/** What this machine allows, and what would allow more, as a sentence. */
export interface ChosenMode {
  readonly mode: Mode;
  readonly hint: string | undefined;
}

/** Finds the mode that shows most. */
export async function chooseMode(): Promise<ChosenMode> {
  if ((await isDebianRoot()) && (await hasNamespaces()) && !(await isOnOverlay(await labHome()))) {
    return { mode: "engines", hint: undefined };
  }
  if ((await dockerVersion()) !== undefined)
    return { mode: "docker", hint: `This uses the Docker that is here. ${more}` };
  return { mode: "layout", hint: `No Docker with BuildKit answers here: install one to see more. ${more}` };
}

const more =
  "Root on Debian (in a container: --privileged, and a volume that LAYERWISE_LAB names) is shown the classic recipe on engines of its own as well.";

/** Containers are often refused them. */
async function hasNamespaces(): Promise<boolean> {
  const asked = run(["unshare", "--mount", "--net", "--pid", "--fork", "true"], { allowFailure: true });
  return await asked.then(
    ({ code }) => code === 0,
    () => false,
  );
}
