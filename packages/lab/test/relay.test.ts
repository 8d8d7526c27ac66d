// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  openRegistryImage,
  pushImage,
  type Registry,
  type Relay,
  startRegistry,
  startRelay,
  validateImage,
} from "../src/index.ts";
import { httpRequest } from "../src/registry/http.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** Milliseconds; long enough that no answer comes so late by itself. */
const roundTrip = 200;
/** Bytes; more than may be on their way at once. */
const large = 20 * 1024 * 1024;

let registry: Registry;
let relay: Relay;

beforeAll(async () => {
  registry = await startRegistry();
  relay = await startRelay({ registry, roundTrip });
});
afterAll(async () => {
  await relay.stop();
  await registry.stop();
});

describe("a relay", () => {
  it("lets an image through as it is, however large", async () => {
    const content = randomBytes(large);
    const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
    const layer = {
      digest,
      diffId: digest,
      size: content.length,
      open: async function* () {
        yield content;
      },
    };

    const name = await pushImage({ layers: [layer], config: {} }, { registry: relay, repository: "large" });

    const { body } = await httpRequest(`http://${relay.name}/v2/large/blobs/${digest}`);
    expect(body.equals(content)).toBe(true);
    expect(await validateImage(await openRegistryImage(name))).not.toContain(expect.stringContaining("size"));
  });

  it("takes a round trip for the handshake and one for the answer", async () => {
    // To a new address there is no connection yet.
    const fresh = await startRelay({ registry, roundTrip });
    const start = performance.now();

    await httpRequest(`http://${fresh.name}/v2/`);

    // Timers count whole milliseconds.
    expect(performance.now() - start).toBeGreaterThan(2 * roundTrip - 5);
    await fresh.stop();
  });

  it("ends its connections when it is stopped", async () => {
    const short = await startRelay({ registry, roundTrip });
    const [host = "", port] = short.name.split(":");
    const socket = connect({ host, port: Number(port) });
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.once("close", () => resolve("closed")));
    socket.on("error", () => undefined);

    await short.stop();

    expect(await closed).toBe("closed");
  });
});
