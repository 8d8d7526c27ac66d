// SPDX-License-Identifier: Apache-2.0

/*
 * Parts of undici 7.30 that are loaded one by one: the whole package takes three times as long to load. The package
 * has no export map and no declarations for single files; its version is pinned.
 */

declare module "undici/lib/dispatcher/agent.js" {
  import { Agent } from "undici";
  export = Agent;
}

declare module "undici/lib/dispatcher/proxy-agent.js" {
  import { ProxyAgent } from "undici";
  export = ProxyAgent;
}

declare module "undici/lib/api/api-request.js" {
  import type { Dispatcher } from "undici";

  function request(
    this: Dispatcher,
    options: Dispatcher.RequestOptions & { origin: string },
  ): Promise<Dispatcher.ResponseData>;
  export = request;
}

declare module "undici/lib/api/api-connect.js" {
  import { connect } from "undici";
  export = connect;
}

declare module "undici/lib/dispatcher/dispatcher.js" {
  import { Dispatcher } from "undici";
  export = Dispatcher;
}
