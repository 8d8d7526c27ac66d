// SPDX-License-Identifier: Apache-2.0
import { basename, dirname, join } from "node:path";
import { LayerwiseError } from "../error.ts";
import type { BuildContext } from "../ports.ts";
import { archiveCompression, archiveHeadBytes } from "../spec/archive-head.ts";
import { openContextDirectory } from "./context-directory.ts";
import { textOf } from "./context-file.ts";
import { type DiskFile, openContextTar } from "./context-tar.ts";
import type { DiskSpool } from "./spool.ts";

/** What a build reads before it is planned. */
export interface BuildFiles {
  readonly context: BuildContext;
  /** No text if the Dockerfile is where only an engine reads it. */
  readonly dockerfile: { readonly text: string | undefined; readonly file: string };
  /** The ignore file that counts: the one beside the Dockerfile, else the context's. */
  readonly ignoreFile: string | undefined;
}

/** Where the files of a build are. */
export interface BuildPaths {
  /** A directory, a URL, or `-` for a tar or a Dockerfile on stdin. */
  readonly context: string;
  /** Relative to the working directory; `-` for stdin; undefined: `Dockerfile` in the context. */
  readonly file: string | undefined;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly spool: DiskSpool;
}

/** Opens the build context and reads the Dockerfile and the ignore file, with BuildKit's precedence. */
export async function openBuildFiles(paths: BuildPaths): Promise<BuildFiles> {
  if (isRemote(paths.context)) {
    const file = `${paths.context} ${paths.file ?? "Dockerfile"}`;
    return { context: openRemoteContext(paths), dockerfile: { text: undefined, file }, ignoreFile: undefined };
  }
  if (paths.context === "-") return await fromStdin(paths);
  const context = openContextDirectory(paths.context);
  const { text, file, path } = await readDockerfile(paths);
  const beside = path === undefined ? undefined : textOf(`${path}.dockerignore`);
  return { context, dockerfile: { text, file }, ignoreFile: beside ?? textOf(join(paths.context, ".dockerignore")) };
}

/** What the docker client takes for a URL or a git repository rather than a directory. */
function isRemote(context: string): boolean {
  return /^(?:https?|git|ssh):\/\//.test(context) || /^(?:git@|github\.com\/)/.test(context);
}

/** A build context that only an engine fetches; nothing of it can be read here. */
function openRemoteContext({ context: url, file }: BuildPaths): BuildContext {
  const refuse = async (): Promise<never> => {
    throw new LayerwiseError("CONTEXT_NOT_FOUND", `could not read the build context ${url}: only an engine fetches it`);
  };
  return {
    name: url,
    location: { kind: "remote", url, dockerfile: file },
    list: refuse,
    digests: refuse,
    text: refuse,
    capabilities: refuse,
    async *open() {
      yield await refuse();
    },
  };
}

async function readDockerfile({
  context,
  file,
  stdin,
}: BuildPaths): Promise<{ text: string; file: string; path: string | undefined }> {
  if (file === "-") return { text: await readText(stdin), file: "-", path: undefined };
  const path = file ?? join(context, "Dockerfile");
  const text = textOf(path);
  if (text !== undefined) return { text, file: path, path };
  // BuildKit looks for the name in lower case when the usual one is not there (dockerui, `ReadEntrypoint`).
  const lower = join(dirname(path), "dockerfile");
  const lowerText = basename(path) === "Dockerfile" ? textOf(lower) : undefined;
  if (lowerText !== undefined) return { text: lowerText, file: lower, path: lower };
  throw new LayerwiseError("DOCKERFILE_NOT_FOUND", `could not read the Dockerfile ${path}: there is none`, {
    hint: "name it with --file",
  });
}

async function fromStdin(paths: BuildPaths): Promise<BuildFiles> {
  const { file, stdin, spool } = paths;
  if (file === "-") {
    throw new LayerwiseError("USAGE", "could not read both the Dockerfile and the build context from stdin", {
      hint: "give one of them as a path",
    });
  }
  const received = await spool.createOnDisk();
  for await (const chunk of stdin) await received.write(chunk);
  await received.close();
  return (await isArchive(received)) ? await fromTar(received, paths) : await fromText(received, paths);
}

/** As the docker client does, whatever is no archive is taken for a Dockerfile; nothing at all is neither. */
async function isArchive(received: DiskFile): Promise<boolean> {
  let head = Buffer.alloc(0);
  for await (const chunk of received.open()) {
    head = Buffer.concat([head, chunk]).subarray(0, archiveHeadBytes);
    if (head.length === archiveHeadBytes) break;
  }
  const isEmptyTar = head[0] === undefined || head[0] === 0;
  return isEmptyTar || archiveCompression(head) !== undefined;
}

/** A Dockerfile alone comes with a context in which nothing is. */
async function fromText(received: DiskFile, { file, spool }: BuildPaths): Promise<BuildFiles> {
  if (file !== undefined) {
    throw new LayerwiseError("USAGE", `could not read ${file} from stdin: what came there is no tar archive`, {
      hint: "pipe a tar archive, or drop --file if stdin is the Dockerfile",
    });
  }
  const context = openContextDirectory(await spool.createFolder());
  return { context, dockerfile: { text: await readText(received.open()), file: "-" }, ignoreFile: undefined };
}

async function fromTar(received: DiskFile, { file, spool }: BuildPaths): Promise<BuildFiles> {
  const name = file ?? "Dockerfile";
  const context = await openContextTar(received, { plain: () => spool.createOnDisk(), dockerfile: name });
  const text = await context.text(name.replace(/^\.?\/+/, ""));
  if (text === undefined) {
    throw new LayerwiseError("DOCKERFILE_NOT_FOUND", `could not find ${name} in the tar on stdin`, {
      hint: "name the Dockerfile's path in the archive with --file",
    });
  }
  // BuildKit applies no ignore file to a context that came as a tar.
  return { context, dockerfile: { text, file: name }, ignoreFile: undefined };
}

async function readText(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of stdin) parts.push(Uint8Array.from(chunk));
  return Buffer.concat(parts).toString("utf8");
}
