// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { decodeDockerConfig } from "./docker-config.ts";
import { argumentsIn } from "./proxy-arguments.ts";

const config = decodeDockerConfig(
  JSON.stringify({
    proxies: {
      default: { httpProxy: "http://a.test", noProxy: "b.test" },
      "tcp://engine.test": { httpsProxy: "http://c.test", ftpProxy: "" },
    },
  }),
  "config.json",
);

describe("argumentsIn", () => {
  it("gives the proxies of the engine's address, in both cases", () => {
    expect([...argumentsIn(config, "tcp://engine.test")]).toEqual([
      ["HTTPS_PROXY", "http://c.test"],
      ["https_proxy", "http://c.test"],
    ]);
  });

  it("gives the default ones for other addresses", () => {
    expect([...argumentsIn(config, "unix:///run/docker.sock").keys()]).toEqual([
      "HTTP_PROXY",
      "http_proxy",
      "NO_PROXY",
      "no_proxy",
    ]);
  });

  it("gives none if the file says nothing of them", () => {
    expect(argumentsIn({}, "unix:///run/docker.sock").size).toBe(0);
  });
});
