// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import type { Entry, PlainEntry } from "../e2e/corpus-case.ts";

/** Archives that a build context always has. */
export const archivePaths = ["t.tar", "p.tgz"] as const;

const directories = ["d", "d/e", "x", "srv/data", "tmp", "new/n", "app/src"] as const;
const files = [
  "a",
  "d/f",
  "d/e/f",
  "l/f",
  "x/f",
  "new/n/f",
  "srv/data/seed",
  "bin/t",
  "opt/owned",
  "etc/group",
  "y/l",
] as const;
const links = ["l", "x/l", "d/l", "y/l", "opt/data", "h"] as const;
const targets = ["d", "/d", "../d", "a", "/etc/passwd", "nowhere", "../../x"] as const;
const modes = ["0644", "0755", "0600", "4755", "2755", "0000"] as const;
const folderModes = ["0755", "0700", "2775", "1777"] as const;

/** An archive of the build context, with entries that an engine may refuse. */
export function archiveEntry(): fc.Arbitrary<Entry> {
  return fc
    .record({
      path: fc.constantFrom(...archivePaths),
      entries: fc.array(member(), { maxLength: 6 }),
      gzip: fc.boolean(),
    })
    .map((rest) => ({ ...rest, type: "archive", names: "utf8" }));
}

function member(): fc.Arbitrary<PlainEntry> {
  const owner = fc.constantFrom({}, {}, {}, { uid: 5, gid: 6 }, { uid: 3_000_001, gid: 3_000_001 });
  const times = fc.constantFrom({}, {}, { mtime: 1_000_000_000 }, { mtime: 4_000_000_000 });
  const common = fc.tuple(owner, times).map(([one, other]) => ({ ...one, ...other, names: "utf8" as const }));
  const file = fc.record({
    type: fc.constant("file" as const),
    path: fc.constantFrom(...files),
    content: fc.constantFrom("", "1", "2\n", "long ".repeat(300)),
    mode: fc.constantFrom(...modes),
  });
  const directory = fc.record({
    type: fc.constant("directory" as const),
    path: fc.constantFrom(...directories, "."),
    mode: fc.constantFrom(...folderModes),
  });
  const symlink = fc.record({
    type: fc.constant("symlink" as const),
    path: fc.constantFrom(...links),
    target: fc.constantFrom(...targets),
  });
  const hardLink = fc.record({
    type: fc.constant("hardlink" as const),
    path: fc.constantFrom(...links),
    target: fc.constantFrom("a", "d/f", "x/f"),
  });
  const any = fc.oneof(
    { weight: 6, arbitrary: file },
    { weight: 4, arbitrary: directory },
    { weight: 2, arbitrary: symlink },
    { weight: 1, arbitrary: hardLink },
  );
  return fc.tuple(any, common).map(([entry, rest]) => ({ ...rest, ...entry }));
}

/** ADD of archives, alone or among files. */
export function adding(places: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const sources = fc.constantFrom("t.tar", "t.tar", "t.tar", "p.tgz", "p.tgz", "t.tar p.tgz", "a.txt t.tar", "*.t*");
  const flags = fc.constantFrom("", "", "", "", "", "", "--chown=1:2 ");
  return fc.tuple(flags, sources, places).map(([flag, from, to]) => `ADD ${flag}${from} ${to}`);
}
