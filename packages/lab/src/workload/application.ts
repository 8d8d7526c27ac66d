// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sourceFiles } from "./source-files.ts";
import { requirementsOf, upgradedRequirementsOf, type WheelSet } from "./wheels.ts";

/** A Python application: a build context without a Dockerfile. */
export interface Application {
  readonly folder: string;
  /** Changes one source file, as the commit of a deploy does. The same number makes the same change. */
  touch(deploy: number): Promise<void>;
  /** Changes one line of requirements.txt, as a commit that moves to the next version of a dependency does. */
  upgrade(): Promise<void>;
}

/** Writes the application: about 300 source files with 3 MB, always the same, and its requirements. */
export async function makeApplication(folder: string, wheels: WheelSet): Promise<Application> {
  const requirements = (text: string) => writeFile(join(folder, "requirements.txt"), text);
  const touch = (deploy: number) =>
    writeFile(join(folder, "src", "app.py"), `VERSION = ${deploy}\n\n\ndef app(event, context):\n    return VERSION\n`);
  await mkdir(join(folder, "src", "pkg"), { recursive: true });
  await requirements(requirementsOf(wheels));
  for (const { name, text } of sourceFiles()) await writeFile(join(folder, "src", "pkg", name), text);
  await touch(0);
  return { folder, touch, upgrade: () => requirements(upgradedRequirementsOf(wheels)) };
}
