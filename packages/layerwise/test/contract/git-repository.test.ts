// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { ContextTree, RevisionContext, Revisions } from "../../src/ports.ts";
import { digestOf } from "../../src/spec/digest.ts";
import { decodeFileName } from "../../src/spec/file-name.ts";
import { openContextDirectory } from "../../src/system/context-directory.ts";
import { entriesIn } from "../../src/system/context-tree.ts";
import { openGitRepository } from "../../src/system/git/git-repository.ts";
import { type GitHistory, startGitHistory } from "../git-history.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function history(...flags: string[]): GitHistory {
  const made = startGitHistory(...flags);
  cleanups.push(made.remove);
  return made;
}

async function open(directory: string, env: Readonly<Record<string, string>> = {}): Promise<Revisions> {
  const revisions = await openGitRepository({ directory, env: { ...process.env, ...env } });
  cleanups.push(async () => await revisions.close());
  return revisions;
}

async function contextOf(revisions: Revisions, revision: string, directory = ""): Promise<RevisionContext> {
  const commit = await revisions.commit(revision);
  const context = await revisions.context(commit, { directory, hasGitDirectory: false });
  if (context === undefined) throw new Error(`no ${directory} in ${revision}`);
  return context;
}

const everything = () => false;

function pathsIn(tree: ContextTree): string[] {
  return [...entriesIn(tree)].map(({ path }) => path);
}

/** What counts of a listing, with the digests of its files. */
async function described(context: RevisionContext | ReturnType<typeof openContextDirectory>): Promise<unknown> {
  const tree: ContextTree = await context.list((path) => path === ".git");
  const entries = [...entriesIn(tree)].filter(({ path }) => path !== ".git");
  const files = entries.filter(({ kind }) => kind === "file");
  const digests = await context.digests(files);
  const digestAt = new Map(files.map(({ path }, index) => [path, digests[index]]));
  return entries.map(({ path, kind, mode, size, target }) => ({
    path,
    kind,
    // A test's own umask says what the top has.
    mode: path === "" ? 0 : mode,
    size,
    target,
    digest: digestAt.get(path),
  }));
}

