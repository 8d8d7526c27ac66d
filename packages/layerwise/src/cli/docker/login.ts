// SPDX-License-Identifier: Apache-2.0
import { LayerwiseError } from "../../error.ts";
import { eraseCredentials, saveCredentials, serverHost } from "../../wire.ts";
import { readFlags } from "./flags.ts";
import type { StandIn } from "./stand-in.ts";

/** `docker login`: keeps a password where docker keeps it. Whether it is right shows when a registry is asked. */
export async function login({ line, around }: StandIn): Promise<number> {
  const { values, positionals } = readFlags("login", line.args, {
    username: { type: "string", short: "u" },
    password: { type: "string", short: "p" },
    "password-stdin": { type: "boolean" },
  });
  const { username } = values;
  const password = values["password-stdin"] === true ? await readPassword(around.stdin) : values.password;
  if (username === undefined || username === "" || password === undefined || password === "") {
    throw new LayerwiseError("USAGE", "could not log in: a user name and a password are needed", {
      hint: "give --username NAME --password-stdin, and the password on stdin",
    });
  }
  const place = { environment: around.env, host: serverHost(positionals[0]), signal: around.signal };
  const kept = await saveCredentials({ username, password }, place);
  around.stdout.write(`Login Succeeded\n`);
  around.stderr.write(`the credentials of ${place.host} are kept in ${kept}\n`);
  return 0;
}

/** `docker logout`. */
export async function logout({ line, around }: StandIn): Promise<number> {
  const { positionals } = readFlags("logout", line.args, {});
  const host = serverHost(positionals[0]);
  const wasKept = await eraseCredentials({ environment: around.env, host, signal: around.signal });
  around.stdout.write(wasKept ? `Removing login credentials for ${host}\n` : `Not logged in to ${host}\n`);
  return 0;
}

/** One line end is the shell's, and no part of the password. */
async function readPassword(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of stdin) parts.push(Uint8Array.from(chunk));
  return Buffer.concat(parts)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}
