// SPDX-License-Identifier: Apache-2.0
import { CreateRepositoryCommand, PutAccountSettingCommand } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../src/ecr/manifest.ts";
import { clientsOf } from "./clients.ts";
import { type Cloud, startCloud, types } from "./cloud.ts";

let cloud: Cloud;
let count = 0;

beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud.close());

async function repository(settings: object = {}): Promise<string> {
  count += 1;
  const repositoryName = `team/app-${count}`;
  await clientsOf(cloud.aws).ecr.send(new CreateRepositoryCommand({ repositoryName, ...settings }));
  return repositoryName;
}

describe("a registry", () => {
  it("asks for Basic authorization, and takes tokens only as long as they are valid", async () => {
    const refused = await cloud.ask("GET", "/v2/", { anonymous: true });
    const { auth } = cloud.aws.registryPlace;
    const headers = { authorization: `Basic ${Buffer.from(`AWS:${auth.password}`).toString("base64")}` };
    const taken = await cloud.ask("GET", "/v2/", { headers });
    cloud.advance(12 * 3_600_000);
    const late = await cloud.ask("GET", "/v2/", { headers });

    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toMatch(
      /^Basic realm="https:\/\/.+\/",service="ecr.amazonaws.com"$/,
    );
    expect([taken.status, late.status]).toEqual([200, 401]);
  });

  it("has only repositories that were created", async () => {
    const answer = await cloud.ask("POST", "/v2/nowhere/blobs/uploads/");

    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body.toString("utf8"))).toMatchObject({ errors: [{ code: "NAME_UNKNOWN" }] });
  });

  it("gives back what was pushed, and its digest with HEAD only", async () => {
    const name = await repository();
    const pushed = await cloud.pushImage(name, "1");

    const path = `/v2/${name}/manifests/1`;
    const accept = { accept: types.oci[0] };
    const [head, get] = [
      await cloud.ask("HEAD", path, { headers: accept }),
      await cloud.ask("GET", path, { headers: accept }),
    ];

    const digest = pushed.headers.get("docker-content-digest");
    expect(pushed.status).toBe(201);
    expect(head.headers.get("docker-content-digest")).toBe(digest);
    expect(get.headers.get("docker-content-digest")).toBeNull();
    expect(digestOf(get.body)).toBe(digest);
    expect(get.headers.get("content-type")).toBe(types.oci[0]);
  });

  it("refuses a manifest whose blobs are not there", async () => {
    const name = await repository();
    const body = JSON.stringify({
      schemaVersion: 2,
      mediaType: types.oci[0],
      config: { mediaType: types.oci[1], digest: digestOf(Buffer.from("a")), size: 1 },
      layers: [],
    });

    const answer = await cloud.ask("PUT", `/v2/${name}/manifests/1`, {
      headers: { "content-type": types.oci[0] },
      body,
    });

    expect(answer.status).toBe(400);
  });

  it("converts an image by tag for a client that knows Docker's schema only, and never by digest", async () => {
    const name = await repository();
    const pushed = await cloud.pushImage(name, "1");
    const digest = pushed.headers.get("docker-content-digest") ?? "";
    const headers = { accept: types.docker[0] };

    const byTag = await cloud.ask("GET", `/v2/${name}/manifests/1`, { headers });
    const byDigest = await cloud.ask("GET", `/v2/${name}/manifests/${digest}`, { headers });

    const manifest = JSON.parse(byTag.body.toString("utf8"));
    expect(byTag.headers.get("content-type")).toBe(types.docker[0]);
    expect([manifest.mediaType, manifest.config.mediaType, manifest.layers[0].mediaType]).toEqual(types.docker);
    expect(digestOf(byTag.body)).not.toBe(digest);
    expect(digestOf(byDigest.body)).toBe(digest);
  });

  it("loses what follows the first PATCH of an upload", async () => {
    const name = await repository();
    const whole = Buffer.from("one two");
    const upload = async (pieces: readonly Buffer[]) => {
      let location = (await cloud.ask("POST", `/v2/${name}/blobs/uploads/`)).headers.get("location") ?? "";
      const statuses: number[] = [];
      let sent = 0;
      for (const body of pieces) {
        const headers = {
          "content-type": "application/octet-stream",
          "content-range": `${sent}-${sent + body.length - 1}`,
        };
        const answer = await cloud.ask("PATCH", location, { headers, body });
        statuses.push(answer.status);
        location = answer.headers.get("location") ?? "";
        sent += body.length;
      }
      const mark = location.includes("?") ? "&" : "?";
      return [...statuses, (await cloud.ask("PUT", `${location}${mark}digest=${digestOf(whole)}`)).status];
    };

    expect(await upload([whole.subarray(0, 4), whole.subarray(4)])).toEqual([201, 201, 400]);
    expect(await upload([whole])).toEqual([201, 201]);
  });

  it("mounts only when the account has it on, and only what a manifest refers to", async () => {
    const [source, target] = [await repository(), await repository()];
    await cloud.pushImage(source, "1", { content: "mounted" });
    const referred = digestOf(Buffer.from("mounted"));
    const loose = await cloud.pushBlob(source, Buffer.from("loose"));
    const mount = async (digest: string) =>
      (await cloud.ask("POST", `/v2/${target}/blobs/uploads/?mount=${digest}&from=${source}`)).status;

    const off = await mount(referred);
    await clientsOf(cloud.aws).ecr.send(new PutAccountSettingCommand({ name: "BLOB_MOUNTING", value: "ENABLED" }));

    expect([off, await mount(loose), await mount(referred)]).toEqual([202, 202, 201]);
    expect((await cloud.ask("HEAD", `/v2/${target}/blobs/${referred}`)).status).toBe(200);
  });

  it("keeps immutable tags, but for those that a filter excludes", async () => {
    const name = await repository({
      imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
      imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "lwcache-*" }],
    });
    const push = async (tag: string, content: string) => (await cloud.pushImage(name, tag, { content })).status;

    expect([await push("1", "a"), await push("1", "a"), await push("1", "b")]).toEqual([201, 201, 400]);
    expect([await push("lwcache-1", "a"), await push("lwcache-1", "b")]).toEqual([201, 201]);
    const kept = await cloud.ask("GET", `/v2/${name}/manifests/1`, { headers: { accept: types.oci[0] } });
    expect(kept.body.toString("utf8")).toContain(digestOf(Buffer.from("a")));
  });

  it("lists tags in pages", async () => {
    const name = await repository();
    for (const tag of ["a", "b", "c"]) await cloud.pushImage(name, tag);

    const first = await cloud.ask("GET", `/v2/${name}/tags/list?n=2`);
    const link = /^<(.+)>; rel="next"$/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
    const second = await cloud.ask("GET", link);

    const tags = [first, second].map(({ body }) => JSON.parse(body.toString("utf8")).tags);
    expect(tags).toEqual([["a", "b"], ["c"]]);
  });
});
