// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeApplication } from "layerwise-lab";
import { changesOf } from "./changes.ts";
import { deploySeries } from "./deploy-series.ts";
import { buildWithLayerwise } from "./layerwise.ts";
import type { Showing } from "./private-engines.ts";
import type { Series } from "./record.ts";
import { writeRuntime, writeVendored } from "./sample-files.ts";
import { makeWorkFolder } from "./work-folder.ts";

const baseDockerfile = `FROM scratch
COPY . /
ENV PATH=/usr/bin
WORKDIR /app
`;

/** Dependencies are in the context, so that nothing has to be executed. */
const dockerfile = `FROM base
COPY requirements.txt vendor ./vendor/
COPY src ./src
CMD [ "start" ]
`;

/** Shows what layerwise does without any engine: images are assembled and reused in an OCI layout. */
export async function showInLayout({ quick, narrator }: Showing): Promise<Series> {
  const folder = await makeWorkFolder();
  const [app, runtime, scratch] = ["app", "runtime", "scratch"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(scratch);
  const application = await makeApplication(app, quick ? "small" : "full");
  await writeVendored(join(app, "vendor"));
  await writeFile(join(app, "Dockerfile"), dockerfile);
  await writeRuntime(runtime);
  await writeFile(join(scratch, "Dockerfile"), baseDockerfile);
  const base = join(folder, "base");
  await narrator.during("Setting up a base image, assembled from files", () =>
    buildWithLayerwise({
      args: ["--output", `type=oci,dest=${base}`, "--file", join(scratch, "Dockerfile")],
      context: runtime,
      scratch,
    }),
  );
  narrator.say("\nThere is no engine: RUN can't be executed, everything else is done.");
  const output = `type=oci,dest=${join(folder, "images")}`;
  const args = ["--output", output, "--tag", "app", "--build-context", `base=oci-layout://${base}`];
  const shown = await deploySeries({
    application,
    changes: changesOf({ quick }),
    narrator,
    ways: { rival: undefined, layerwise: () => buildWithLayerwise({ args, context: app, scratch }) },
  });
  return { engine: null, rival: null, ...shown };
}
