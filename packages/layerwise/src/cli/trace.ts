// SPDX-License-Identifier: Apache-2.0
import {
  type Attributes,
  type Context,
  defaultTextMapGetter,
  ROOT_CONTEXT,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { ExportResultCode, W3CTraceContextPropagator } from "@opentelemetry/core";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { isLayerwiseError } from "../error.ts";
import { phases, type Report } from "../report/report.ts";

/** A build, as it is traced. */
export interface BuildTrace {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly began: number;
  readonly ended: number;
  /** Undefined if the build ended with an error. */
  readonly report: Report | undefined;
  readonly error: unknown;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Sends a build as a trace over OTLP/HTTP: one span for the build, one for each phase and one for each step that took
 * time. It continues the trace that TRACEPARENT names (https://www.w3.org/TR/trace-context/). Where to, and with which
 * headers, the exporter reads from the standard environment variables.
 *
 * @returns why it could not be sent
 */
export async function exportTrace(build: BuildTrace, env: Environment): Promise<string | undefined> {
  const exporter = await openExporter(env);
  if (typeof exporter === "string") return exporter;
  const { spans, processor } = collecting();
  const own = resourceFromAttributes({ "service.name": "layerwise", "service.version": build.version });
  const resource = defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  recordBuild(provider.getTracer("layerwise", build.version), build, parentOf(env));
  const failure = await new Promise<string | undefined>((resolve) => {
    exporter.export([...spans], ({ code, error }) => {
      resolve(code === ExportResultCode.SUCCESS ? undefined : (error?.message ?? "the collector refused it"));
    });
  });
  await exporter.shutdown();
  return failure;
}

/** http/protobuf is what the specification wants as default. */
async function openExporter(env: Environment): Promise<SpanExporter | string> {
  const protocol = env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] || env["OTEL_EXPORTER_OTLP_PROTOCOL"] || "http/protobuf";
  switch (protocol) {
    case "http/protobuf":
      return new (await import("@opentelemetry/exporter-trace-otlp-proto")).OTLPTraceExporter();
    case "http/json":
      return new (await import("@opentelemetry/exporter-trace-otlp-http")).OTLPTraceExporter();
    default:
      return `OTEL_EXPORTER_OTLP_PROTOCOL is ${protocol}, and only http/protobuf and http/json are supported`;
  }
}

function collecting(): { readonly spans: readonly ReadableSpan[]; readonly processor: SpanProcessor } {
  const spans: ReadableSpan[] = [];
  const processor: SpanProcessor = {
    onStart: () => undefined,
    onEnd: (span) => void spans.push(span),
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  return { spans, processor };
}

function parentOf(env: Environment): Context {
  const carrier = { traceparent: env["TRACEPARENT"], tracestate: env["TRACESTATE"] };
  return new W3CTraceContextPropagator().extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);
}

function recordBuild(tracer: Tracer, { began, ended, report, error }: BuildTrace, parent: Context): void {
  const root = tracer.startSpan("layerwise build", { startTime: began, attributes: buildAttributes(report) }, parent);
  const inside = trace.setSpan(parent, root);
  if (report !== undefined) recordReport(tracer, { report, began, inside });
  else root.setStatus({ code: SpanStatusCode.ERROR, message: errorText(error) });
  root.end(ended);
}

function recordReport(
  tracer: Tracer,
  { report, began, inside }: { report: Report; began: number; inside: Context },
): void {
  const record = (name: string, { start, length, within, attributes }: Timed & { within: Context }): Context => {
    const startTime = began + start * 1000;
    const span = tracer.startSpan(name, { startTime, attributes }, within);
    span.end(startTime + length * 1000);
    return trace.setSpan(within, span);
  };
  let start = 0;
  let producing = inside;
  for (const phase of phases) {
    const length = report.seconds[phase];
    if (length > 0) {
      const context = record(phase, { start, length, within: inside, attributes: {} });
      if (phase === "produce") producing = context;
    }
    start += length;
  }
  for (const step of report.steps) {
    const attributes: Attributes = {
      "layerwise.stage": step.stage,
      "layerwise.line": step.line,
      "layerwise.state": step.state,
      "layerwise.by": step.by,
      "layerwise.why": step.why,
    };
    if (step.key !== undefined) attributes["layerwise.key"] = step.key;
    const at = step.start ?? report.seconds.plan;
    record(step.instruction, { start: at, length: step.seconds, within: producing, attributes });
  }
}

interface Timed {
  /** Seconds since the build began. */
  readonly start: number;
  readonly length: number;
  readonly attributes: Attributes;
}

function buildAttributes(report: Report | undefined): Attributes {
  if (report === undefined) return {};
  const { route, image, requests, platform, engine } = report;
  return {
    "layerwise.route": route,
    "layerwise.platform": platform,
    "layerwise.image.digest": image.digest,
    "layerwise.image.references": [...image.references],
    "layerwise.requests": requests.count,
    "layerwise.bytes.sent": requests.sent,
    "layerwise.bytes.received": requests.received,
    ...(engine === undefined ? {} : { "layerwise.engine": engine }),
  };
}

/** Messages of errors are redacted already; of a bug only its kind is told. */
function errorText(error: unknown): string {
  if (isLayerwiseError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.name : "unknown";
}
