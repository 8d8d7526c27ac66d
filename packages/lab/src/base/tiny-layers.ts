// SPDX-License-Identifier: Apache-2.0
import type { TarItem } from "../image/tar-writer.ts";

/** Tools of busybox that get a name of their own. */
const tools =
  "[ awk basename cat chgrp chmod chown cmp cp cut date dd df diff dirname du echo env expr false find getopt grep gunzip gzip head hostname id ln ls md5sum mkdir mkfifo mknod mktemp mv printf ps pwd readlink realpath rm rmdir sed seq sh sha256sum sleep sort stat sync tail tar tee test touch tr true umount uname uniq vi wc wget which whoami xargs yes".split(
    " ",
  );

/** One byte above what fits into seven octal digits, as owners from LDAP are. */
const largeOwner = 3_000_001;
/** CAP_NET_BIND_SERVICE, effective, in version 2. https://man7.org/linux/man-pages/man7/capabilities.7.html */
const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
const longName = `${"long-".repeat(30)}name`;

/**
 * The layers of the tiny base.
 *
 * @param busybox the program
 */
export function tinyLayers(busybox: Uint8Array): readonly (readonly TarItem[])[] {
  return [system(busybox), application, corrections, nothing];
}

const directory = (path: string, rest: Partial<TarItem> = {}): TarItem => ({
  path: `${path}/`,
  type: "directory",
  ...rest,
});
const file = (path: string, content: string, rest: Partial<TarItem> = {}): TarItem => ({
  path,
  type: "file",
  content,
  ...rest,
});
const symlink = (path: string, linkPath: string): TarItem => ({ path, type: "symlink", linkPath });
const hardLink = (path: string, linkPath: string, rest: Partial<TarItem> = {}): TarItem => ({
  path,
  type: "link",
  linkPath,
  ...rest,
});
const whiteout = (path: string): TarItem => ({ path, type: "file", content: "" });

/** A system with merged /usr. */
function system(busybox: Uint8Array): readonly TarItem[] {
  return [
    directory("."),
    directory("dev"),
    { path: "dev/null", type: "character", mode: 0o666, device: { major: 1, minor: 3 } },
    directory("etc"),
    file("etc/passwd", passwd),
    file("etc/group", group),
    file("etc/shadow", "root:*:19000:0:99999:7:::\n", { mode: 0o640, gid: 42 }),
    directory("home"),
    directory("home/app", { mode: 0o711, uid: 1000, gid: 1001 }),
    directory("proc"),
    directory("root", { mode: 0o700 }),
    directory("run"),
    directory("srv"),
    directory("srv/data", { mode: 0o2775, uid: 5, gid: 6 }),
    file("srv/data/seed", "seed\n", { uid: 5, gid: 6 }),
    directory("sys"),
    directory("tmp", { mode: 0o1777 }),
    directory("usr"),
    directory("usr/bin"),
    { path: "usr/bin/busybox", type: "file", content: busybox, mode: 0o755 },
    // A link into the same directory for the first, and hard links for the rest, as Debian's and Alpine's do.
    symlink("usr/bin/ash", "busybox"),
    ...tools.map((name) => hardLink(`usr/bin/${name}`, "usr/bin/busybox", { mode: 0o755 })),
    directory("usr/lib"),
    directory("usr/sbin"),
    symlink("bin", "usr/bin"),
    symlink("lib", "usr/lib"),
    symlink("sbin", "/usr/sbin"),
    directory("var"),
    symlink("var/run", "/run"),
    directory("var/tmp", { mode: 0o1777 }),
  ];
}

/** Files that later layers change, and names and attributes that are easily lost. */
const application: readonly TarItem[] = [
  directory("opt"),
  symlink("opt/data", "../srv/data"),
  symlink("opt/absolute", "/srv/data"),
  symlink("opt/dangling", "nowhere/at/all"),
  symlink("opt/loop", "loop"),
  // Nothing says what these directories are.
  file("opt/implied/deep/file", "implied\n"),
  directory("opt/hidden"),
  file("opt/hidden/one", "1\n"),
  directory("opt/hidden/two"),
  file("opt/hidden/two/three", "3\n"),
  file("opt/removed", "removed\n"),
  directory("opt/becomes-file"),
  file("opt/becomes-file/inner", "inner\n"),
  file("opt/becomes-directory", "file\n"),
  symlink("opt/becomes-real", "hidden"),
  file("opt/tool", "#!/bin/sh\necho tool\n", { mode: 0o4755, xattrs: { "security.capability": capability } }),
  { path: "opt/pipe", type: "fifo", mode: 0o600 },
  file("opt/owned", "owned\n", { uid: largeOwner, gid: largeOwner, mode: 0o640 }),
  file(`opt/${longName}`, "long\n"),
  symlink("opt/to-long", longName),
  file("opt/größe 尺寸", "names\n"),
  file("opt/white space", "names\n", { mtime: 1_000_000_000 }),
  file("opt/twin-a", "twins\n", { mode: 0o600, uid: 1000 }),
  hardLink("opt/twin-b", "opt/twin-a", { mode: 0o600, uid: 1000 }),
  hardLink("opt/twin-c", "opt/twin-a", { mode: 0o600, uid: 1000 }),
  directory("opt/tightened", { mode: 0o777 }),
  file("opt/tightened/kept", "kept\n"),
];

/** Changes of all kinds to the layers below. */
const corrections: readonly TarItem[] = [
  directory("opt"),
  whiteout("opt/.wh.removed"),
  directory("opt/hidden"),
  whiteout("opt/hidden/.wh..wh..opq"),
  file("opt/hidden/new", "new\n"),
  whiteout("opt/.wh.becomes-file"),
  file("opt/becomes-file", "now a file\n"),
  directory("opt/becomes-directory"),
  file("opt/becomes-directory/inner", "inner\n"),
  directory("opt/becomes-real"),
  file("opt/becomes-real/inner", "inner\n"),
  directory("opt/tightened", { mode: 0o500, uid: 1000, gid: 1001 }),
  // One of three names of a file is another file now; the two that are left come again, as after a change of mode.
  file("opt/twin-a", "single\n", { mode: 0o600, uid: 1000 }),
  file("opt/twin-b", "twins\n", { mode: 0o644, uid: 1000 }),
  hardLink("opt/twin-c", "opt/twin-b", { mode: 0o644, uid: 1000 }),
];

/** A layer without entries: what an instruction leaves that changed nothing. */
const nothing: readonly TarItem[] = [];

const passwd = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/:/bin/false
app:x:1000:1001:An application:/home/app:/bin/sh
12345:x:7:8:a name of digits:/:/bin/false
`;
const group = `root:x:0:
daemon:x:1:
shadow:x:42:
app:x:1001:app
staff:x:50:app,daemon
`;