describe("a context from git objects", () => {
  it("is what a checkout of the commit holds, in the same order", async () => {
    const made = history();
    made.commit({
      Dockerfile: "FROM scratch\n",
      "a.b/in": "1",
      "a/in": "2",
      a0: "3",
      "bin/run": { text: "#!/bin/sh\n", isExecutable: true },
      link: { target: "a/in" },
      "größe/ü": "4",
      empty: "",
      large: Buffer.alloc(3_000_000, 7),
    });
    made.git("config", "core.sharedRepository", "umask");

    const context = await contextOf(await open(made.path), "main");

    expect(await described(context)).toEqual(await described(openContextDirectory(made.path)));
    expect(context.notes()).toEqual([]);
  });

  it("has each commit's own files, whatever the working tree holds", async () => {
    const made = history();
    const first = made.commit({ file: "one", gone: "1" });
    made.commit({ file: "two", gone: undefined });
    writeFileSync(join(made.path, "file"), "not committed");
    const revisions = await open(made.path);

    const texts = await Promise.all(
      [first, "HEAD"].map(async (revision) => {
        const context = await contextOf(revisions, revision);
        const tree = await context.list(everything);
        const [digest] = await context.digests([tree.get("file") as NonNullable<ReturnType<typeof tree.get>>]);
        return [await context.text("file"), digest, pathsIn(tree).join(" ")];
      }),
    );

    expect(texts).toEqual([
      ["one", digestOf("one"), " file gone"],
      ["two", digestOf("two"), " file"],
    ]);
  });

  it("has the bytes of files, large ones too", async () => {
    const made = history();
    const large = Buffer.from(Array.from({ length: 2_500_000 }, (_, index) => index % 251));
    made.commit({ small: "text", large });
    const context = await contextOf(await open(made.path), "main");
    const tree = await context.list(everything);

    const read = async (path: string) => {
      const parts: Buffer[] = [];
      for await (const chunk of context.open(tree.get(path) as never)) parts.push(Buffer.from(chunk));
      return Buffer.concat(parts);
    };

    expect((await read("small")).toString()).toBe("text");
    expect((await read("large")).equals(large)).toBe(true);
  });

  it("keeps names that are no UTF-8 apart", async () => {
    const made = history();
    writeFileSync(Buffer.concat([Buffer.from(`${made.path}/n`), Buffer.from([0xff])]), "1");
    writeFileSync(Buffer.concat([Buffer.from(`${made.path}/n`), Buffer.from([0xfe])]), "2");
    made.commit({});
    const context = await contextOf(await open(made.path), "main");

    const names = pathsIn(await context.list(everything));

    const odd = [0xfe, 0xff].map((byte) => decodeFileName(Buffer.from([0x6e, byte])));
    expect(names).toEqual(["", ...odd]);
  });

  it("leaves out what is below a skipped directory, and says so", async () => {
    const made = history();
    made.commit({ "skip/in": "1", "take/in": "2" });
    const context = await contextOf(await open(made.path), "main");

    const tree = await context.list((path) => path === "skip");

    expect(pathsIn(tree)).toEqual(["", "skip", "take", "take/in"]);
    expect(tree.get("skip")?.listing).toBe("skipped");
  });

  it("has one file for the repository itself at the top, another one after each commit", async () => {
    const made = history();
    made.commit({ "-first": "", file: "1" });
    made.commit({});
    const revisions = await open(made.path);

    const heads = await Promise.all(
      ["HEAD~1", "HEAD"].map(async (revision) => {
        const commit = await revisions.commit(revision);
        const context = await revisions.context(commit, { directory: "" });
        const tree = await context?.list(everything);
        return {
          names: tree === undefined ? [] : pathsIn(tree),
          notes: context?.notes(),
          digest: await context?.digests([tree?.get(".git/HEAD") as never]),
        };
      }),
    );

    expect(heads[0]?.names).toEqual(["", "-first", ".git", ".git/HEAD", "file"]);
    expect(heads[0]?.digest).not.toEqual(heads[1]?.digest);
    expect(heads[0]?.notes?.map(({ kind }) => kind)).toEqual(["git-directory"]);
  });

  it("counts the commit of a submodule, the content behind a pointer of LFS, and says what is converted", async () => {
    const made = history();
    const other = history();
    const inner = other.commit({ file: "1" });
    const hex = "ab".repeat(32);
    made.commit({
      ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n*.bat eol=crlf\n",
      "model.bin": `version https://git-lfs.github.com/spec/v1\noid sha256:${hex}\nsize 123456\n`,
    });
    made.git("update-index", "--add", "--cacheinfo", `160000,${inner},vendor/lib`);
    made.git("commit", "--quiet", "--message", "a submodule");
    const context = await contextOf(await open(made.path), "main");

    const tree = await context.list(everything);
    const [digest] = await context.digests([tree.get("model.bin") as never]);

    expect(digest).toBe(`sha256:${hex}`);
    expect(pathsIn(tree)).toEqual([
      "",
      ".gitattributes",
      "model.bin",
      "vendor",
      "vendor/lib",
      "vendor/lib/(submodule)",
    ]);
    expect(context.notes()).toEqual([
      { kind: "conversion", path: ".gitattributes", detail: "eol=crlf" },
      { kind: "submodule", path: "vendor/lib", detail: inner },
      { kind: "lfs", path: "model.bin", detail: `sha256:${hex}` },
    ]);
  });

  it("reads a Dockerfile through links inside the repository, and none that leads out", async () => {
    const made = history();
    made.commit({
      "docker/Dockerfile": "FROM scratch\n",
      Dockerfile: { target: "docker/Dockerfile" },
      out: { target: "../x" },
    });
    const revisions = await open(made.path);
    const commit = await revisions.commit("main");

    expect(await revisions.text(commit, "Dockerfile")).toBe("FROM scratch\n");
    expect(await revisions.text(commit, "out")).toBeUndefined();
    expect(await revisions.text(commit, "docker/../Dockerfile")).toBe("FROM scratch\n");
    expect(await revisions.text(commit, "docker")).toBeUndefined();
  });

  it("reads a repository whose objects have names of SHA-256", async () => {
    const made = history("--object-format=sha256");
    made.commit({ "a/b": "text" });
    const context = await contextOf(await open(made.path), "main", "a");

    const tree = await context.list(everything);

    expect(await context.digests([tree.get("b") as never])).toEqual([digestOf("text")]);
  });
});

