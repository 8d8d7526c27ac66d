// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { CreateRepositoryCommand, ListImagesCommand, PutAccountSettingCommand } from "@aws-sdk/client-ecr";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  type Engine,
  openRegistryImage,
  type Registry,
  type RegistryRequest,
  readContents,
  tinyBase,
  validateImage,
} from "../../../lab/src/index.ts";
import { digestOf } from "../../src/ecr/manifest.ts";
import type { AwsLocal, PolicyDocument } from "../../src/index.ts";
import { type AssetApp, synthAssets } from "./assets-app.ts";
import { type EngineSite, openEngineSite } from "./flow-site.ts";

const standIn = fileURLToPath(new URL("../../../layerwise/dist/bundle/layerwise-docker.js", import.meta.url));
const cdkAssets = fileURLToPath(new URL("../../../../node_modules/cdk-assets/bin/cdk-assets", import.meta.url));

/** Smallest size of a blob that counts as a layer. */
const layerBytes = 100_000;

let site: EngineSite;
let work: string;
let registry: Registry;
let aws: AwsLocal;
let engine: Engine;
let node: string;
let base: string;

beforeAll(async () => {
  site = await openEngineSite("assets", "containerd");
  ({ work, registry, aws, engine } = site);
  const { ecr, s3 } = site.clients;
  aws.addRole(`cdk-hnb659fds-image-publishing-role-${aws.account}-${aws.region}`, [publishing()]);
  // As `cdk bootstrap` makes it, and one for checkpoints.
  await ecr.send(new CreateRepositoryCommand({ repositoryName: bootstrap(), imageTagMutability: "IMMUTABLE" }));
  for (const repositoryName of ["tiny", "image-cache"]) await ecr.send(new CreateRepositoryCommand({ repositoryName }));
  await s3.send(new CreateBucketCommand({ Bucket: `cdk-hnb659fds-assets-${aws.account}-${aws.region}` }));
  await tinyBase(aws.registryPlace, { repository: "tiny" });
  base = `${aws.registryHost()}/tiny:1`;
  // Programs that start with #!/usr/bin/env node need one on PATH, and nothing else shall be there.
  node = await folder("node");
  await symlink(process.execPath, join(node, "node"));
});
afterAll(async () => await site?.close());

/**
 * What the role that pushes images may do, as `cdk bootstrap` makes it; and the same with the checkpoints, and to pull
 * what stands for a public base.
 */
function publishing(): PolicyDocument {
  const actions = ["PutImage", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "BatchGetImage"];
  actions.push("BatchCheckLayerAvailability", "DescribeRepositories", "DescribeImages", "GetDownloadUrlForLayer");
  const Resource = [bootstrap(), "more-assets", "image-cache"].map(arnOf);
  return {
    Statement: [
      { Effect: "Allow", Action: actions.map((name) => `ecr:${name}`), Resource },
      { Effect: "Allow", Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Resource: arnOf("tiny") },
      { Effect: "Allow", Action: "ecr:GetAuthorizationToken", Resource: "*" },
    ],
  };
}

function arnOf(repositoryName: string): string {
  return `arn:aws:ecr:${aws.region}:${aws.account}:repository/${repositoryName}`;
}

function bootstrap(): string {
  return `cdk-hnb659fds-container-assets-${aws.account}-${aws.region}`;
}

async function folder(name: string): Promise<string> {
  await mkdir(join(work, name), { recursive: true });
  return join(work, name);
}

/** An app whose image has a step that takes long and source that changes often. */
async function app(name: string, source: string): Promise<AssetApp> {
  const dockerfile = [
    `FROM ${base}`,
    "COPY requirements.txt .",
    "RUN dd if=/dev/urandom of=/packages bs=1k count=200",
    "COPY src /src",
    'CMD ["cat", "/src/app"]',
  ].join("\n");
  const files = { Dockerfile: dockerfile, "requirements.txt": "none\n", "src/app": source };
  return await synthAssets(aws, { folder: await folder(name), files });
}

interface Machine {
  readonly name: string;
  readonly hasEngine: boolean;
  readonly cacheRepo?: string;
}

interface Published {
  /** What cdk-assets and, through it, the stand-in said. */
  readonly said: string;
  /** What the registry behind saw. */
  readonly requests: readonly RegistryRequest[];
}

/** Publishes with the real program, on a machine with nothing but what its folder has. */
async function publish({ manifest }: AssetApp, { name, hasEngine, cacheRepo }: Machine): Promise<Published> {
  const home = await folder(name);
  const mark = await registry.mark();
  const env = {
    ...aws.environment(),
    PATH: hasEngine ? `${node}:${engine.shim}:/usr/bin:/bin:/usr/sbin:/sbin` : node,
    HOME: home,
    // The laboratory's engine has a home of its own.
    DOCKER_CONFIG: join(home, ".docker"),
    TMPDIR: home,
    CDK_DOCKER: standIn,
    LAYERWISE_STORE: join(home, "store"),
    ...(cacheRepo === undefined ? {} : { LAYERWISE_CACHE_REPO: cacheRepo }),
  };
  const args = [cdkAssets, "--path", manifest, "--verbose", "publish"];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env, cwd: home }).catch(
    (error: Error & { stdout: string; stderr: string }) => {
      throw new Error(`${error.message}\n${error.stdout}`);
    },
  );
  return { said: stdout + stderr, requests: await registry.requests(mark) };
}

/** An image in ECR as somebody who pulls it sees it. */
async function imageOf({ imageTag, repositoryName }: AssetApp) {
  const { name, auth } = aws.registryPlace;
  return await openRegistryImage(`${name}/${repositoryName}:${imageTag}`, { auth });
}

