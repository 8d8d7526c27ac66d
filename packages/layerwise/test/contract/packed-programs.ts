// SPDX-License-Identifier: Apache-2.0

/** A program that uses the installed package as its README says. */
export const apiProgram = `
import { build, buildDefaults, isLayerwiseError, machinePlatform, openBuildFiles, openWorld, planOnly } from "layerwise";

const world = openWorld({ env: {}, version: "consumer/1" });
const { ports, hear, spool } = world;
const around = { ports, hear, emit: () => undefined };
try {
  const files = await openBuildFiles({ context: "app", file: undefined, stdin: process.stdin, spool });
  const repository = ports.repositories.inLayout("api-out");
  const options = {
    ...buildDefaults,
    ...files,
    buildPlatform: machinePlatform(),
    outputs: [{ kind: "repository", repository, tags: ["latest"] }],
    cache: repository,
    version: "consumer/1",
  };
  const plan = await planOnly(options, around);
  const first = await build(options, around);
  const second = await build(options, around);
  const broken = { ...options, dockerfile: { text: "FORM scratch", file: "Dockerfile" } };
  const code = await planOnly(broken, around).catch((error) => isLayerwiseError(error) && error.code);
  const routes = [plan.route, first.report.route, second.report.route];
  console.log(JSON.stringify({ routes, code, digests: [first.delivered.digest, second.delivered.digest] }));
} finally {
  await world.close();
}
`;

/** Calls that the installed types must accept, and after each \`@ts-expect-error\` one that they must refuse. */
export const typeProgram = `
import { build, buildDefaults, errorTable, openWorld, parsePlatform, parseRepositoryName } from "layerwise";
import type { BuildContext, BuildOptions, Event, Repository, Route } from "layerwise";

declare const context: BuildContext;
const world = openWorld({ env: {}, version: "1" });
const repository: Repository = world.ports.repositories.inRegistry(parseRepositoryName("registry.example/team/app"));
const options: BuildOptions = {
  ...buildDefaults,
  dockerfile: { text: "FROM scratch", file: "Dockerfile" },
  ignoreFile: undefined,
  context,
  buildPlatform: parsePlatform("linux/amd64")!,
  outputs: [{ kind: "repository", repository, tags: ["1"] }],
  version: "1",
};
const emit = (event: Event): void => void event.kind;
const result = build(options, { ports: world.ports, emit, hear: world.hear });
export const route: Promise<Route> = result.then(({ report }) => report.route);
export const exit: number = errorTable.USAGE.exit;

// @ts-expect-error there is no such checkpoint policy
export const wrong: BuildOptions = { ...options, checkpoints: "some" };
// @ts-expect-error a report has no such field
export const missing = result.then(({ report }) => report.nothing);
`;
