// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { BatchGetImageCommand, CreateRepositoryCommand, ListImagesCommand, PutImageCommand } from "@aws-sdk/client-ecr";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { awsValues, projectsIn, readProject } from "codebuild-local";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  craneValidate,
  type Engine,
  hostPlatform,
  openRegistryImage,
  readContents,
  tinyBase,
  treeBase,
  validateImage,
} from "../../../lab/src/index.ts";
import { digestOf } from "../../src/ecr/manifest.ts";
import { type AwsLocal, localProject } from "../../src/index.ts";
import { type EngineSite, openEngineSite } from "./flow-site.ts";
import { type ImagesApp, repositoryName, synthImages } from "./images-app.ts";
import { type PipelineRun, runPipeline } from "./local-pipeline.ts";
import { keysOf, type RoleScope, roleOf } from "./role-of.ts";

const bucket = "pipeline-artifacts";
const indexType = "application/vnd.oci.image.index.v1+json";
const secrets = { token: "first-half-that-nobody-may-see", key: "second-half-that-nobody-may-see" };

let site: EngineSite;
let work: string;
let aws: AwsLocal;
let engine: Engine;
let clients: EngineSite["clients"];
let app: ImagesApp;
let ran: PipelineRun;
/** What all builds wrote, also those that were handed over. */
let log = "";

beforeAll(async () => {
  site = await openEngineSite("images");
  ({ work, aws, clients, engine } = site);
  const host = aws.registryHost();
  await clients.s3.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const name of ["tiny", "multi"]) await clients.ecr.send(new CreateRepositoryCommand({ repositoryName: name }));
  await tinyBase(aws.registryPlace, { repository: "tiny" });
  await pushIndex("multi");
  aws.secrets.set("app/token", JSON.stringify({ value: secrets.token }));
  aws.parameters.set("/app/key", secrets.key);
  app = await synthImages(work, { base: `${host}/tiny:1`, multi: `${host}/multi:1` });
  ran = await runAll();
});
afterAll(async () => await site?.close());

/** Pushes a base for two platforms, and the index that joins them. */
async function pushIndex(name: string): Promise<void> {
  const manifests = [];
  for (const architecture of ["amd64", "arm64"]) {
    const platform = { os: "linux", architecture };
    const options = { repository: name, tag: architecture, family: "oci", platform } as const;
    await treeBase(aws.registryPlace, options);
    const { mediaType, manifest, digest } = await manifestOf(name, architecture);
    manifests.push({ mediaType, digest, size: Buffer.byteLength(manifest), platform });
  }
  const imageManifest = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
  await clients.ecr.send(
    new PutImageCommand({ repositoryName: name, imageTag: "1", imageManifest, imageManifestMediaType: indexType }),
  );
}

/** A manifest as ECR stores it. */
async function manifestOf(name: string, imageTag: string) {
  const { images = [] } = await clients.ecr.send(
    new BatchGetImageCommand({ repositoryName: name, imageIds: [{ imageTag }] }),
  );
  const [{ imageManifest = "", imageManifestMediaType, imageId } = {}] = images;
  return { manifest: imageManifest, mediaType: imageManifestMediaType, digest: imageId?.imageDigest };
}

/** What stands for public bases. */
const publicBases = {
  Statement: [
    {
      Effect: "Allow",
      Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
      Resource: ["arn:aws:ecr:*:*:repository/tiny", "arn:aws:ecr:*:*:repository/multi"],
    },
  ],
};

function machine(project: string, scope: RoleScope): Readonly<Record<string, string>> {
  const { name, policies } = roleOf(project, scope);
  const key = aws.addRole(name, [...policies, publicBases]);
  return { ...aws.environment(key), PATH: `${engine.shim}:${dirname(process.execPath)}:/usr/bin:/bin:/usr/sbin:/sbin` };
}

/** Runs the pipeline; each project has the rights that the template gives its role. */
async function runAll(): Promise<PipelineRun> {
  const { template, assembly, source } = app;
  const buckets = Object.entries(template.Resources ?? {}).filter(([, { Type }]) => Type === "AWS::S3::Bucket");
  const given = { ...keysOf(template, aws), ...Object.fromEntries(buckets.map(([id]) => [id, bucket])) };
  const values = { account: aws.account, region: aws.region, given };
  const scope = { template, values };
  for (const { id } of projectsIn(template)) {
    if (!/EngineA/.test(id)) continue;
    const project = readProject(template, { wanted: id, values });
    const local = { buckets: aws.buckets, values: awsValues(aws.region), scratch: work };
    const one = localProject({ project, machine: machine(id, scope), ...local });
    const run: typeof one.run = (request, progress) =>
      one.run(request, {
        ...progress,
        log: (text) => {
          log += text;
          progress.log(text);
        },
      });
    aws.addProject({ ...one, run });
  }
  const options = { aws, clients, assembly, source, template, given, scratch: work };
  return await runPipeline({
    ...options,
    machine: (project) => machine(project, scope),
    log: (text) => {
      log += text;
    },
  });
}

