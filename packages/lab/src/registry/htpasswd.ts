// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { installPackages } from "../debian/install-packages.ts";
import { LabError } from "../host/lab-error.ts";
import { run } from "../host/run.ts";
import type { Credentials } from "./http.ts";

const digits = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** Characters of a bcrypt salt; its last one carries two bits, and those of "." are fine. */
const saltLength = 21;

/**
 * A line for an htpasswd file in bcrypt, the only form that docker-registry takes.
 * https://distribution.github.io/distribution/about/configuration/#htpasswd
 */
export async function htpasswdLine({ user, password }: Credentials): Promise<string> {
  await installPackages(["perl"]);
  const salt = [...randomBytes(saltLength)].map((byte) => digits[byte & 63]).join("");
  // crypt(3) of Debian knows bcrypt, and perl's has it on every machine. Cost 4, since each request pays it.
  const script = "my ($salt, $word) = map { chomp; $_ } <STDIN>; print crypt($word, $salt)";
  const { stdout } = await run(["perl", "-e", script], { stdin: `$2b$04$${salt}.\n${password}\n` });
  if (!stdout.startsWith("$2b$")) throw new LabError("could not make a bcrypt line: crypt(3) of this machine lacks it");
  return `${user}:${stdout}\n`;
}
