// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, onTestFinished } from "vitest";

/** A base image, and a lock file that names it. */
export const base = "registry.example/python:3";
export const digest = `sha256:${"1".repeat(64)}`;

/** The files of a build context that is in order. */
export const goodContext: Readonly<Record<string, string>> = {
  Dockerfile: `FROM ${base} AS app\nCOPY requirements.txt .\nRUN pip3 install -r requirements.txt\nADD ./src /app\n`,
  "requirements.txt": "requests\n",
  "src/app.py": "print(1)\n",
  "layerwise.lock": JSON.stringify({ version: 1, bases: { [base]: digest } }),
};

/** Makes a folder that is removed with the test. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "layerwise-cdk-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Makes a folder that is removed with the test file. */
export function makeSharedFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "layerwise-cdk-test-"));
  shared.push(folder);
  return folder;
}

const shared: string[] = [];
afterAll(() => {
  for (const folder of shared.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Makes a build context in the folder `image` of a source, whose root has a `.git`. */
export function makeContext(files: Readonly<Record<string, string>> = goodContext): string {
  const root = makeFolder();
  mkdirSync(join(root, ".git"));
  const directory = join(root, "services/image");
  mkdirSync(directory, { recursive: true });
  writeFiles(directory, files);
  return directory;
}

/** Writes files by their paths. */
export function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}