/** All that a repository holds, unpacked. */
async function everythingIn(name: string): Promise<readonly Buffer[]> {
  const { imageIds = [] } = await clients.ecr.send(new ListImagesCommand({ repositoryName: name, maxResults: 1000 }));
  const digests = [...new Set(imageIds.map(({ imageDigest }) => imageDigest))];
  const { images = [] } = await clients.ecr.send(
    new BatchGetImageCommand({ repositoryName: name, imageIds: digests.map((imageDigest) => ({ imageDigest })) }),
  );
  const texts = images.map(({ imageManifest = "" }) => imageManifest);
  const blobs = new Set(texts.flatMap((text) => blobsOf(text)));
  const { name: host, auth } = aws.registryPlace;
  const authorization = `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString("base64")}`;
  const found = texts.map((text) => Buffer.from(text));
  for (const digest of blobs) {
    const answer = await fetch(`http://${host}/v2/${name}/blobs/${digest}`, { headers: { authorization } });
    const bytes = Buffer.from(await answer.arrayBuffer());
    found.push(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);
  }
  return found;
}

function blobsOf(text: string): readonly string[] {
  const { config, layers = [] } = JSON.parse(text) as { config?: { digest: string }; layers?: { digest: string }[] };
  return [config, ...layers].flatMap((one) => (one === undefined ? [] : [one.digest]));
}

/** All files below a folder. */
async function filesIn(folder: string): Promise<readonly Buffer[]> {
  const paths = (await readdir(folder, { recursive: true })).map((path) => join(folder, path));
  const files = [];
  for (const path of paths) if ((await stat(path)).isFile()) files.push(await readFile(path));
  return files;
}

async function imageOf(tag: string, architecture = hostPlatform().architecture) {
  const { name, auth } = aws.registryPlace;
  return await openRegistryImage(`${name}/${repositoryName}:${tag}`, { auth, platform: { os: "linux", architecture } });
}

it("gives secrets to the RUN that mounts them, and to nothing else", async () => {
  const { tree } = await readContents(await imageOf(app.secretTag));

  const sum = createHash("sha256").update(`${secrets.token}${secrets.key}`).digest("hex");
  expect(tree.get("proof")?.content).toBe(digestOf(Buffer.from(`${sum}  -\n`)));
  expect(log).toMatch(/handing .*Secret over to/);
  const places = {
    "the builds' logs": [Buffer.from(log)],
    "the cloud assembly": await filesIn(app.assembly),
    "the repository": await everythingIn(repositoryName),
    "the pipeline's bucket": [...(aws.buckets.get(bucket)?.objects.values() ?? [])].map(({ bytes }) => bytes),
    "exported variables": [Buffer.from(JSON.stringify(ran.builds))],
  };
  expect(places["the repository"].length).toBeGreaterThan(10);
  for (const [place, all] of Object.entries(places)) {
    for (const secret of Object.values(secrets)) {
      expect(
        all.some((bytes) => bytes.includes(secret)),
        `${secret} in ${place}`,
      ).toBe(false);
    }
  }
});

it("joins the images of two platforms in an index, and needs no engine of a foreign one to copy files", async () => {
  const { mediaType, manifest, digest } = await manifestOf(repositoryName, app.platformsTag);

  expect(mediaType).toBe(indexType);
  const platforms = (JSON.parse(manifest) as { manifests: { platform: unknown }[] }).manifests;
  expect(platforms.map(({ platform }) => platform)).toEqual([
    { os: "linux", architecture: "amd64" },
    { os: "linux", architecture: "arm64" },
  ]);
  for (const architecture of ["amd64", "arm64"]) {
    const image = await imageOf(app.platformsTag, architecture);
    expect(await validateImage(image)).toEqual([]);
    const { tree } = await readContents(image);
    expect(tree.get("app/app")?.content).toBe(digestOf(Buffer.from("both\n")));
  }
  const { name, auth } = aws.registryPlace;
  await craneValidate(`${name}/${repositoryName}:${app.platformsTag}`, { auth });
  // What the task names, and what the build has told the pipeline.
  expect(app.user).toContain(`/${repositoryName}:${app.platformsTag}"`);
  const [{ exportedVariables } = { exportedVariables: {} as Record<string, string> }] = Object.values(ran.builds);
  expect(exportedVariables["LAYERWISE_DIGEST"]?.split(",")).toContain(digest);
  expect(log.match(/handing /g)).toHaveLength(1);
});
