// SPDX-License-Identifier: Apache-2.0
import { verifyBuild } from "../build.ts";
import { LayerwiseError } from "../error.ts";
import type { Emit } from "../event.ts";
import type { Palette } from "../report/render-text.ts";
import { renderVerification, renderVerificationJson } from "../report/render-verification.ts";
import { type Verification, verifyReferences } from "../verify/verify.ts";
import { machinePlatform, type Wired } from "../wire.ts";
import { openBuildOptions } from "./open-build.ts";
import type { CommandOptions } from "./options.ts";
import type { Surroundings } from "./run.ts";

/** What the command runs with. */
export interface Verifying {
  readonly options: CommandOptions;
  readonly wired: Wired;
  readonly around: Surroundings;
  readonly emit: Emit;
  readonly palette: Palette;
  /** Told as soon as it is known, for errors that quote it. */
  readonly readDockerfile: (text: string | undefined) => void;
}

/** Exit code where images differ. */
const differentExit = 1;

/** `layerwise verify`: prints what differs and gives the exit code. */
export async function verifyCommand(operands: readonly string[], verifying: Verifying): Promise<number> {
  const verification = await verify(operands, verifying);
  const { options, around, palette } = verifying;
  const rendered = options.json ? renderVerificationJson(verification) : renderVerification(verification, palette);
  around.stdout.write(rendered);
  return verification.outcome === "different" ? differentExit : 0;
}

async function verify(operands: readonly string[], verifying: Verifying): Promise<Verification> {
  const { options, wired, around, emit, readDockerfile } = verifying;
  const { ports } = wired;
  const [one, other] = operands;
  if (operands.length > 2) {
    throw new LayerwiseError("USAGE", "could not read the command line: too many arguments for 'verify'", {
      hint: "give a build context, or two references",
    });
  }
  if (one !== undefined && other !== undefined) {
    const platform = options.platform ?? machinePlatform();
    return await verifyReferences([one, other], { platform, ports, signal: around.signal });
  }
  const opened = await openBuildOptions(options, { wired, around, isPlan: true });
  readDockerfile(opened.dockerfile.text);
  return await verifyBuild(opened, { ports, emit });
}
