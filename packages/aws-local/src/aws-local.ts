// SPDX-License-Identifier: Apache-2.0
import { type ApiCall, createApiServer } from "./api-server.ts";
import { makeCertificates } from "./certificates.ts";
import { type BuildProject, createBuildService } from "./code-build.ts";
import type { Backing } from "./ecr/backing.ts";
import { createLayerDownloads, layerHost } from "./ecr/layer-downloads.ts";
import { createRegistryServer } from "./ecr/registry-server.ts";
import { emptyRegistry, type RegistryState } from "./ecr/registry-state.ts";
import { createTokens } from "./ecr/tokens.ts";
import { AwsLocalError } from "./error.ts";
import { listen, type Serve } from "./listener.ts";
import { type AccessKey, createPrincipals } from "./principal.ts";
import { type PolicyDocument, readPolicy } from "./rights/policy.ts";
import { readTrust } from "./rights/trust.ts";
import type { Buckets } from "./s3/object-store.ts";
import type { SecretStore } from "./secrets.ts";

/** What to start. */
export interface AwsLocalOptions {
  /** The registry that keeps images; over plain HTTP. */
  readonly registry: Backing;
  /** The account of the first user, twelve digits. */
  readonly account?: string | undefined;
  /** Regions that may be used; the first is the default. */
  readonly regions?: readonly string[] | undefined;
  /** The address to listen on; loopback by default. Name one that engines reach too, if one of them pulls or pushes. */
  readonly host?: string | undefined;
  /**
   * What `repositoryUri` and `proxyEndpoint` say: the names that registries of AWS have, which clients reach through
   * the proxy and over TLS, or the address itself, which they reach over plain HTTP.
   */
  readonly registryNames?: "aws" | "address" | undefined;
  /** Milliseconds since 1970, for all that ages: tokens, credentials, images. The time of day by default. */
  readonly clock?: (() => number) | undefined;
}

/** A request to a registry that was answered. */
export interface RegistryCall {
  readonly method: string;
  /** With the query, as the client sent it. */
  readonly path: string;
  /** The Host field. */
  readonly host: string;
  readonly status: number;
  /** Bytes of bodies. */
  readonly received: number;
  readonly sent: number;
}

/** What is known of a role besides its rights. */
export interface RoleOptions {
  /** The first account by default. */
  readonly account?: string | undefined;
  /** Its trust policy; without one, everybody may assume it. */
  readonly trust?: PolicyDocument | undefined;
}

/** A piece of AWS that runs here. */
export interface AwsLocal {
  /** For AWS_ENDPOINT_URL: all APIs, `http://address:port`. */
  readonly endpoint: string;
  readonly account: string;
  readonly region: string;
  /** The registry's name in references, without the repository. */
  registryHost(account?: string, region?: string): string;
  /** The registry at its address, with credentials of the first user: `address:port`, over plain HTTP. */
  readonly registryPlace: {
    readonly name: string;
    readonly address: string;
    readonly auth: { readonly user: string; readonly password: string };
  };
  /** PEM file of the authority that registries' certificates come from. */
  readonly caFile: string;
  /** A user's key, by default of the first account. */
  addUser(name: string, account?: string): AccessKey;
  /**
   * A role that may do what these policies allow, and nothing else; gives credentials of a session. Roles that are not
   * added may do everything.
   */
  addRole(name: string, policies: readonly PolicyDocument[], options?: RoleOptions): AccessKey;
  /**
   * What a client's environment needs: endpoint, Region, credentials, and the way to the registries' names. Nothing of
   * the machine's own AWS settings is used.
   */
  environment(key?: AccessKey): Readonly<Record<string, string>>;
  readonly secrets: SecretStore["secrets"];
  readonly parameters: SecretStore["parameters"];
  readonly buckets: Buckets;
  addProject(project: BuildProject): void;
  /** What a build has written so far. */
  buildLog(id: string): string;
  /** Calls of APIs, in the order of their answers. */
  readonly calls: ApiCall[];
  /** Requests to registries, in the order of their answers. */
  readonly registryCalls: RegistryCall[];
  close(): Promise<void>;
}

