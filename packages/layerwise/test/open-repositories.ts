// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Event } from "../src/event.ts";
import { createRepositories, type OpenRepositories, type RepositoriesOptions } from "../src/system/repositories.ts";

/** Repositories for one test: nothing of this machine's settings, and no waiting between retries. */
export interface TestRepositories extends OpenRepositories {
  /** All events so far. */
  readonly events: Event[];
  /** The milliseconds of all waits so far. */
  readonly waits: number[];
  /** Adds to the clock's ticks. */
  advance(milliseconds: number): void;
}

/** What a test says about its repositories. */
export interface TestOptions extends Partial<Omit<RepositoriesOptions, "clock" | "emit">> {
  /** The content of Docker's config file. */
  readonly dockerConfig?: object | undefined;
}

/** Opens repositories that are closed when the test is finished. */
export async function openTestRepositories({ dockerConfig, ...options }: TestOptions = {}): Promise<TestRepositories> {
  const events: Event[] = [];
  const waits: number[] = [];
  let ticks = 0;
  const folder = await temporaryFolder();
  if (dockerConfig !== undefined) await writeFile(join(folder, "config.json"), JSON.stringify(dockerConfig));
  const repositories = createRepositories({
    wait: async (milliseconds) => void waits.push(milliseconds),
    ...options,
    environment: { PATH: process.env["PATH"], DOCKER_CONFIG: folder, ...options.environment },
    clock: { now: () => 0, ticks: () => ticks },
    emit: (event) => void events.push(event),
  });
  onTestFinished(() => repositories.close());
  const advance = (milliseconds: number) => {
    ticks += milliseconds;
  };
  return { ...repositories, events, waits, advance };
}

/** A folder that is removed when the test is finished. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "layerwise-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
