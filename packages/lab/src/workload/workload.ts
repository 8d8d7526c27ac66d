// SPDX-License-Identifier: Apache-2.0
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Application, makeApplication } from "./application.ts";
import type { WheelIndex } from "./wheel-index.ts";
import type { WheelSet } from "./wheels.ts";

/** What the application is built from. */
export interface WorkloadOptions {
  /** The folder to write it into; one that engines share. */
  readonly folder: string;
  /** The base image; one with Python, pip and LAMBDA_TASK_ROOT. */
  readonly base: string;
  readonly index: Pick<WheelIndex, "url" | "address">;
  readonly wheels: WheelSet;
}

/** The ways to write the Dockerfile, by what follows `Dockerfile` in its name. */
export type DockerfileVariant = "plain" | "link" | "multi" | "multi2";

/** The application of a team that deploys a Lambda function from an image: a build context. */
export interface Workload extends Application {
  /** The names of the Dockerfiles in the folder. */
  readonly dockerfiles: Readonly<Record<DockerfileVariant, string>>;
}

const dockerfiles: Workload["dockerfiles"] = {
  plain: "Dockerfile",
  link: "Dockerfile.link",
  multi: "Dockerfile.multi",
  multi2: "Dockerfile.multi2",
};

/** Writes the application and the ways to build it. */
export async function makeWorkload(options: WorkloadOptions): Promise<Workload> {
  const { folder, wheels } = options;
  const application = await makeApplication(folder, wheels);
  await writeFile(join(folder, ".dockerignore"), "Dockerfile*\n");
  for (const [variant, text] of Object.entries(dockerfilesOf(options))) {
    await writeFile(join(folder, dockerfiles[variant as DockerfileVariant]), text);
  }
  return { ...application, dockerfiles };
}

function dockerfilesOf({ base, index }: WorkloadOptions): Readonly<Record<DockerfileVariant, string>> {
  const install = `COPY requirements.txt .
RUN pip3 install --no-deps --no-index --find-links ${index.url} --trusted-host ${index.address} -r requirements.txt`;
  const start = 'CMD [ "app.app" ]\n';
  // In the task's folder, so that the last instruction alone sees the source.
  const plain = `FROM ${base}\n${install} --target "\${LAMBDA_TASK_ROOT}"\n`;
  const builder = `FROM ${base} AS builder\n${install} --target /opt/deps\n`;
  const dependencies = `FROM ${base}\nCOPY --from=builder /opt/deps \${LAMBDA_TASK_ROOT}\n`;
  return {
    plain: `${plain}ADD ./src \${LAMBDA_TASK_ROOT}\n${start}`,
    link: `${plain}ADD --link ./src /var/task\n${start}`,
    multi: `${builder}${dependencies}ADD ./src \${LAMBDA_TASK_ROOT}\n${start}`,
    // The builder goes on after the dependencies, with what changes each time.
    multi2: `${builder}ADD ./src /opt/app
RUN python3 -m compileall -q /opt/app
${dependencies}COPY --from=builder /opt/app \${LAMBDA_TASK_ROOT}
${start}`,
  };
}
