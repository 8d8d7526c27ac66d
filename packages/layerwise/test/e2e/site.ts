// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type Credentials,
  differences,
  type Engine,
  type Generation,
  type Image,
  type ImageContents,
  type ImageStore,
  openRegistryImage,
  type Registry,
  readContents,
  readersFlaws,
  startEngine,
  startRegistry,
  validateImage,
} from "../../../lab/src/index.ts";
import { isMatrix } from "../../../lab/test/engine-kinds.ts";
import type { Report } from "../../src/report/report.ts";
import { startFailures } from "./engine-start.ts";
import { collectPublished } from "./published-images.ts";
import { type RegistryProxy, startRegistryProxy } from "./registry-proxy.ts";
import { rememberLayers } from "./remember-layers.ts";

/** Which engine a site has; none means that no docker is on its PATH at all. */
export type SiteEngine = { readonly generation: Generation; readonly store: ImageStore } | undefined;

/** What else is special about a site. */
export interface SiteOptions {
  /** The only user of the registry; everybody may do everything without one. */
  readonly auth?: Credentials | undefined;
  /** Whether there is a second way to the registry, through a proxy with faults. */
  readonly isProxied?: boolean | undefined;
  /**
   * What others read, when the site closes, of what was published: all images (by default), those that tags point to
   * in the end, or none. Of these they read the last few, and with LAYERWISE_ENGINES=all each.
   */
  readonly reads?: "all" | "latest" | "none" | undefined;
  /** Whether tests have an engine look at what was published themselves; else all of it is started, with all engines. */
  readonly isViewed?: boolean | undefined;
  /** Bytes of the engine's disk; without it, as much as this machine has. */
  readonly diskBytes?: number | undefined;
}

