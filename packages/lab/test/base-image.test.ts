// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  craneValidate,
  differences,
  encodeTar,
  type ImageContents,
  layerOf,
  mergeLayers,
  openArchiveImage,
  openRegistryImage,
  pushImage,
  type Registry,
  readContents,
  readersFlaws,
  skopeoInspect,
  startEngine,
  startRegistry,
  tinyBase,
  validateImage,
} from "../src/index.ts";
import { httpRequest } from "../src/registry/http.ts";
import { engineKinds } from "./engine-kinds.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

/** What Docker puts into every container beside its image. */
const injected = [
  ".dockerenv",
  "dev/console",
  "dev/pts",
  "dev/shm",
  "etc/hostname",
  "etc/hosts",
  "etc/mtab",
  "etc/resolv.conf",
];

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

describe("the tiny base", () => {
  it.each(["docker", "oci"] as const)("is valid with the media types of %s", async (family) => {
    const reference = await tinyBase(registry, { family, tag: family });

    const image = await openRegistryImage(reference);

    expect(await validateImage(image)).toEqual([]);
    expect(image.documents[0]?.claims.mediaType).toContain(family);
    expect(image.layers).toHaveLength(4);
  });

  it("has what makes images hard", async () => {
    const image = await openRegistryImage(await tinyBase(registry));

    const { tree } = await readContents(image);

    const facts = (path: string) => {
      const { type = "nothing", mode = 0, uid = 0, gid = 0, target } = tree.get(path) ?? {};
      return `${type} ${mode.toString(8)} ${uid}:${gid}${target === undefined ? "" : ` -> ${target}`}`;
    };
    expect(facts("tmp")).toBe("directory 1777 0:0");
    expect(facts("srv/data")).toBe("directory 2775 5:6");
    expect(facts("bin")).toBe("symlink 777 0:0 -> usr/bin");
    expect(facts("opt/removed")).toBe("nothing 0 0:0");
    expect(facts("opt/hidden/one")).toBe("nothing 0 0:0");
    expect(facts("opt/hidden/new")).toBe("file 644 0:0");
    expect(facts("opt/becomes-file")).toBe("file 644 0:0");
    expect(facts("opt/becomes-real")).toBe("directory 755 0:0");
    expect(facts("opt/implied/deep")).toBe("directory 755 0:0");
    expect(facts("opt/tightened")).toBe("directory 500 1000:1001");
    expect(facts("opt/owned")).toBe("file 640 3000001:3000001");
    expect(facts("opt/twin-b")).toBe("file 644 1000:0");
    expect(tree.get("opt/twin-a")?.content).not.toBe(tree.get("opt/twin-b")?.content);
    expect(tree.get("opt/tool")?.xattrs.get("security.capability")).toMatch(/^01000002/);
    expect(tree.get("dev/null")?.device).toBe("1:3");
  });
});

describe.each(engineKinds)("Docker $generation with its $store store", (kind) => {
  it("sees in the tiny base, and in what it makes of it, the same files as our reading of their layers", async () => {
    const base = await tinyBase(registry);
    const engine = await startEngine({ ...kind, insecureRegistries: [registry.name] });
    const name = `${registry.name}/made-${kind.generation}-${kind.store}:1`;
    const dockerfile = `FROM ${base}\nRUN rm -r /opt/hidden /opt/twin-c && chmod 1700 /srv && ln /etc/group /etc/group2\nWORKDIR /var/run/here\n`;

    await engine.exec(["docker", "build", "--tag", name, "-"], { stdin: dockerfile });
    await engine.exec(["docker", "push", name]);
    for (const [image, file] of [
      [base, "base"],
      [name, "made"],
    ] as const) {
      const { stdout } = await engine.exec(["docker", "create", image]);
      await engine.exec(["docker", "export", "--output", join(engine.work, file), stdout.trim()]);
    }
    await engine.exec(["docker", "save", "--output", join(engine.work, "saved"), name]);

    const ours = await Promise.all([base, name].map(async (image) => readContents(await openRegistryImage(image))));
    const theirs = await Promise.all(
      ["base", "made"].map((file) =>
        mergeLayers([{ claims: {}, open: () => createReadStream(join(engine.work, file)) }]),
      ),
    );
    const compared = ours.map((contents, index) =>
      differences(contents, { ...contents, tree: theirs[index] ?? new Map() }, { except: injected }),
    );
    expect(compared).toEqual([[], []]);
    expect(ours[1]?.tree.get("run/here")?.type).toBe("directory");
    const saved = await openArchiveImage(join(engine.work, "saved"));
    expect(differences(await readContents(saved), ours[1] as ImageContents, { history: true })).toEqual([]);
    expect(await validateImage(saved, { completeFrom: 4 })).toEqual([]);
    expect(await validateImage(await openRegistryImage(name), { completeFrom: 4 })).toEqual([]);
    await engine.stop();
  });
});

