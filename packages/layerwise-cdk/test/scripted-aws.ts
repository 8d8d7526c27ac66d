// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A call of AWS's JSON protocol. */
export interface AwsCall {
  /** For example `BatchGetImage`. */
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Starts an endpoint that answers calls from a script; a call that is not in it fails the client. */
export async function startScriptedAws(answer: (call: AwsCall) => unknown) {
  const calls: AwsCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const operation = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
      const call = { operation, input: JSON.parse(Buffer.concat(chunks).toString("utf8")) as AwsCall["input"] };
      calls.push(call);
      const output = answer(call);
      response.writeHead(output === undefined ? 400 : 200, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(output ?? { __type: "NotScripted", message: operation }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls };
}