/** Starts the stand-in; nothing is kept when it is closed. */
export async function startAwsLocal(options: AwsLocalOptions): Promise<AwsLocal> {
  const { account = "111122223333", regions = ["eu-central-1", "us-east-1"], host = "127.0.0.1" } = options;
  const { registryNames = "aws", clock = Date.now } = options;
  const [region] = regions;
  if (region === undefined) throw new AwsLocalError("could not start without a Region");
  const principals = createPrincipals();
  const tokens = createTokens(clock);
  const states = new Map<string, RegistryState>();
  const stateOf = (owner: string, place: string) => {
    const key = `${owner}/${place}`;
    const state = states.get(key) ?? emptyRegistry(owner, place);
    states.set(key, state);
    return state;
  };
  const calls: ApiCall[] = [];
  const registryCalls: RegistryCall[] = [];
  const store: SecretStore = { secrets: new Map(), parameters: new Map() };
  const buckets: Buckets = new Map();
  const builds = createBuildService(clock);
  const registryHost = (owner = account, place = region) =>
    registryNames === "aws" ? `${owner}.dkr.ecr.${place}.amazonaws.com` : listener.name;
  const api = createApiServer(
    {
      principals,
      regions: [...regions, "us-east-1"],
      ecr: { backing: options.registry, stateOf, tokens, hostOf: registryHost, clock },
      s3: { buckets, uploads: new Map(), clock },
      store,
      builds,
      clock,
    },
    (call) => void calls.push(call),
  );
  const downloads = createLayerDownloads(options.registry, clock);
  const downloadHosts = regions.map(layerHost);
  const registry = counted(
    createRegistryServer({
      backing: options.registry,
      tokens,
      clock,
      downloadUrl: downloads.urlOf,
      stateOf: (name) => {
        const [owner, place] = placeOf(name) ?? [account, region];
        return stateOf(owner, place);
      },
    }),
    registryCalls,
  );
  const layers = counted(downloads.serve, registryCalls);
  const names = [...regions.map((one) => `*.dkr.ecr.${one}.amazonaws.com`), ...downloadHosts];
  const certificates = await makeCertificates(names);
  const listener = await listen({
    host,
    certificates,
    serveTls: async (request, response) =>
      await (downloadHosts.includes(request.headers.host ?? "") ? layers : registry)(request, response),
    serve: async (request, response) => {
      const isRegistry = /^\/v2(?:\/|$)/.test(request.url ?? "");
      await (isRegistry ? registry : api)(request, response);
    },
    leads: (destination) => {
      const name = destination.replace(/:443$/, "");
      return placeOf(name) !== undefined || downloadHosts.includes(name);
    },
  }).catch(async (error: unknown) => {
    await certificates.remove();
    throw error;
  });
  const user = principals.addUser(account, "local");
  const first = user.key;
  const endpoint = `http://${listener.name}`;
  return {
    endpoint,
    account,
    region,
    registryHost,
    get registryPlace() {
      return {
        name: listener.name,
        address: host,
        auth: { user: "AWS", password: tokens.issue(region, user).password },
      };
    },
    caFile: certificates.caFile,
    addUser: (name, owner = account) => principals.addUser(owner, name).key,
    addRole: (role, policies, { account: owner = account, trust } = {}) => {
      const known = { policy: readPolicy(policies), trust: trust === undefined ? undefined : readTrust(trust) };
      principals.addRole(`arn:aws:iam::${owner}:role/${role}`, known);
      return principals.assume({ account: owner, role, session: "local", expires: Number.POSITIVE_INFINITY }).key;
    },
    environment: (key = first) => ({
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      ...(key.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: key.sessionToken }),
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      ...(registryNames === "aws"
        ? { HTTPS_PROXY: endpoint, SSL_CERT_FILE: certificates.caFile, NODE_EXTRA_CA_CERTS: certificates.caFile }
        : {}),
    }),
    ...store,
    buckets,
    addProject: (project) => void builds.projects.set(project.name, project),
    buildLog: (id) => builds.builds.get(id)?.log ?? "",
    calls,
    registryCalls,
    async close() {
      for (const { stop } of builds.builds.values()) stop.abort();
      await Promise.all([...builds.builds.values()].map(({ ended }) => ended));
      await listener.close();
      await certificates.remove();
    },
  };
}

/** The account and the Region of a registry's name. */
function placeOf(name: string): readonly [account: string, region: string] | undefined {
  const [, account, region] = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com$/.exec(name) ?? [];
  return account === undefined || region === undefined ? undefined : [account, region];
}

/** Notes requests, with the bytes of their bodies. */
function counted(serve: Serve, log: RegistryCall[]): Serve {
  return async (request, response) => {
    const { method = "GET", url: path = "/", headers, socket } = request;
    const before = socket.bytesRead;
    let sent = 0;
    const write = response.write.bind(response);
    response.write = ((chunk: Uint8Array, ...rest: []) => {
      sent += chunk.length;
      return write(chunk, ...rest);
    }) as typeof response.write;
    const end = response.end.bind(response);
    response.end = ((chunk?: Uint8Array, ...rest: []) => {
      sent += chunk?.length ?? 0;
      return end(chunk, ...rest);
    }) as typeof response.end;
    await serve(request, response);
    // Without a length, the chunks' frames are counted too.
    const received = Number(
      headers["content-length"] ?? (headers["transfer-encoding"] === undefined ? 0 : socket.bytesRead - before),
    );
    log.push({ method, path, host: headers.host ?? "", status: response.statusCode, received, sent });
  };
}
