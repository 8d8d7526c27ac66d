// SPDX-License-Identifier: Apache-2.0
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Repository } from "../../src/ports.ts";
import { type Certificates, makeCertificates } from "../certificates.ts";
import { openTestRepositories, temporaryFolder } from "../open-repositories.ts";
import { startProxyServer } from "../proxy-server.ts";
import { startScriptedServer } from "../scripted-server.ts";
import { blobOf, uploadOf } from "./sample-blob.ts";

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});
afterAll(() => certificates.remove());

const path = "app";
const request = "GET /v2/app/manifests/latest";
const answer = { status: 200, body: "{}" };

describe("a registry over TLS", () => {
  it("is trusted by a file that the user names", async () => {
    const server = await startScriptedServer(certificates);
    const repositories = await openTestRepositories({ caFiles: [certificates.caFile] });
    server.expect({ request, answer });

    const found = await repositories.inRegistry({ host: server.host, path }).fetchManifest("latest");

    expect(found).toBeDefined();
  });

  it("is trusted by SSL_CERT_FILE", async () => {
    const server = await startScriptedServer(certificates);
    const repositories = await openTestRepositories({ environment: { SSL_CERT_FILE: certificates.caFile } });
    server.expect({ request, answer });

    const found = await repositories.inRegistry({ host: server.host, path }).fetchManifest("latest");

    expect(found).toBeDefined();
  });

  it("is not trusted otherwise, and the error says what to do", async () => {
    const server = await startScriptedServer(certificates);
    const repositories = await openTestRepositories();

    const fetching = repositories.inRegistry({ host: server.host, path }).fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      message: expect.stringMatching(/: its certificate is not trusted \([A-Z_]+\)$/),
      hint: expect.stringContaining("with --registry-ca FILE or SSL_CERT_FILE"),
    });
  });

  it("is not trusted under another name than its certificate's", async () => {
    const server = await startScriptedServer(certificates);
    const proxy = await startProxyServer({ destination: server.address });
    const environment = { HTTPS_PROXY: proxy.origin };
    const repositories = await openTestRepositories({ caFiles: [certificates.caFile], environment });

    const fetching = repositories.inRegistry({ host: "registry.example", path }).fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({ message: /not trusted \(ERR_TLS_CERT_ALTNAME_INVALID\)$/ });
    expect(repositories.waits).toEqual([]);
  });

  it("is spoken to without a trusted certificate if it is listed as insecure", async () => {
    const server = await startScriptedServer(certificates);
    const repositories = await openTestRepositories({ insecureRegistries: [server.host] });
    server.expect({ request, answer }, { request, answer });
    const repository = repositories.inRegistry({ host: server.host, path });

    const found = [await repository.fetchManifest("latest"), await repository.fetchManifest("latest")];

    expect(found).not.toContain(undefined);
    // On loopback plain HTTP is tried first, and only once.
    const statuses = repositories.events.flatMap((event) => (event.kind === "request" ? [event.status] : []));
    expect(statuses).toEqual([0, 200, 200]);
  });

  it("takes a location in plain HTTP on its own host for one over TLS", async () => {
    const server = await startScriptedServer(certificates);
    const repositories = await openTestRepositories({ caFiles: [certificates.caFile] });
    const blob = blobOf("content");
    const { post, put } = uploadOf(path, blob.descriptor.digest);
    server.expect(
      { request: post, answer: { status: 202, headers: { location: `http://${server.host}/up?_state=1` } } },
      { request: put("/up?_state=1"), body: "content", answer: { status: 201 } },
    );

    await repositories.inRegistry({ host: server.host, path }).pushBlob(blob);
  });

  it("may not redirect to plain HTTP", async () => {
    const server = await startScriptedServer(certificates);
    const plain = await startScriptedServer();
    const repositories = await openTestRepositories({ caFiles: [certificates.caFile] });
    server.expect({ request, answer: { status: 307, headers: { location: `${plain.origin}/manifest` } } });

    const fetching = repositories.inRegistry({ host: server.host, path }).fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
      hint: expect.stringContaining(`--insecure-registry ${plain.host}`),
    });
  });

  it("may redirect to plain HTTP on a host that is listed as insecure", async () => {
    const server = await startScriptedServer(certificates);
    const plain = await startScriptedServer();
    const repositories = await openTestRepositories({
      caFiles: [certificates.caFile],
      insecureRegistries: [plain.host],
    });
    server.expect({ request, answer: { status: 307, headers: { location: `${plain.origin}/manifest` } } });
    plain.expect({ request: "GET /manifest", answer });

    const found = await repositories.inRegistry({ host: server.host, path }).fetchManifest("latest");

    expect(found).toBeDefined();
  });
});

