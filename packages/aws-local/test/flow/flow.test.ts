// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BatchGetImageCommand, CreateRepositoryCommand, DescribeImagesCommand } from "@aws-sdk/client-ecr";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { awsValues, buildActionsIn, projectsIn, readProject, type Template } from "codebuild-local";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Engine, tinyBase } from "../../../lab/src/index.ts";
import { type AwsLocal, localProject } from "../../src/index.ts";
import { copyExample, type ExampleApp, makeBase } from "./example-app.ts";
import { type EngineSite, openEngineSite } from "./flow-site.ts";
import { type Deployed, type PipelineRun, runPipeline } from "./local-pipeline.ts";
import { keysOf, type RoleScope, roleOf } from "./role-of.ts";

const bucket = "pipeline-artifacts";

let site: EngineSite;
let work: string;
let aws: AwsLocal;
let engine: Engine;
let clients: EngineSite["clients"];
let app: ExampleApp;

beforeAll(async () => {
  site = await openEngineSite("flow");
  ({ work, aws, clients, engine } = site);
  const host = aws.registryHost();
  await clients.s3.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const repositoryName of ["tiny", "base"])
    await clients.ecr.send(new CreateRepositoryCommand({ repositoryName }));
  await tinyBase(aws.registryPlace, { repository: "tiny" });
  const options = { aws, folder: join(work, "orders"), base: `${host}/base:1` };
  await mkdir(options.folder);
  await makeBase(`${host}/tiny:1`, options);
  app = await copyExample(options);
});
afterAll(async () => await site?.close());

/** What stands for Lambda's own base: as that one, anybody may pull it. */
const publicBase = {
  Statement: [
    {
      Effect: "Allow",
      Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"],
      Resource: "arn:aws:ecr:*:*:repository/base",
    },
  ],
};

/** An environment with the rights of a project's role, and a docker on the path for those builds that may have one. */
function machine(project: string, scope: RoleScope): Readonly<Record<string, string>> {
  const { name, policies } = roleOf(project, scope);
  const key = aws.addRole(name, [...policies, publicBase]);
  return { ...aws.environment(key), PATH: `${engine.shim}:${dirname(process.execPath)}:/usr/bin:/bin:/usr/sbin:/sbin` };
}

/** The project that no action of the pipeline builds: what is handed over goes there. */
function fallbackOf(template: Template, given: Readonly<Record<string, string>>) {
  const values = { account: aws.account, region: aws.region, given };
  const built = new Set(buildActionsIn(template, values).map(({ project }) => project));
  const candidates = projectsIn(template)
    .filter(({ id }) => !built.has(id))
    .map(({ id }) => ({ id, project: readProject(template, { wanted: id, values }) }))
    .filter(({ project }) => project.compute.privileged);
  expect(candidates).toHaveLength(1);
  return candidates[0] as (typeof candidates)[number];
}

interface Deploy extends PipelineRun {
  readonly template: Template;
  /** All templates of the assembly, by their paths in it. */
  readonly templates: Readonly<Record<string, string>>;
  /** Builds that were handed over. */
  readonly handedOver: number;
  /** Manifests and blobs that were written. */
  readonly writes: number;
}

async function deploy(): Promise<Deploy> {
  const { assembly, template } = await app.synth();
  const buckets = Object.entries(template.Resources ?? {}).filter(([, { Type }]) => Type === "AWS::S3::Bucket");
  const given = { ...keysOf(template, aws), ...Object.fromEntries(buckets.map(([id]) => [id, bucket])) };
  const scope = { template, values: { account: aws.account, region: aws.region, given } };
  const local = { buckets: aws.buckets, values: awsValues(aws.region), scratch: work };
  const { id, project } = fallbackOf(template, given);
  aws.addProject(localProject({ project, machine: machine(id, scope), ...local }));
  const [calls, requests] = [aws.calls.length, aws.registryCalls.length];
  const options = { aws, clients, assembly, source: app.folder, template, given, scratch: work };
  const done = await runPipeline({ ...options, machine: (action) => machine(action, scope) });
  const handedOver = aws.calls.slice(calls).filter(({ operation }) => operation === "StartBuild").length;
  const writes = aws.registryCalls.slice(requests).filter(({ method }) => method === "PUT").length;
  return { ...done, template, templates: await templatesIn(assembly), handedOver, writes };
}

async function templatesIn(assembly: string): Promise<Readonly<Record<string, string>>> {
  const paths = (await readdir(assembly, { recursive: true })).filter((path) => path.endsWith(".template.json"));
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(assembly, path), "utf8")])),
  );
}

async function digestOf(repositoryName: string, imageTag: string): Promise<string | undefined> {
  const { imageDetails } = await clients.ecr.send(
    new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag }] }),
  );
  return imageDetails?.[0]?.imageDigest;
}