describe("the checks by others", () => {
  it("agree that the tiny base is valid", async () => {
    const reference = await tinyBase(registry);

    await craneValidate(reference);

    expect(await skopeoInspect(reference)).toMatchObject({ Os: "linux", Labels: { "org.example.kind": "tiny" } });
  });

  it("agree with us that a layer is not what its diff ID says", async () => {
    const layer = layerOf([{ path: "file", type: "file", content: "text" }]);
    const wrong = { ...layer, diffId: layerOf([]).diffId };

    const reference = await pushImage({ layers: [wrong], config: {} }, { registry, repository: "wrong" });

    await expect(craneValidate(reference)).rejects.toThrow(/exit code 1\n.*mismatched layer\[0\] diffid/);
    expect(await validateImage(await openRegistryImage(reference))).toHaveLength(1);
  });

  it("find the one image of many that is wrong", async () => {
    const layer = layerOf([{ path: "file", type: "file", content: "one of many" }]);
    const contents = { layers: [{ ...layer, diffId: layerOf([]).diffId }], config: {} };
    const wrong = await pushImage(contents, { registry, repository: "one-of-many" });
    const missing = `${registry.name}/nobody/knows:1`;

    const flaws = await readersFlaws([await tinyBase(registry), wrong, missing]);

    expect(flaws).toHaveLength(3);
    expect(flaws.filter((flaw) => flaw.startsWith(`${wrong}: crane says: `))).toHaveLength(1);
    for (const tool of ["crane", "skopeo"]) {
      expect(flaws.filter((flaw) => flaw.startsWith(`${missing}: ${tool} says: `))).toHaveLength(1);
    }
  });

  it("log in where they have to", async () => {
    const auth = { user: "someone", password: "secret" };
    const closed = await startRegistry({ auth });
    const reference = await tinyBase(closed);

    await craneValidate(reference, { auth });
    const { Architecture } = await skopeoInspect(reference, { auth });

    expect(Architecture).not.toBe("");
    expect(await readersFlaws([reference], { auth })).toEqual([]);
    await expect(skopeoInspect(reference)).rejects.toThrow("authentication required");
    await closed.stop();
  });

  it("are not needed to find out what the registry lost", async () => {
    const layer = layerOf([{ path: "lost", type: "file", content: "lost" }]);
    const reference = await pushImage({ layers: [layer], config: {} }, { registry, repository: "lost" });
    await httpRequest(`http://${registry.name}/v2/lost/blobs/${layer.digest}`, { method: "DELETE" });

    const problems = await validateImage(await openRegistryImage(reference));

    expect(problems).toEqual([expect.stringContaining("layer 0: it cannot be read: could not read http")]);
  });
});

it("makes the same bytes of the same entries", () => {
  const items = [{ path: "file", type: "file", content: "text" }] as const;

  expect(encodeTar(items).equals(encodeTar(items))).toBe(true);
  expect(layerOf(items).digest).toBe(layerOf(items).digest);
});