describe("a registry over TLS on loopback", () => {
  it("is found out by its answering plain HTTP with 400, as Go's servers do", async () => {
    const server = await startScriptedServer(certificates);
    const front = await startGoLikeFront(server.address);
    const repositories = await openTestRepositories({ caFiles: [certificates.caFile] });
    server.expect({ request, answer }, { request, answer });
    const repository = repositories.inRegistry({ host: front, path });

    await repository.fetchManifest("latest");
    await repository.fetchManifest("latest");

    const statuses = repositories.events.flatMap((event) => (event.kind === "request" ? [event.status] : []));
    expect(statuses).toEqual([400, 200, 200]);
  });

  it("may really have meant 400", async () => {
    const server = await startScriptedServer();
    const repositories = await openTestRepositories();
    server.expect({ request, answer: { status: 400, body: "bad" } }, { request, answer: { status: 400, body: "bad" } });
    const repository = repositories.inRegistry({ host: server.host, path });

    const fetching = [await failureOf(repository), await failureOf(repository)];

    expect(fetching).toMatchObject([{ message: /400 bad$/ }, { message: /400 bad$/ }]);
    const failures = repositories.events.filter((event) => event.kind === "request" && event.status === 0);
    expect(failures).toHaveLength(1);
  });
});

describe("a file of certificates", () => {
  it("must be there", async () => {
    const server = await startScriptedServer(certificates);
    const repositories = await openTestRepositories({ caFiles: ["/nonexistent/ca.pem"] });

    const fetching = repositories.inRegistry({ host: server.host, path }).fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({
      code: "DISK",
      message: "could not read the certificates of /nonexistent/ca.pem: ENOENT",
    });
  });

  it("must hold certificates", async () => {
    const server = await startScriptedServer(certificates);
    const file = join(await temporaryFolder(), "ca.pem");
    await writeFile(file, "no certificate");
    const repositories = await openTestRepositories({ caFiles: [file] });

    const fetching = repositories.inRegistry({ host: server.host, path }).fetchManifest("latest");

    await expect(fetching).rejects.toMatchObject({ code: "DISK", message: /it holds no certificate in PEM form$/ });
  });
});

describe("a registry over plain HTTP", () => {
  it("is spoken to on loopback", async () => {
    const server = await startScriptedServer();
    const repositories = await openTestRepositories();
    server.expect({ request, answer });

    const found = await repositories.inRegistry({ host: server.host, path }).fetchManifest("latest");

    expect(found).toBeDefined();
  });

  const url = "http://plain.example/v2/app/manifests/latest";

  it("is found out by its failing TLS if it is listed as insecure, and remembered", async () => {
    const { server, proxy, repository } = await startListed();
    server.expect({ request, answer }, { request, answer });

    await repository.fetchManifest("latest");
    await repository.fetchManifest("latest");

    expect(proxy.asked).toEqual(["CONNECT plain.example:443", `GET ${url}`, `GET ${url}`]);
  });

  it("is asked again over plain HTTP when its first answer was that it is busy", async () => {
    const { server, proxy, repository } = await startListed();
    server.expect({ request, answer: { status: 503 } }, { request, answer });

    const found = await repository.fetchManifest("latest");

    expect(found).toBeDefined();
    expect(proxy.asked).toEqual(["CONNECT plain.example:443", `GET ${url}`, `GET ${url}`]);
  });

  it("gets credentials over plain HTTP when its first answer was that it wants some", async () => {
    const auth = Buffer.from("user:password").toString("base64");
    const { server, proxy, repository } = await startListed({ auths: { "plain.example": { auth } } });
    const challenge = { status: 401, headers: { "www-authenticate": 'Basic realm="plain"' } };
    server.expect({ request, answer: challenge }, { request, headers: { authorization: `Basic ${auth}` }, answer });

    const found = await repository.fetchManifest("latest");

    expect(found).toBeDefined();
    expect(proxy.asked).toEqual(["CONNECT plain.example:443", `GET ${url}`, `GET ${url}`]);
  });

  /** A registry without TLS at a name that is not loopback's; a proxy leads there. */
  async function startListed(dockerConfig: object = {}) {
    const server = await startScriptedServer();
    const proxy = await startProxyServer({ destination: server.address });
    const environment = { HTTP_PROXY: proxy.origin, HTTPS_PROXY: proxy.origin };
    const insecureRegistries = ["plain.example"];
    const repositories = await openTestRepositories({ insecureRegistries, environment, dockerConfig });
    return { server, proxy, repository: repositories.inRegistry({ host: "plain.example", path }) };
  }
});

function failureOf(repository: Repository): Promise<unknown> {
  return repository.fetchManifest("latest").catch((error: unknown) => error);
}

/** Passes TLS on, and answers everything else with 400. Returns its `127.0.0.1:port`. */
async function startGoLikeFront(destination: string): Promise<string> {
  const [host = "", port = ""] = destination.split(":");
  const tlsHandshake = 0x16;
  const front = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (first: Buffer) => {
      if (first[0] !== tlsHandshake)
        return void socket.end("HTTP/1.0 400 Bad Request\r\n\r\nsent HTTP to an HTTPS server");
      socket.pause();
      const onward = connect(Number(port), host, () => {
        onward.write(first);
        socket.pipe(onward).pipe(socket);
      });
      onward.on("error", () => socket.destroy());
      onTestFinished(() => void onward.destroy());
    });
  }).listen(0, "127.0.0.1");
  await once(front, "listening");
  onTestFinished(() => void front.close());
  return `127.0.0.1:${(front.address() as AddressInfo).port}`;
}
