// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "./digest.ts";
import { chainIdOf, decodeImageConfig, encodeImageConfig, type ImageConfig, orderedRuntime } from "./image-config.ts";

const [one, two, three] = [digestOf("1"), digestOf("2"), digestOf("3")];

describe("decodeImageConfig", () => {
  it("reads what the classic builder of Docker 20.10 writes", () => {
    const config = decodeImageConfig(Buffer.from(JSON.stringify(docker20)), "registry.example/app:latest");

    expect(config).toEqual({
      architecture: "amd64",
      os: "linux",
      created: "2023-05-04T17:37:03.872958712Z",
      author: "NGINX Docker Maintainers",
      config: {
        ExposedPorts: { "80/tcp": {} },
        Env: ["PATH=/usr/bin:/bin", "EMPTY="],
        Entrypoint: ["/docker-entrypoint.sh"],
        Cmd: ["nginx", "-g", "daemon off;"],
        Labels: { maintainer: "", "org.example": "x" },
        StopSignal: "SIGQUIT",
      },
      diffIds: [one, two],
      history: [
        { created: "2023-05-03T19:51:11Z", created_by: "/bin/sh -c #(nop) ADD file:d6 in / " },
        { created: "2023-05-03T19:51:11Z", created_by: '/bin/sh -c #(nop)  CMD ["bash"]', empty_layer: true },
        { created: "2023-05-04T17:37:03Z", created_by: "/bin/sh -c set -x" },
      ],
    });
  });

  it("reads what BuildKit writes, Docker's extensions included", () => {
    const document = {
      architecture: "arm",
      config: {
        User: "1000:1000",
        Env: ["PATH=/bin"],
        Volumes: { "/data": {} },
        WorkingDir: "/app",
        ArgsEscaped: true,
        Healthcheck: {
          Test: ["CMD-SHELL", "true"],
          Interval: 5e9,
          Timeout: 3e9,
          StartPeriod: 1e9,
          StartInterval: 2e9,
          Retries: 4,
        },
        OnBuild: ["RUN true"],
        StopTimeout: 0,
        Shell: ["/bin/bash", "-c"],
      },
      created: "2024-01-01T00:00:00Z",
      history: [
        { created: "2024-01-01T00:00:00Z", created_by: "RUN true # buildkit", comment: "buildkit.dockerfile.v0" },
        {},
      ],
      "moby.buildkit.buildinfo.v1": "ignored",
      os: "windows",
      "os.features": ["win32k"],
      "os.version": "10.0.17763.1",
      rootfs: { type: "layers", diff_ids: [one, two] },
      variant: "v7",
    };

    const config = decodeImageConfig(Buffer.from(JSON.stringify(document)), "app");

    expect(config).toEqual({
      architecture: "arm",
      os: "windows",
      variant: "v7",
      "os.version": "10.0.17763.1",
      "os.features": ["win32k"],
      created: "2024-01-01T00:00:00Z",
      config: document.config,
      diffIds: [one, two],
      history: document.history,
    });
  });

  it("reads the least that a config can say", () => {
    const config = decodeImageConfig(
      Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":null}}'),
      "app",
    );

    expect(config).toEqual({ architecture: "amd64", os: "linux", config: {}, diffIds: [], history: [] });
  });

  it("takes null for nothing, wherever it stands", () => {
    const nothing = Object.fromEntries([...runtimeFields, "Unknown"].map((name) => [name, null]));
    const document = {
      ...minimal(),
      config: nothing,
      ...Object.fromEntries(
        ["variant", "os.version", "os.features", "created", "author", "history"].map((name) => [name, null]),
      ),
    };

    expect(decodeImageConfig(Buffer.from(JSON.stringify(document)), "app")).toEqual({
      architecture: "amd64",
      os: "linux",
      config: {},
      diffIds: [],
      history: [],
    });
  });

  it("keeps history entries that say nothing, as their number counts", () => {
    const document = { ...minimal(), history: [{}, { created: null, empty_layer: false }, { empty_layer: true }] };

    expect(decodeImageConfig(Buffer.from(JSON.stringify(document)), "app").history).toEqual([
      {},
      {},
      { empty_layer: true },
    ]);
  });

  it("tells a stop timeout of zero from none", () => {
    const withTimeout = (StopTimeout: number | null) =>
      decodeImageConfig(Buffer.from(JSON.stringify({ ...minimal(), config: { StopTimeout } })), "app").config
        .StopTimeout;

    expect([withTimeout(0), withTimeout(10), withTimeout(null)]).toEqual([0, 10, undefined]);
  });

  it.each([
    { what: "no JSON", text: "<html>", why: "it is no JSON" },
    { what: "nothing", text: "", why: "it is no JSON" },
    { what: "null", text: "null", why: "" },
    { what: "a list", text: "[]", why: "" },
    { what: "no platform", text: '{"rootfs":{"type":"layers"}}', why: "architecture" },
    { what: "an empty platform", text: JSON.stringify({ ...minimal(), architecture: "" }), why: "architecture" },
    { what: "no layers", text: '{"architecture":"amd64","os":"linux"}', why: "rootfs" },
    { what: "layers of another kind", text: JSON.stringify({ ...minimal(), rootfs: { type: "base" } }), why: "" },
    {
      what: "a diff ID that is no digest",
      text: JSON.stringify({ ...minimal(), rootfs: { type: "layers", diff_ids: ["sha256:ab"] } }),
      why: "not a sha256 digest",
    },
    { what: "a command that is a text", text: JSON.stringify({ ...minimal(), config: { Cmd: "sh" } }), why: "" },
    { what: "an environment of numbers", text: JSON.stringify({ ...minimal(), config: { Env: [1] } }), why: "" },
    { what: "labels that are numbers", text: JSON.stringify({ ...minimal(), config: { Labels: { a: 1 } } }), why: "" },
    { what: "a history that is no list", text: JSON.stringify({ ...minimal(), history: { a: 1 } }), why: "" },
  ])("refuses $what", ({ text, why }) => {
    expect(() => decodeImageConfig(Buffer.from(text), "registry.example/app:1")).toThrow(
      expect.objectContaining({
        code: "REGISTRY_PROTOCOL",
        message: expect.stringMatching(new RegExp(`^could not read the config of registry.example/app:1: [^]*${why}`)),
      }),
    );
  });
});

