// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { tinyBase } from "../../../lab/src/index.ts";
import { endKinds, isMatrix } from "../../../lab/test/engine-kinds.ts";
import { type RecordedDocker, recordDocker } from "./recorded-docker.ts";
import { fetchConfig, fetchManifest, fetchTags } from "./registry-documents.ts";
import { openSite, type Site } from "./site.ts";
import { expectSound } from "./sound-image.ts";

const secret = "the-secret-that-nobody-may-see";

for (const { generation, store } of endKinds) {
  describe(`Docker ${generation} with the ${store} store gets`, () => {
    let site: Site;
    let base: string;
    let docker: RecordedDocker;

    beforeAll(async () => {
      site = await openSite({ generation, store });
      base = await tinyBase(site.registry);
      docker = await recordDocker(site);
    });
    afterAll(async () => await site.close());

    /** The text of one file of an image in the registry. */
    async function fileOf(reference: string, path: string): Promise<string> {
      const run = await site.engine?.exec(["docker", "run", "--rm", "--pull=always", reference, "cat", path]);
      return run?.stdout ?? "";
    }

    it("secrets, whose values nobody else sees", async () => {
      const text = `FROM ${base}
RUN --mount=type=secret,id=from-file sha256sum < /run/secrets/from-file > /file.sum
RUN --mount=type=secret,id=from-env sha256sum < /run/secrets/from-env > /env.sum
`;
      const folder = await site.context("secrets", { Dockerfile: text });
      const file = join(await site.context(".secret", { file: secret }), "file");
      const reference = `${site.registry.name}/secrets:1`;
      const flags = ["--secret", `id=from-file,src=${file}`, "--secret", "id=from-env,env=SECRET_OF_TEST"];
      const env = { ...docker.env, SECRET_OF_TEST: secret };
      const args = ["--tag", reference, "--progress", "plain", ...flags, folder];

      const first = await site.build(args, { env });
      await site.context(".secret", { file: `${secret}, changed` });
      const second = await site.build(args, { env: { ...env, SECRET_OF_TEST: `${secret}, changed` } });

      const sum = /^[0-9a-f]{64} /;
      expect(await fileOf(reference, "/file.sum")).toMatch(sum);
      expect(await fileOf(reference, "/env.sum")).toBe(await fileOf(reference, "/file.sum"));
      // A value is no input: another one makes nothing again.
      expect([first.report.route, second.report.route]).toEqual(["engine", "reuse"]);
      const seen = [first, second].map(({ stderr, stdout, report }) => [stderr, stdout.toString(), report]);
      const all = [seen, await docker.calls(), await documentsOf(site, "secrets")];
      expect(JSON.stringify(all)).not.toContain(secret);
      expect(JSON.stringify(await docker.calls())).toContain("id=from-env,env=SECRET_OF_TEST");
    });

    it("build arguments, whose values no process listing shows", async () => {
      const text = `FROM ${base}\nARG GIVEN\nARG TAKEN\nRUN echo "$GIVEN $TAKEN" > /args\n`;
      const folder = await site.context("arguments", { Dockerfile: text });
      const reference = `${site.registry.name}/arguments:1`;
      const flags = ["--build-arg", "GIVEN=given value", "--build-arg", "TAKEN"];

      const { report } = await site.build(["--tag", reference, ...flags, folder], {
        env: { ...docker.env, TAKEN: "taken value" },
      });

      expect(await fileOf(reference, "/args")).toBe("given value taken value\n");
      expect(JSON.stringify([await docker.calls(), report])).not.toMatch(/given value|taken value/);
    });

    it("an agent for ssh", async () => {
      const text = `FROM ${base}\nRUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo yes > /agent\n`;
      const folder = await site.context("ssh", { Dockerfile: text });
      const socket = join(await site.folder(".agent"), "socket");
      const agent = createServer().listen(socket);
      await once(agent, "listening");
      onTestFinished(() => void agent.close());
      const reference = `${site.registry.name}/ssh:1`;

      const { report } = await site.build(["--tag", reference, "--ssh", `default=${socket}`, folder], {
        env: docker.env,
      });

      expect(report.route).toBe("engine");
      expect(await fileOf(reference, "/agent")).toBe("yes\n");
    });

    // What follows does not depend on the engine much.
    if (!isMatrix && generation === 20) return;

    it("the network and the hosts of RUN, which are inputs of its key", async () => {
      const text = `FROM ${base}\nRUN ls /sys/class/net > /nets\nRUN cat /etc/hosts > /hosts\n`;
      const folder = await site.context("network", { Dockerfile: text });
      const build = async (tag: string, ...flags: string[]) => {
        const reference = `${site.registry.name}/network:${tag}`;
        const { report } = await site.build(["--tag", reference, ...flags, folder], { env: docker.env });
        return { reference, route: report.route };
      };

      const plain = await build("plain");
      const none = await build("none", "--network", "none");
      const hosts = await build("hosts", "--add-host", "named.example:10.1.2.3");
      const again = await build("again", "--network", "none");

      expect([plain.route, none.route, hosts.route, again.route]).toEqual(["engine", "engine", "engine", "reuse"]);
      expect(await fileOf(plain.reference, "/nets")).toMatch(/eth0/);
      expect(await fileOf(none.reference, "/nets")).not.toMatch(/eth0/);
      expect(await fileOf(none.reference, "/hosts")).not.toContain("named.example");
      expect(await fileOf(hosts.reference, "/hosts")).toMatch(/10\.1\.2\.3\s+named\.example/);
    });

    it("the platform, and needs no emulator where nothing of it executes", async () => {
      const text = `FROM --platform=$BUILDPLATFORM ${base} AS builder
ARG TARGETARCH
RUN echo "$TARGETARCH on $(uname -m)" > /arch
FROM scratch
COPY --from=builder /arch /arch
`;
      const folder = await site.context("platform", { Dockerfile: text });
      const files = await site.context("platform-files", { Dockerfile: "FROM scratch\nCOPY a /a\n", a: "1" });
      const [run, copy] = [`${site.registry.name}/platform:1`, `${site.registry.name}/platform-files:1`];
      const platform = ["--platform", "linux/arm64"];

      const executed = await site.build(["--tag", run, ...platform, folder], { env: docker.env });
      const copied = await site.build(["--tag", copy, ...platform, files], { env: docker.env });

      expect([executed.report.route, copied.report.route]).toEqual(["engine", "assemble"]);
      expect(executed.report.platform).toBe("linux/arm64");
      for (const reference of [run, copy]) {
        expect(await expectSound(site, reference)).toMatchObject({ Os: "linux", Architecture: "arm64" });
      }
      await site.engineBuild([...platform, folder], `${site.registry.name}/platform-truth:1`);
      expect(await site.differences(run, `${site.registry.name}/platform-truth:1`)).toEqual([]);
    });
  });
}

/** All manifests and configs of a repository, checkpoints included. */
async function documentsOf(site: Site, repository: string): Promise<readonly unknown[]> {
  const tags = await fetchTags(site, repository);
  const read = async (tag: string) => [
    (await fetchManifest(site, repository, tag)).manifest,
    await fetchConfig(site, repository, tag),
  ];
  return await Promise.all(tags.map(read));
}