describe("commits", () => {
  it("come newest first along first parents, and say why there are no older ones", async () => {
    const made = history();
    const first = made.commit({ a: "1" }, "first");
    made.git("checkout", "--quiet", "-b", "side");
    made.commit({ b: "1" }, "on the side");
    made.git("checkout", "--quiet", "main");
    made.commit({ a: "2" }, "second");
    made.git("merge", "--quiet", "--no-ff", "--message", "merge side", "side");
    const revisions = await open(made.path);

    const all = await revisions.history(await revisions.commit("main"), { limit: 10 });
    const some = await revisions.history(await revisions.commit("main"), { limit: 2 });

    expect(all.commits.map(({ subject }) => subject)).toEqual(["merge side", "second", "first"]);
    expect(all.commits.at(-1)).toMatchObject({ id: first, parents: [], time: Date.UTC(2026, 0, 1, 1) / 1000 });
    expect([all.end, some.end, some.commits.length]).toEqual(["root", "limit", 2]);
  });

  it("of a shallow clone end where it ends", async () => {
    const made = history();
    for (const text of ["1", "2", "3", "4"]) made.commit({ file: text });
    const clone = mkdtempSync(join(tmpdir(), "layerwise-clone-"));
    cleanups.push(() => rmSync(clone, { recursive: true, force: true }));
    execFileSync("git", ["clone", "--quiet", "--depth=3", `file://${made.path}`, clone], { stdio: "ignore" });
    const revisions = await open(clone);

    const found = await revisions.history(await revisions.commit("main"), { limit: 10 });
    const older = revisions.commit("HEAD~3");

    expect([found.end, found.commits.length]).toEqual(["shallow", 3]);
    await expect(older).rejects.toMatchObject({
      code: "REVISION_NOT_FOUND",
      message: "could not find the revision HEAD~3: this clone is shallow and does not have it",
      hint: expect.stringContaining("--unshallow"),
    });
  });

  it("are found by the name of a remote's branch where no other has it", async () => {
    const made = history();
    const id = made.commit({ file: "1" });
    made.git("update-ref", "refs/remotes/origin/release", id);
    const revisions = await open(made.path);

    expect((await revisions.commit("release")).id).toBe(id);
  });

  it.each(["nothing", "main:file", "bad\nname", ""])("are not found by %j", async (revision) => {
    const made = history();
    made.commit({ file: "1" });
    const revisions = await open(made.path);

    await expect(revisions.commit(revision)).rejects.toMatchObject({ code: "REVISION_NOT_FOUND" });
  });

  it("tell where a file was before they renamed it", async () => {
    const made = history();
    const text = 'FROM scratch\nCOPY . /app\nCMD ["run"]\n';
    made.commit({ Dockerfile: text, other: "1" });
    const renamed = made.commit({ Dockerfile: undefined, "docker/app.Dockerfile": `${text}# moved\n` });
    const revisions = await open(made.path);
    const commit = await revisions.commit(renamed);

    expect(await revisions.formerPath(commit, "docker/app.Dockerfile")).toBe("Dockerfile");
    expect(await revisions.formerPath(commit, "other")).toBeUndefined();
  });
});

describe("a repository", () => {
  it("knows which of its directories it was opened at", async () => {
    const made = history();
    made.commit({ "services/app/file": "1" });

    expect((await open(join(made.path, "services/app"))).prefix).toBe("services/app");
    expect((await open(made.path)).prefix).toBe("");
  });

  it("is not where there is none", async () => {
    const folder = mkdtempSync(join(tmpdir(), "layerwise-none-"));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));

    await expect(open(folder, { GIT_CEILING_DIRECTORIES: tmpdir() })).rejects.toMatchObject({
      code: "GIT_UNREADABLE",
      message: expect.stringContaining(`${folder} is in no git repository`),
    });
  });

  it("cannot be read without git", async () => {
    const made = history();

    await expect(open(made.path, { PATH: "/nonexistent" })).rejects.toMatchObject({
      code: "GIT_UNREADABLE",
      message: expect.stringContaining("there is no git on PATH"),
    });
  });

  it("that lacks an object says which, and what brings it", async () => {
    const made = history();
    made.commit({ "sub/file": "only here" });
    const tree = made.git("rev-parse", "HEAD:sub");
    rmSync(join(made.path, ".git/objects", tree.slice(0, 2), tree.slice(2)), { force: true });
    const context = await contextOf(await open(made.path), "main");

    await expect(context.list(everything)).rejects.toMatchObject({
      code: "GIT_UNREADABLE",
      message: expect.stringContaining(tree),
      hint: expect.stringContaining("--refetch"),
    });
  });

  it("does not read on when it is cancelled", async () => {
    const made = history();
    made.commit({ file: "1" });
    const context = await contextOf(await open(made.path), "main");

    await expect(context.list(everything, { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});