interface Layer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** The layers of a function's image. What AWS Lambda is given is a single image of gzip layers, whoever has built it. */
async function layersOf(deployed: Deployed | undefined): Promise<readonly Layer[]> {
  const { images = [] } = await clients.ecr.send(
    new BatchGetImageCommand({ repositoryName: "orders-dev", imageIds: [{ imageDigest: deployed?.digest }] }),
  );
  const { mediaType, layers } = JSON.parse(images[0]?.imageManifest ?? "") as { mediaType: string; layers: Layer[] };
  expect(mediaType).toMatch(
    /^application\/vnd\.(?:oci\.image\.manifest\.v1|docker\.distribution\.manifest\.v2)\+json$/,
  );
  for (const layer of layers) expect(layer.mediaType).toMatch(/[.+]gzip$/);
  return layers;
}

function bytesOf(layers: readonly Layer[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

/** What the pipeline is told of how an image came to be; a copy to the next stage makes nothing. */
async function expectTold({ builds, functions }: Deploy, told: { engine: boolean; reused: number }): Promise<void> {
  const all = bytesOf(await layersOf(functions["Dev"]));
  const said = Object.values(builds).map(({ exportedVariables }) => [
    exportedVariables["LAYERWISE_ENGINE_USED"],
    exportedVariables["LAYERWISE_REUSED_BYTES"],
  ]);
  expect(said).toEqual([
    [String(told.engine), String(told.reused)],
    ["false", String(all)],
  ]);
}

/** What each deployment must leave, whatever it had to do. */
async function expectDeployed({ functions, builds }: Deploy): Promise<void> {
  const { Dev, Prod } = functions;
  const exported = Object.values(builds).map(({ exportedVariables }) => exportedVariables["LAYERWISE_DIGEST"]);
  expect(Dev?.uri).toMatch(new RegExp(`^${aws.registryHost()}/orders-dev:`));
  expect(Prod?.uri).toMatch(new RegExp(`^${aws.registryHost()}/orders-prod:`));
  // The image that each function runs is the one that its build has pushed, under both tags, and in both stages.
  expect(new Set([...exported, Dev?.digest, Prod?.digest]).size).toBe(1);
  expect(await digestOf("orders-dev", "latest")).toBe(Dev?.digest);
  expect(await digestOf("orders-prod", "latest")).toBe(Prod?.digest);
}

it("the example's pipeline deploys, and does only what a change needs", async () => {
  const first = await deploy();
  expect(first.actions.map((name) => name.replace(/^(\w+)\..*?(\w+)$/, "$1 $2"))).toEqual(
    ["Dev", "Prod"].flatMap((stage) =>
      [
        ...(stage === "Prod" ? ["Release"] : []),
        "Prepare",
        "Deploy",
        stage === "Dev" ? "BuildImages" : "PromoteImages",
        "Prepare",
        "Deploy",
      ].map((name) => `${stage} ${name}`),
    ),
  );
  expect(first.handedOver).toBe(1);
  await expectDeployed(first);
  const layers = await layersOf(first.functions["Dev"]);
  // Three instructions have made a layer each; below them is the base.
  const base = bytesOf(layers.slice(0, -3));
  await expectTold(first, { engine: true, reused: base });

  await app.write("src/app.py", "def app(event, context):\n    return 2\n");
  const source = await deploy();
  expect(source.handedOver).toBe(0);
  expect(source.functions["Dev"]?.digest).not.toBe(first.functions["Dev"]?.digest);
  await expectDeployed(source);
  const changed = await layersOf(source.functions["Dev"]);
  expect(changed.slice(0, -1)).toEqual(layers.slice(0, -1));
  await expectTold(source, { engine: false, reused: bytesOf(changed.slice(0, -1)) });

  // A commit that leaves the image alone: CloudFormation has nothing to update either.
  await app.write("../README.md", "Another text.\n");
  const nothing = await deploy();
  expect([nothing.handedOver, nothing.writes]).toEqual([0, 0]);
  expect(nothing.functions).toEqual(source.functions);
  expect(nothing.templates).toEqual(source.templates);
  await expectDeployed(nothing);
  await expectTold(nothing, { engine: false, reused: bytesOf(changed) });

  await app.write("requirements.txt", "requests==2.32.5\nidna==3.10\n");
  const dependency = await deploy();
  expect(dependency.handedOver).toBe(1);
  expect(dependency.functions["Dev"]?.uri).not.toBe(source.functions["Dev"]?.uri);
  await expectDeployed(dependency);
  await expectTold(dependency, { engine: true, reused: base });

  // No change of an image has changed the pipeline.
  for (const { template } of [source, nothing, dependency]) expect(template).toEqual(first.template);
});
