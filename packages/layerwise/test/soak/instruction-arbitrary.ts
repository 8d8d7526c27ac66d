// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import type { Generation } from "../../../lab/src/index.ts";
import { adding } from "./archive-arbitrary.ts";

/** An instruction; its own number stands for `#`, an earlier stage or an image for `@`. */
export function instruction(generation: Generation): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 12, arbitrary: copying(generation) },
    { weight: 3, arbitrary: adding(fc.constantFrom(...folders, ...names)) },
    { weight: 5, arbitrary: workdir() },
    { weight: 5, arbitrary: setting() },
    { weight: 2, arbitrary: config() },
    { weight: 1, arbitrary: command() },
    { weight: 1, arbitrary: fromElsewhere() },
    ...(generation === 20 ? [] : [{ weight: 2, arbitrary: newer() }]),
  );
}

const sources = [
  "a.txt",
  "a.txt",
  "src",
  "src",
  "src/",
  ".",
  "./",
  "./src/a",
  "src/a",
  "conf/app.conf",
  "conf",
  "*.txt",
  "s*",
  "src/*",
  "src/[a-b]*",
  "*/a",
  "*/*",
  "?.txt",
  "a.txt src/a",
  "src conf",
  "a.txt src",
  "src/a conf/app.conf a.txt",
  "/src/../a.txt",
  "conf/a*",
  "${S:-src}",
  "${S:-src}/a",
  "src/d",
  "mod",
  "weird",
] as const;

/** What may be there or not. */
const rareSources = ["l1", "empty", "deep", "b.txt", "x*", "src/l2", "conf/*.conf", "none"] as const;

const folders = [
  "/x/",
  "/x/",
  "/x/d/",
  "/y/",
  "/app/",
  "/app/src/",
  "/new#/a/b/",
  "./",
  "sub/",
  "../up/",
  "/",
  "/opt/data/",
  "/opt/absolute/",
  "/opt/hidden/",
  "/opt/becomes-real/",
  "/opt/tightened/",
  "/srv/data/",
  "/srv/data/in#/",
  "/tmp/",
  "/home/app/in/",
  "/var/run/",
  "/bin/",
  "/usr/sbin/",
  "/etc/",
  "$D/",
  "/w/./n/",
] as const;

/** Where a file may lie; most are files already. */
const fileNames = ["/etc/passwd", "/etc/group", "/opt/owned", "/opt/twin-b", "/app/src/a", "/x/f", "a.txt"] as const;

const names = [
  "/x",
  "/x/d",
  "/y",
  "/app",
  "/app/src",
  "/new#",
  "/new#/n",
  ".",
  "sub",
  "/opt/data",
  "/opt/data/n#",
  "/bin/n#",
  "/lib/n",
  "/var/run/n",
  "/tmp/n#",
  "${D}/n",
  "/home/app",
] as const;

/** What often cannot be, or is left to the engine. */
const conflicts = [
  "/opt/loop",
  "/opt/pipe",
  "/opt/removed",
  "/opt/becomes-file",
  "/opt/to-long",
  "/opt/tool",
  "/opt/implied/",
  "/opt/implied",
  "/opt/dangling",
  "/opt/dangling/",
  "/x/l",
  "/x/f",
  "/x/l/",
  "/x/f/",
  "/y/l",
  "/y/l/in/",
] as const;

const owners = [
  "1:2",
  "app",
  "app:staff",
  "1000",
  "12345",
  "0:50",
  "root",
  "3000001",
  ":6",
  "${U:-5}",
  "nobody",
] as const;
const modes = [
  ...["755", "755", "0644", "0755", "700", "0", "777", "640", "1777", "4755", "2755"],
  ...["u=rwX,go=rX", "u=rw,go=r", "go-w", "+x", "a+r", "a+rX,u+w", "g=o"],
] as const;

const excluded = [
  ...["*.log", "a", "src", "src/a", "**/a", "d", "d/*", "*", "**", "conf/", "/a", "./src/../conf", "?.txt", "[a-c]*"],
  ...["l*", "deep", "empty", "**/d/**", "sub", "!a", "$S"],
] as const;