/** A place to try the built command line: a registry and an engine of its own. */
export interface Site {
  readonly registry: Registry;
  /** A second way to the registry; throws on a site without. */
  readonly proxy: RegistryProxy;
  /** Undefined on a site without. */
  readonly engine: Engine | undefined;
  /** A folder that the engine sees too; contexts go here. */
  readonly work: string;
  /** Where the command line under test may leave nothing behind. */
  readonly scratch: string;
  /** Makes an empty folder in `work`. */
  folder(name: string): Promise<string>;
  /** Makes a folder in `work` with these files, by path; one that is there gets them in addition. */
  context(name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string>;
  /** Runs the command line under test to its end. */
  layerwise(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Starts the command line under test, for tests that interrupt it. */
  start(args: readonly string[], options?: RunOptions): Started;
  /** Builds with `--push` and a report; fails the test with the output if the build fails. */
  build(args: readonly string[], options?: RunOptions): Promise<Built>;
  /** Has the engine itself build and push the same, as the truth to compare with. */
  engineBuild(args: readonly string[], reference: string): Promise<void>;
  /** The tags of a repository in the registry that layerwise did not make for itself. */
  tags(repository: string): Promise<readonly string[]>;
  /** An image of the registry; a layer that was read once is not fetched again. */
  image(reference: string): Promise<Image>;
  /** What is in an image of the registry. */
  contents(reference: string): Promise<ImageContents>;
  /** All that is wrong with digests, sizes and diff IDs of an image in the registry. */
  flaws(reference: string): Promise<readonly string[]>;
  /** What a container could tell apart between two images of the registry. */
  differences(one: string, other: string): Promise<readonly string[]>;
  /** Ends all of it; throws if crane, skopeo or, with all engines, an engine refuses an image that was published. */
  close(): Promise<void>;
}

/** How to run the command line. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly stdin?: string | Uint8Array | undefined;
  readonly cwd?: string | undefined;
  /** Runs as this user and its group, without rights; as root by default. */
  readonly uid?: number | undefined;
  /** Another program than the command line that users run. */
  readonly program?: string | undefined;
}

/** An environment in which no engine is found. */
export const noEngine: Readonly<Record<string, string>> = { PATH: "/nonexistent" };

/** How a run ended. */
export interface Outcome {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A build that worked. */
export interface Built extends Outcome {
  readonly report: Report;
}

/** A run that has not ended. */
export interface Started {
  readonly process: ChildProcess;
  /** Resolves when a line of stderr matches. */
  line(pattern: RegExp): Promise<void>;
  readonly ended: Promise<Outcome>;
}

/** The bundle that users run. */
export const bundle: string = new URL("../../dist/bundle/layerwise.js", import.meta.url).pathname;

/** How many of a site's images, the last ones, others read; reading a large one takes seconds. The matrix reads all. */
const mostRead = 3;

/** Opens a site; it ends with this process at the latest. */
export async function openSite(
  wanted: SiteEngine,
  { auth, isProxied = false, reads = "all", isViewed = false, diskBytes }: SiteOptions = {},
): Promise<Site> {
  const work = await mkdtemp(join(tmpdir(), "layerwise-site-"));
  const registry = await startRegistry({ auth });
  const proxy = isProxied ? await startRegistryProxy(registry) : undefined;
  const insecureRegistries = [registry.name, ...(proxy === undefined ? [] : [proxy.name])];
  const published = collectPublished(registry, insecureRegistries.slice(1));
  const engine = wanted && (await startEngine({ ...wanted, work, insecureRegistries, diskBytes }));
  const scratch = join(work, ".tmp");
  await mkdir(scratch);
  // Runs without rights must find their context, and write.
  await chmod(work, 0o755);
  await chmod(scratch, 0o777);
  // A docker elsewhere on this machine must not be found; without an engine there is none at all.
  const environment = (options: RunOptions): Record<string, string> => ({
    PATH: engine === undefined ? join(scratch, "nothing") : `${engine.shim}:/usr/bin:/bin:/usr/sbin:/sbin`,
    HOME: work,
    TMPDIR: scratch,
    CI: "true",
    ...options.env,
  });

  function start(args: readonly string[], options: RunOptions = {}): Started {
    const { cwd = work, uid, program = bundle } = options;
    const user = uid === undefined ? {} : { uid, gid: uid };
    const child = spawn(process.execPath, [program, ...args], { env: environment(options), cwd, ...user });
    const started = followed(child, options.stdin);
    const pushes = args[0] === "build" && args.includes("--push") && program === bundle;
    return pushes ? { ...started, ended: started.ended.then(noted(args)) } : started;
  }

  /** Notes what a run has pushed. */
  function noted(args: readonly string[]): (outcome: Outcome) => Promise<Outcome> {
    const report = args[args.indexOf("--report") + 1] ?? "";
    return async (outcome) => {
      if (outcome.exitCode !== 0) return outcome;
      if (args.includes("--report")) published.report(JSON.parse(await readFile(report, "utf8")) as Report);
      const isPrinted = published.printed(outcome.stderr);
      // Were the summary another text some day, what has no report would no longer be noted.
      if (!isPrinted && !args.includes("--progress")) throw new Error(`it names no image:\n${outcome.stderr}`);
      return outcome;
    };
  }

  const layerwise = async (args: readonly string[], options: RunOptions = {}) => await start(args, options).ended;

  async function build(args: readonly string[], options: RunOptions = {}): Promise<Built> {
    const report = join(scratch, `report-${Math.random().toString(36).slice(2)}.json`);
    const insecure = insecureRegistries.flatMap((name) => ["--insecure-registry", name]);
    const all = ["build", "--push", ...insecure, "--report", report, ...args];
    const outcome = await layerwise(all, options);
    if (outcome.exitCode !== 0)
      throw new Error(`layerwise ${all.join(" ")} ended with ${outcome.exitCode}:\n${outcome.stderr}`);
    return { ...outcome, report: JSON.parse(await readFile(report, "utf8")) as Report };
  }

  async function engineBuild(args: readonly string[], reference: string): Promise<void> {
    if (engine === undefined) throw new Error("this site has no engine");
    const options = { env: { DOCKER_BUILDKIT: "1" }, cwd: work };
    // The plugin of Docker 26 pushes in this way, and then fails since the daemon has no such tag.
    if (engine.store === "containerd" && engine.generation > 26) {
      // Nothing is unpacked that no RUN needs, and one program less is started.
      const output = `type=image,name=${reference},push=true,store=false`;
      await engine.exec(["docker", "build", "--no-cache", "--provenance=false", "--output", output, ...args], options);
      return;
    }
    await engine.exec(["docker", "build", "--no-cache", "--tag", reference, ...args], options);
    await engine.exec(["docker", "push", reference]);
  }

  const open = rememberLayers(async (reference) => await openRegistryImage(reference, { auth }));
  const contents = async (reference: string) => await readContents(await open(reference));
  return {
    registry,
    get proxy() {
      if (proxy === undefined) throw new Error("this site has no proxy");
      return proxy;
    },
    engine,
    work,
    scratch,
    async folder(name) {
      const folder = join(work, name);
      await mkdir(folder, { recursive: true });
      return folder;
    },
    async context(name, files) {
      await mkdir(join(work, name), { recursive: true });
      for (const [path, content] of Object.entries(files)) {
        const file = join(work, name, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
      }
      return join(work, name);
    },
    layerwise,
    start,
    build,
    engineBuild,
    tags: async (repository) => await tagsOf(registry, repository),
    image: open,
    contents,
    flaws: async (reference) => await validateImage(await open(reference)),
    differences: async (one, other) => differences(await contents(one), await contents(other), { history: true }),
    async close() {
      const all = reads === "none" ? [] : published.references({ latest: reads === "latest" });
      const images = isMatrix ? all : all.slice(-mostRead);
      const started = isMatrix && !isViewed ? images : [];
      // All images at once may be too much for a small disk.
      const starting = { registry, open, engine: diskBytes === undefined ? engine : undefined };
      const flaws = await readersFlaws(images, { auth })
        .then(async (found) => [...found, ...(await startFailures(started, starting))])
        .catch((error: unknown) => [String(error)]);
      await engine?.stop();
      await proxy?.close();
      await registry.stop();
      await rm(work, { recursive: true, force: true });
      if (flaws.length > 0) throw new Error(`what was published is not sound:\n${flaws.join("\n")}`);
    },
  };
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#listing-tags */
async function tagsOf({ name, auth }: Registry, repository: string): Promise<readonly string[]> {
  const login = auth && { authorization: `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString("base64")}` };
  const answer = await fetch(`http://${name}/v2/${repository}/tags/list`, { headers: login ?? {} });
  if (answer.status === 404) return [];
  const { tags } = (await answer.json()) as { tags: readonly string[] | null };
  return (tags ?? []).filter((tag) => !tag.startsWith("lwcache-")).sort();
}

function followed(child: ChildProcess, stdin: RunOptions["stdin"]): Started {
  let stderr = "";
  const stdout: Buffer[] = [];
  const waiting: { pattern: RegExp; resolve: () => void }[] = [];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
    for (const { pattern, resolve } of waiting) if (pattern.test(stderr)) resolve();
  });
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(stdin ?? "");
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal, stdout: Buffer.concat(stdout), stderr }));
  });
  const line = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      if (pattern.test(stderr)) resolve();
      waiting.push({ pattern, resolve });
      ended.then(() => reject(new Error(`it ended without ${pattern}:\n${stderr}`)), reject);
    });
  return { process: child, line, ended };
}
