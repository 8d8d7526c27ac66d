// SPDX-License-Identifier: Apache-2.0
import type { LayerwiseError } from "../../error.ts";
import type { CallOptions } from "../../ports.ts";
import { formatRepository, type RepositoryName } from "../../spec/reference.ts";
import type { Authorizer } from "./auth.ts";
import type { HttpAnswer, HttpRequest, StreamedAnswer } from "./http-message.ts";
import { answerError } from "./protocol-error.ts";
import { deleteScope, pullScope, pushScope, type Scope } from "./scope.ts";
import type { Transport } from "./transport.ts";

/** A request to one repository: a path below `/v2/NAME/`, or a URL that the registry gave. */
export interface RepositoryRequest extends Omit<HttpRequest, "url" | "signal">, CallOptions {
  readonly target: string | URL;
  /** What is to be allowed besides reading this repository. */
  readonly access?:
    | {
        readonly write?: boolean | undefined;
        readonly remove?: boolean | undefined;
        readonly readAlso?: string | undefined;
      }
    | undefined;
}

/** Requests to one repository, authorized as its registry wants it. */
export interface Session {
  readonly repository: RepositoryName;
  /** `host/path`. */
  readonly name: string;
  readonly transport: Transport;
  /** Sends a request; a 401 is answered once with other credentials. */
  send(request: RepositoryRequest): Promise<HttpAnswer>;
  /** The same with content as a stream. */
  stream(request: RepositoryRequest): Promise<StreamedAnswer>;
  /** Where requests to the registry go, `https://host`. */
  origin(): string;
  /** The error for an answer that refuses a request. */
  errorOf(answer: HttpAnswer, request: Pick<RepositoryRequest, "action" | "access">): LayerwiseError;
}

/** What a session depends on. */
export interface SessionOptions {
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  readonly repository: RepositoryName;
  /** Whether tokens are asked for with the right to push from the start. */
  readonly writes: () => boolean;
  readonly secrets: ReadonlySet<string>;
}

/** Docker Hub's name in references is not the host of its registry. */
const apiHosts: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };

/** Makes a session; nothing is sent before the first request. */
export function createSession({ transport, authorizer, repository, writes, secrets }: SessionOptions): Session {
  const host = apiHosts[repository.host] ?? repository.host;
  const origin = () => transport.schemes.originOf(host);

  async function deliver<Answer extends HttpAnswer>(
    request: RepositoryRequest,
    send: (request: HttpRequest) => Promise<Answer>,
  ): Promise<Answer> {
    const { target, access, ...rest } = request;
    // Made anew for each request: the first answer tells whether the registry speaks TLS.
    const locate = () => (target instanceof URL ? target : new URL(`${origin()}/v2/${repository.path}/${target}`));
    const url = locate();
    // What the registry has put elsewhere carries its own authorization in the URL.
    if (url.origin !== new URL(origin()).origin) return send({ ...rest, url });
    const scopes = scopesOf(repository, { write: writes(), ...access });
    const sent = await authorizer.headerFor(scopes, rest);
    const answer = await send(authorized({ ...rest, url: locate() }, sent));
    // What another host wants, to which the registry has redirected, is not the registry's to ask.
    if (answer.status !== 401 || answer.url.host !== url.host) return answer;
    const renewed = await authorizer.renew({ answer, scopes, sent }, rest);
    return renewed === undefined ? answer : send(authorized({ ...rest, url: locate() }, renewed));
  }

  return {
    repository,
    name: formatRepository(repository),
    transport,
    origin,
    send: (request) => deliver(request, transport.send),
    stream: (request) => deliver(request, transport.stream),
    errorOf: (answer, { action, access }) =>
      answerError(answer, {
        action,
        repository,
        writes: access?.write === true,
        credentials: authorizer.credentials,
        secrets,
      }),
  };
}

function authorized(request: HttpRequest, authorization: string | undefined): HttpRequest {
  return authorization === undefined ? request : { ...request, headers: { ...request.headers, authorization } };
}

function scopesOf(
  { path }: RepositoryName,
  { write, remove, readAlso }: NonNullable<RepositoryRequest["access"]>,
): Scope[] {
  const own = remove === true ? deleteScope(path) : write === true ? pushScope(path) : pullScope(path);
  return readAlso === undefined ? [own] : [own, pullScope(readAlso)];
}
