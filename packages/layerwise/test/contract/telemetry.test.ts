// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { sendTrace } from "../../src/cli/telemetry.ts";
import { LayerwiseError } from "../../src/error.ts";
import { sampleReport } from "../sample-reports.ts";

interface Received {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A collector that keeps what it gets. */
async function startCollector(status = 200): Promise<{ readonly url: string; readonly received: readonly Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (chunk: Buffer) => parts.push(chunk));
    request.on("end", () => {
      received.push({ url: request.url, headers: request.headers, body: Buffer.concat(parts) });
      response.writeHead(status, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

// The exporter reads the process's own environment, as the specification has it.
afterEach(() => void vi.unstubAllEnvs());

async function send(
  env: Readonly<Record<string, string>>,
  build: { readonly error?: unknown } = {},
): Promise<readonly string[]> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const warnings: string[] = [];
  const report = build.error === undefined ? sampleReport({}) : undefined;
  const trace = { version: "1.2.3", began: 1_800_000_000_000, ended: 1_800_000_001_250, report, error: build.error };
  await sendTrace(trace, { env: process.env, warn: (message) => warnings.push(message) });
  return warnings;
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

function spansOf({ body }: Received): readonly Span[] {
  const { resourceSpans } = JSON.parse(body.toString("utf8"));
  return resourceSpans[0].scopeSpans[0].spans;
}

const parent = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };

describe("a trace", () => {
  it("has a span for the build, each phase and each step, within CI's own trace", async () => {
    const { url, received } = await startCollector();

    const warnings = await send({
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_HEADERS: "x-team=blue",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test",
      TRACEPARENT: `00-${parent.traceId}-${parent.spanId}-01`,
    });

    expect(warnings).toEqual([]);
    const [request] = received as readonly [Received];
    expect([request.url, request.headers["x-team"]]).toEqual(["/v1/traces", "blue"]);
    expect(request.body.toString()).toContain("deployment.environment");
    const spans = spansOf(request);
    const byName = new Map(spans.map((span) => [span.name, span]));
    expect([...byName.keys()].sort()).toEqual(
      [
        "layerwise build",
        "plan",
        "produce",
        "publish",
        "save",
        "COPY requirements.txt .",
        "RUN pip install",
        "COPY src /src",
      ].sort(),
    );
    const root = byName.get("layerwise build");
    expect(root).toMatchObject({ traceId: parent.traceId, parentSpanId: parent.spanId });
    expect(byName.get("plan")?.parentSpanId).toBe(root?.spanId);
    const step = byName.get("COPY src /src");
    expect(step?.parentSpanId).toBe(byName.get("produce")?.spanId);
    expect(step).toMatchObject({
      startTimeUnixNano: "1800000000300000000",
      endTimeUnixNano: "1800000000700000000",
    });
    expect(step?.attributes).toContainEqual({ key: "layerwise.state", value: { stringValue: "made" } });
  });

  it("goes out as protobuf if nobody asks for another form", async () => {
    const { url, received } = await startCollector();

    await send({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/other` });

    expect(received[0]?.url).toBe("/other");
    expect(received[0]?.headers["content-type"]).toBe("application/x-protobuf");
    expect(received[0]?.body.includes("RUN pip install")).toBe(true);
  });

  it("of a build that failed has its error", async () => {
    const { url, received } = await startCollector();
    const error = new LayerwiseError("BUILD_FAILED", "could not build: RUN ended with 1");

    await send({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }, { error });

    const [root] = spansOf(received[0] as Received);
    expect(root?.status).toEqual({ code: 2, message: "BUILD_FAILED: could not build: RUN ended with 1" });
  });

  it("that nobody takes is a warning", async () => {
    const { url } = await startCollector(400);

    const refused = await send({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    const unknown = await send({ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" });

    expect(refused).toEqual([expect.stringMatching(/^the trace could not be sent: /)]);
    expect(unknown).toEqual([expect.stringContaining("only http/protobuf and http/json")]);
  });

  it("is not made where nobody asks for one", async () => {
    expect(await send({ OTEL_SDK_DISABLED: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" })).toEqual([]);
  });
});