async function layersOf(one: AssetApp): Promise<readonly string[]> {
  return (await imageOf(one)).layers.map(({ claims }) => String(claims.digest));
}

/** The digests of blobs that were uploaded into a repository. */
function uploads(requests: readonly RegistryRequest[], repositoryName: string): readonly string[] {
  return requests.flatMap(({ method, path, status }) => {
    if (method !== "PUT" || status !== 201 || !path.includes(`/${repositoryName}/blobs/`)) return [];
    return decodeURIComponent(/[?&]digest=([^&]+)/.exec(path)?.[1] ?? "");
  });
}

function fetchedLayers(requests: readonly RegistryRequest[]): readonly RegistryRequest[] {
  return requests.filter(
    ({ method, path, bytes }) => method === "GET" && path.includes("/blobs/") && bytes > layerBytes,
  );
}

/** Layers of an image that were uploaded into the repositories of checkpoints and of assets. */
async function uploadedOf(two: AssetApp, { requests }: Published) {
  const layers = await layersOf(two);
  const into = (repositoryName: string) =>
    uploads(requests, repositoryName).filter((digest) => layers.includes(digest));
  return { cache: into("image-cache"), assets: into(bootstrap()) };
}

/** What `login` left where docker keeps it. */
async function savedPassword(machine: string): Promise<string> {
  const { auths } = JSON.parse(await readFile(join(work, machine, ".docker/config.json"), "utf8"));
  const [{ auth }] = Object.values(auths) as [{ auth: string }];
  const [user, password = ""] = Buffer.from(auth, "base64").toString("utf8").split(":");
  expect([user, password.length > 20]).toEqual(["AWS", true]);
  return password;
}

it("publishes with an engine, and after a source change without one, moving only the changed layer", async () => {
  const cacheRepo = `${aws.registryHost()}/image-cache`;
  const [one, two, three] = [await app("one", "1\n"), await app("two", "2\n"), await app("three", "3\n")];

  const first = await publish(one, { name: "machine-1", hasEngine: true, cacheRepo });
  const second = await publish(two, { name: "machine-2", hasEngine: false, cacheRepo });
  await site.clients.ecr.send(new PutAccountSettingCommand({ name: "BLOB_MOUNTING", value: "ENABLED" }));
  const third = await publish(three, { name: "machine-3", hasEngine: false, cacheRepo });
  const again = await publish(three, { name: "machine-4", hasEngine: false, cacheRepo });

  const [before, layers, last] = [await layersOf(one), await layersOf(two), await layersOf(three)];
  expect(first.said).toMatch(/^route +engine$/m);
  for (const { said, requests } of [second, third]) {
    expect(said).toMatch(/^route +assemble$/m);
    expect(fetchedLayers(requests)).toEqual([]);
  }
  for (const one of [layers, last]) expect(one.slice(0, -1)).toEqual(before.slice(0, -1));
  // ECR mounts nothing unless the account says so: then the changed layer goes up once, into the cache.
  expect(await uploadedOf(two, second)).toEqual({ cache: layers.slice(-1), assets: layers.slice(-1) });
  expect(await uploadedOf(three, third)).toEqual({ cache: last.slice(-1), assets: [] });
  // The engine had the base from the bucket that ECR sends it to, which takes no credentials of the registry.
  const downloads = aws.registryCalls.filter(({ host }) => host.includes("starport-layer-bucket"));
  expect([...new Set(downloads.map(({ status }) => status))]).toEqual([200]);
  // An asset that is there is not built.
  expect(again.requests.filter(({ method }) => method === "PUT" || method === "POST")).toEqual([]);
  for (const one of [two, three]) expect(await validateImage(await imageOf(one))).toEqual([]);
  const { tree } = await readContents(await imageOf(three));
  expect(tree.get("src/app")?.content).toBe(digestOf(Buffer.from("3\n")));
  const password = await savedPassword("machine-1");
  for (const { said } of [first, second, third, again]) expect(said).not.toContain(password);
  // Tags of the cache are its own: those of the bootstrap repository can never move.
  const { imageIds = [] } = await site.clients.ecr.send(new ListImagesCommand({ repositoryName: bootstrap() }));
  expect(imageIds.filter(({ imageTag }) => imageTag?.startsWith("lwcache-"))).toEqual([]);
});

it("goes on from its own folder without a cache repository, and with no docker at all where nothing executes", async () => {
  const machine = { name: "machine-5" };
  await publish(await app("four", "4\n"), { ...machine, hasEngine: true });
  const five = await app("five", "5\n");

  const { said } = await publish(five, { ...machine, hasEngine: false });
  const files = { Dockerfile: `FROM ${base}\nCOPY app /app\n`, app: "6\n" };
  // The same asset for another destination: the image is built, and its layers are near.
  await site.clients.ecr.send(new CreateRepositoryCommand({ repositoryName: "more-assets" }));
  const manifest = join(work, "five/cdk.out/More.assets.json");
  const text = await readFile(five.manifest, "utf8");
  await writeFile(manifest, text.replaceAll(five.repositoryName, "more-assets"));
  const cached = await publish({ ...five, manifest }, { ...machine, hasEngine: false });
  const six = await synthAssets(aws, { folder: await folder("six"), files });
  const copied = await publish(six, { name: "machine-6", hasEngine: false });

  expect(said).toMatch(/^route +assemble$/m);
  expect(cached.said).toContain("Cached cdkasset-");
  expect(copied.said).toMatch(/^route +assemble$/m);
  for (const one of [five, { ...five, repositoryName: "more-assets" }, six])
    expect(await validateImage(await imageOf(one))).toEqual([]);
});