function copying(generation: Generation): fc.Arbitrary<string> {
  const source = fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...sources) },
    { weight: 1, arbitrary: fc.constantFrom(...rareSources) },
  );
  const file = fc.constantFrom("a.txt", "src/a", "conf/app.conf", "src/d/c");
  const single = fc.constantFrom("a.txt", "src/a", "conf/app.conf", "src", "conf", "mod", ".");
  const words = fc.oneof(
    { weight: 12, arbitrary: fc.tuple(source, fc.constantFrom(...folders)) },
    { weight: 5, arbitrary: fc.tuple(single, fc.constantFrom(...names)) },
    { weight: 2, arbitrary: fc.tuple(file, fc.constantFrom(...fileNames)) },
    { weight: 1, arbitrary: fc.tuple(fc.oneof(source, single), fc.constantFrom(...conflicts)) },
  );
  const ordinary = fc
    .tuple(fc.constantFrom("COPY", "COPY", "COPY", "ADD"), flags(generation), words)
    .map(([word, flag, [from, to]]) => `${word} ${flag}${from} ${to}`);
  const listed = fc.constantFrom(
    'COPY ["a.txt", "src/a", "/with space/"]',
    'COPY ["x y", "/x y"]',
    "COPY weird/a\\*b /x/",
    'ADD ["src", "/white space/"]',
    "COPY [[]x] /x/",
    "COPY . ./.",
    "ADD ./ /x/d/.",
    "COPY src /x/.",
    "COPY a.txt /app/.",
  );
  return fc.oneof({ weight: 15, arbitrary: ordinary }, { weight: 1, arbitrary: listed });
}

function flags(generation: Generation): fc.Arbitrary<string> {
  const excludes = fc
    .tuple(fc.array(fc.constantFrom(...excluded), { minLength: 1, maxLength: 2 }), owned())
    .map(([patterns, flag]) => `${flag}${patterns.map((pattern) => `--exclude=${pattern} `).join("")}`);
  const newest = [
    { weight: 1, arbitrary: fc.constant("--link ") },
    { weight: 2, arbitrary: excludes },
  ];
  return fc.oneof({ weight: 20, arbitrary: owned() }, ...(generation === 28 ? newest : []));
}

function owned(): fc.Arbitrary<string> {
  const chown = fc.constantFrom(...owners).map((owner) => `--chown=${owner} `);
  const chmod = fc.constantFrom(...modes).map((mode) => `--chmod=${mode} `);
  return fc.oneof(
    { weight: 12, arbitrary: fc.constant("") },
    { weight: 5, arbitrary: chown },
    { weight: 2, arbitrary: chmod },
    { weight: 1, arbitrary: fc.tuple(chown, chmod).map(([one, other]) => `${one}${other}`) },
  );
}

function workdir(): fc.Arbitrary<string> {
  return fc
    .oneof(
      fc.constantFrom(...folders.map((path) => path.replace(/(?<=.)\/$/, ""))),
      fc.constantFrom("/w#", "rel", "../..", "/srv/data/w#", "/tmp/w", "$D", "/x", "/app"),
      fc.constantFrom("/x/n#", "/home/app/w", "/opt/data", "/var/run/w", "/y/l/w"),
    )
    .map((path) => `WORKDIR ${path}`);
}

const variable = fc.constantFrom("A", "A", "B", "B", "S", "D", "U");
const values: Readonly<Record<string, readonly string[]>> = {
  A: ["1", "x y", ""],
  B: ["$A", "${A:-none}", "b"],
  S: ["src", "./src"],
  D: ["/x/d", "/opt/data", "/d#", "rel/d"],
  U: ["5", "app", "7:8"],
};

/** A value that a variable may have. */
export function variableValue(name: string): fc.Arbitrary<string> {
  return fc.constantFrom(...(values[name] as readonly [string, ...string[]]));
}

function setting(): fc.Arbitrary<string> {
  const assigned = variable.chain((name) => variableValue(name).map((value) => `${name}="${value}"`));
  return fc.oneof(
    assigned.map((one) => `ENV ${one}`),
    fc.tuple(assigned, assigned).map(([one, other]) => `ENV ${one} ${other}`),
    assigned.map((one) => `ARG ${one}`),
    variable.map((one) => `ARG ${one}`),
    fc.constantFrom("USER app", "USER 1", "USER 1000:50", "USER root", "USER 12345", "USER ${U:-5}", "USER nobody"),
  );
}