describe("encodeImageConfig", () => {
  it("writes fields in one order, and none that says nothing", () => {
    const config: ImageConfig = {
      os: "linux",
      architecture: "amd64",
      variant: "",
      history: [
        { empty_layer: false, created_by: "COPY" },
        { comment: "c", author: "a", empty_layer: true, created: "t" },
      ],
      diffIds: [one],
      config: {
        Labels: { b: "", a: "1" },
        Env: [],
        Cmd: ["x"],
        ExposedPorts: { "9/udp": {}, "80/tcp": {} },
        StopTimeout: 0,
      },
      created: "2024-01-01T00:00:00Z",
      author: undefined,
    };

    expect(Buffer.from(encodeImageConfig(config)).toString()).toBe(
      '{"architecture":"amd64","config":{"ExposedPorts":{"80/tcp":{},"9/udp":{}},"Cmd":["x"],"Labels":{"a":"1","b":""},"StopTimeout":0},' +
        '"created":"2024-01-01T00:00:00Z","history":[{"created_by":"COPY"},{"created":"t","author":"a","comment":"c","empty_layer":true}],' +
        `"os":"linux","rootfs":{"type":"layers","diff_ids":["${one}"]}}`,
    );
  });

  it("gives back what it was given", () => {
    fc.assert(
      fc.property(imageConfig, (config) => {
        const read = decodeImageConfig(encodeImageConfig(config), "app");

        expect(encodeImageConfig(read)).toEqual(encodeImageConfig(config));
        expect(read).toEqual(JSON.parse(JSON.stringify(config)));
      }),
    );
  });

  it("gives the same bytes whatever order fields come in", () => {
    fc.assert(
      fc.property(imageConfig, (config) => {
        const turned = {
          ...reversed(config),
          config: reversed({ ...config.config, Labels: reversed(config.config.Labels ?? {}) }),
        };

        expect(encodeImageConfig(turned as ImageConfig)).toEqual(encodeImageConfig(config));
      }),
    );
  });
});

describe("orderedRuntime", () => {
  it("gives equal configs equal JSON", () => {
    const plain = orderedRuntime({ Cmd: ["x"], User: "u", Labels: { a: "1", b: "2" } });
    const turned = orderedRuntime({ Labels: { b: "2", a: "1" }, User: "u", Cmd: ["x"], Env: [], WorkingDir: "" });

    expect(JSON.stringify(turned)).toBe(JSON.stringify(plain));
  });

  it("gives health checks equal JSON whatever order their fields come in", () => {
    const Healthcheck = { Test: ["CMD", "x"], Interval: 1, Timeout: 2, StartPeriod: 3, StartInterval: 4, Retries: 5 };

    expect(JSON.stringify(orderedRuntime({ Healthcheck: reversed(Healthcheck) }))).toBe(
      JSON.stringify(orderedRuntime({ Healthcheck })),
    );
  });
});

