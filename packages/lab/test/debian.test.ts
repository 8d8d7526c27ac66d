// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { debianMirror, mirrorOf, parseDeb822Sources, parseOneLineSources } from "../src/debian/debian-mirror.ts";
import { isDebianRoot } from "../src/index.ts";
import { startProgram } from "./program.ts";

const deb822 = `# A comment
Types: deb
# another one
URIs: https://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: https://mirror.example/debian-security
Suites: bookworm-security
Components: main contrib

Enabled: no
Types: deb
URIs: https://disabled.example/debian
Suites: bookworm
Components: main
`;

it("reads sources in deb822 style, with continued lines and without disabled ones", () => {
  const sources = parseDeb822Sources(deb822);

  expect(sources).toEqual([
    { uri: "https://mirror.example/debian", suites: ["bookworm", "bookworm-updates"], components: ["main"] },
    {
      uri: "https://mirror.example/debian-security",
      suites: ["bookworm-security"],
      components: ["main", "contrib"],
    },
  ]);
});

it("reads sources in one-line style", () => {
  const sources = parseOneLineSources(
    "# deb https://old.example/debian bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] https://mirror.example/debian bookworm main contrib # why\ndeb-src https://mirror.example/debian bookworm main\n",
  );

  expect(sources).toEqual([
    { uri: "https://mirror.example/debian", suites: ["bookworm"], components: ["main", "contrib"] },
  ]);
});

it.each([
  [
    "the one named debian among others",
    ["https://a.example/php bookworm main", "https://b.example/debian/ bookworm main"],
    "https://b.example/debian/",
  ],
  [
    "a frozen one",
    ["https://s.example/archive/debian/20250520T000000Z bookworm main"],
    "https://s.example/archive/debian/20250520T000000Z",
  ],
  ["one with a name of its own", ["https://intern.example/mirror bookworm main"], "https://intern.example/mirror"],
  ["one that says stable", ["https://b.example/debian stable main"], "https://b.example/debian"],
  ["none of another component", ["https://c.example/linux/debian bookworm stable"], undefined],
  ["none of another suite", ["https://c.example/debian-security bookworm-security main"], undefined],
])("chooses a mirror: %s", (_, lines, expected) => {
  const sources = parseOneLineSources(lines.map((line) => `deb ${line}\n`).join(""));

  expect(mirrorOf(sources, "bookworm")).toBe(expected);
});

it("finds the mirror of this machine", async () => {
  expect(await debianMirror()).toMatch(/^\S+:\S+/);
});

it("runs as root on Debian, which these tests need", async () => {
  expect(await isDebianRoot()).toBe(true);
});

it("says in one sentence what to install where it may not do so itself", async () => {
  const home = await mkdtemp(join(tmpdir(), "layerwise-lab-nobody-"));
  await chmod(home, 0o777);

  const program = await startProgram("install-nothing", {
    env: { LAYERWISE_LAB: join(home, "lab") },
    through: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
  });

  expect(await program.line()).toBe(
    "the laboratory needs no-such-package-one: install them, or run it as root on Debian",
  );
  await program.ended;
  await rm(home, { recursive: true });
});