function config(): fc.Arbitrary<string> {
  return fc.constantFrom(
    "LABEL a=$A b=two",
    'CMD ["x"]',
    "CMD x $A",
    'ENTRYPOINT ["/e"]',
    "ENTRYPOINT e",
    "EXPOSE 80 443/udp",
    "VOLUME /x /vol",
    'SHELL ["/bin/sh", "-ec"]',
    "STOPSIGNAL SIGINT",
    "HEALTHCHECK --interval=5s CMD true",
    "HEALTHCHECK NONE",
    "ONBUILD COPY a.txt /b",
    "MAINTAINER m",
  );
}

/** What runs must give the same every time, and must not fail. */
function command(): fc.Arbitrary<string> {
  return fc.constantFrom(
    "RUN echo $A$B > /tmp/r#",
    'RUN ["/bin/sh", "-c", "echo exec > /tmp/r#"]',
    "RUN true",
    "RUN mkdir -m 2750 -p /x/d && echo 1 > /x/d/r# || true",
    "RUN rm -rf /x /opt/hidden && ln -s /srv/data /x || true",
    "RUN chmod 1777 /opt && chown 5:6 /opt || true",
    "RUN rm -rf /opt/becomes-real /y; mkdir -p /opt/becomes-real; ln -s ../x /y || true",
    "RUN mv /opt/owned /opt/moved# || true",
    "RUN echo 'more:x:60:61::/:/bin/sh' >> /etc/passwd || true",
    "RUN --mount=type=bind,source=src,target=/mnt cat /mnt/a > /tmp/r# || true",
    "RUN --mount=type=bind,target=/mnt ls /mnt > /tmp/r# || true",
  );
}

function fromElsewhere(): fc.Arbitrary<string> {
  return fc.constantFrom(
    "COPY --from=@ /etc/passwd /f#",
    "COPY --from=@ /opt/hidden /f#/",
    "COPY --from=@ /srv /x/",
    "COPY --from=@ --chown=4:5 /etc/group /opt/data/",
  );
}

/** What the front end of the oldest engine does not know. */
function newer(): fc.Arbitrary<string> {
  const rest = fc.constantFrom("RUN <<END\necho $A > /tmp/r#\nEND", "ENV A=${A:+set} B=${B#b}");
  return fc.oneof(
    { weight: 4, arbitrary: hereDocuments() },
    { weight: 4, arbitrary: fromNamed() },
    { weight: 1, arbitrary: rest },
  );
}

/** `named` is a part of the build context by a name. */
function fromNamed(): fc.Arbitrary<string> {
  return fc.constantFrom(
    "COPY --from=named . /x/",
    "COPY --from=named a /opt/data/",
    "COPY --from=named d* /new#/",
    "COPY --from=named --chown=app:6 a d/c /app/",
    "RUN --mount=from=named,target=/mnt ls /mnt > /tmp/r# || true",
    "RUN --mount=from=named,source=d,target=/mnt cat /mnt/c > /tmp/r# || true",
  );
}

function hereDocuments(): fc.Arbitrary<string> {
  const heading = fc.constantFrom("<<F", "<<'F'", "<<-F", "<<f.txt", "<<a", '<<"b*"', "<<.f", "<<d/e");
  const line = fc.constantFrom(
    "text",
    "",
    "$A",
    "${B:-none}",
    "\\$A \\\\",
    "\t\tx",
    "'$A' \"$B\"",
    "# no",
    "${A/x/y}",
    " F",
  );
  const document = fc.tuple(heading, fc.array(line, { maxLength: 3 })).map(([start, lines]) => {
    const name = start.replace(/<<-?|['"]/g, "");
    return { start, body: [...lines, name].map((text) => `\n${text}`).join("") };
  });
  const to = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...folders) },
    { weight: 4, arbitrary: fc.constantFrom(...names, ...fileNames) },
    { weight: 1, arbitrary: fc.constantFrom(...conflicts) },
  );
  const file = fc.constantFrom("", "", "", " a.txt", " src/a", " src");
  return fc
    .tuple(
      fc.constantFrom("COPY", "COPY", "ADD"),
      owned(),
      fc.array(document, { minLength: 1, maxLength: 2 }),
      file,
      to,
    )
    .map(([word, flag, documents, source, destination]) => {
      const starts = documents.map(({ start }) => start).join(" ");
      const where =
        documents.length + source.length > 1 && !destination.endsWith("/") ? `${destination}/` : destination;
      return `${word} ${flag}${starts}${source} ${where}${documents.map(({ body }) => body).join("")}`;
    });
}