describe("chainIdOf", () => {
  it("follows the specification", () => {
    expect(chainIdOf([])).toBeUndefined();
    expect(chainIdOf([one])).toBe(one);
    expect(chainIdOf([one, two])).toBe(digestOf(`${one} ${two}`));
    expect(chainIdOf([one, two, three])).toBe(digestOf(`${digestOf(`${one} ${two}`)} ${three}`));
  });
});

function minimal(): object {
  return { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } };
}

function reversed(fields: object): object {
  return Object.fromEntries(Object.entries(fields).reverse());
}

const runtimeFields = [
  "User",
  "ExposedPorts",
  "Env",
  "Entrypoint",
  "Cmd",
  "Volumes",
  "WorkingDir",
  "Labels",
  "StopSignal",
  "ArgsEscaped",
  "Healthcheck",
  "OnBuild",
  "StopTimeout",
  "Shell",
] as const;

const text = fc.string({ minLength: 1 });
const texts = fc.array(fc.string(), { minLength: 1, maxLength: 3 });
const positive = fc.integer({ min: 1 });
const names = fc.stringMatching(/^[a-z][a-z0-9/.]{0,8}$/);

const runtime = fc.record(
  {
    User: text,
    ExposedPorts: fc.dictionary(names, fc.constant({}), { minKeys: 1 }),
    Env: texts,
    Entrypoint: texts,
    Cmd: texts,
    Volumes: fc.dictionary(names, fc.constant({}), { minKeys: 1 }),
    WorkingDir: text,
    Labels: fc.dictionary(names, fc.string(), { minKeys: 1 }),
    StopSignal: text,
    ArgsEscaped: fc.constant(true),
    Healthcheck: fc.record(
      {
        Test: texts,
        Interval: positive,
        Timeout: positive,
        StartPeriod: positive,
        StartInterval: positive,
        Retries: positive,
      },
      { requiredKeys: ["Test"] },
    ),
    OnBuild: texts,
    StopTimeout: fc.nat(),
    Shell: texts,
  },
  { requiredKeys: [] },
);

const imageConfig: fc.Arbitrary<ImageConfig> = fc.record(
  {
    os: text,
    architecture: text,
    variant: text,
    "os.version": text,
    "os.features": texts,
    created: text,
    author: text,
    config: runtime,
    diffIds: fc.array(fc.constantFrom(one, two, three), { maxLength: 3 }),
    history: fc.array(
      fc.record(
        { created: text, created_by: text, author: text, comment: text, empty_layer: fc.constant(true) },
        { requiredKeys: [] },
      ),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: ["os", "architecture", "config", "diffIds", "history"] },
);

/** The fields that the engine of that time wrote, those that are gone included. */
const docker20 = {
  architecture: "amd64",
  author: "NGINX Docker Maintainers",
  config: {
    Hostname: "",
    Domainname: "",
    User: "",
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ExposedPorts: { "80/tcp": {} },
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: ["PATH=/usr/bin:/bin", "EMPTY="],
    Cmd: ["nginx", "-g", "daemon off;"],
    ArgsEscaped: false,
    Image: "sha256:0da",
    Volumes: null,
    WorkingDir: "",
    Entrypoint: ["/docker-entrypoint.sh"],
    OnBuild: null,
    Labels: { maintainer: "", "org.example": "x" },
    StopSignal: "SIGQUIT",
  },
  container: "7ee",
  container_config: { Hostname: "7ee", Cmd: ["/bin/sh", "-c", "set -x"], Image: "sha256:0da", Labels: null },
  created: "2023-05-04T17:37:03.872958712Z",
  docker_version: "20.10.23",
  history: [
    { created: "2023-05-03T19:51:11Z", created_by: "/bin/sh -c #(nop) ADD file:d6 in / " },
    { created: "2023-05-03T19:51:11Z", created_by: '/bin/sh -c #(nop)  CMD ["bash"]', empty_layer: true },
    { created: "2023-05-04T17:37:03Z", created_by: "/bin/sh -c set -x" },
  ],
  os: "linux",
  rootfs: { type: "layers", diff_ids: [one, two] },
};
