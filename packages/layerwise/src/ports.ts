// SPDX-License-Identifier: Apache-2.0
import type { Event } from "./event.ts";
import type { Descriptor } from "./spec/descriptor.ts";
import type { Digest } from "./spec/digest.ts";
import type { GitCommit } from "./spec/git-object.ts";
import type { RepositoryName } from "./spec/reference.ts";

/** What every call to the outside takes. */
export interface CallOptions {
  /** Ends the call with CANCELLED. */
  readonly signal?: AbortSignal | undefined;
}

/** A manifest or an index as stored: exact bytes. */
export interface StoredManifest {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** Bytes that can be read more than once. */
export interface Blob {
  readonly descriptor: Descriptor;
  /** Each call starts a new read from the first byte. */
  open(): AsyncIterable<Uint8Array>;
}

/**
 * A place that holds images: a repository of a registry, or an OCI layout directory.
 * Contract: `test/contract/repository.ts`, run against every implementation.
 */
export interface Repository {
  /** How messages name it, for example `registry.example/team/app` or `oci-layout:./out`. */
  readonly name: string;
  /** Which repositories can share blobs by mounting; equal for those of one registry, unique for a layout. */
  readonly registry: string;
  /** Whether it is a directory of this machine, which no engine can push to or start from. */
  readonly isLocal: boolean;
  /** Whether it is content to know where a blob is: blobs of any registry are mounted into it, without a copy. */
  readonly takesReferences?: boolean | undefined;

  /** The manifest under a tag or a digest; undefined if there is none. Bytes fetched by digest are verified. */
  fetchManifest(reference: string, options?: CallOptions): Promise<StoredManifest | undefined>;
  /** Whether the blob is there. */
  hasBlob(digest: Digest, options?: CallOptions): Promise<boolean>;
  /** A blob's bytes, verified against size and digest as they pass; REGISTRY_NOT_FOUND if it is not there. */
  fetchBlob(descriptor: Descriptor, options?: CallOptions): AsyncIterable<Uint8Array>;
  /** Uploads a blob. Uploading what is there is allowed. */
  pushBlob(blob: Blob, options?: CallOptions): Promise<void>;
  /** Makes a blob of another repository of the same registry appear here; false if the registry would not. */
  mountBlob(descriptor: Descriptor, from: Repository, options?: CallOptions): Promise<boolean>;
  /** Other repositories that are known to hold a blob of this one as well, so that it may be mounted from there. */
  holders?(digest: Digest): Promise<readonly Repository[]>;
  /** Stores a manifest under a tag or its digest. Its blobs must be there already. */
  pushManifest(reference: string, manifest: StoredManifest, options?: CallOptions): Promise<void>;
  /** Removes a manifest and all its tags; false if the registry does not let anybody, or this user. */
  removeManifest(digest: Digest, options?: CallOptions): Promise<boolean>;
}

/** Opens repositories; opening costs nothing, the first call does. */
export interface Repositories {
  /** A repository of a registry. */
  inRegistry(name: RepositoryName): Repository;
  /** An OCI layout directory, made if it is written to. */
  inLayout(path: string): Repository;
}

/** A file of the build context. */
export interface ContextEntry {
  /** Relative to the context, without a leading slash; the context itself is the empty path. */
  readonly path: string;
  /** `other`: a socket, a device or a pipe. */
  readonly kind: "directory" | "file" | "symlink" | "other";
  /** 0 to 07777. */
  readonly mode: number;
  /** Owners count only in a context that came as a tar; those of a directory are 0. */
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
  /** Where a symlink points. */
  readonly target?: string | undefined;
  /** Another one after each write to the file; undefined where nothing can write any more. */
  readonly version?: string | undefined;
  /** So new that a write right after it may not have shown in `version`. */
  readonly isRecent?: boolean | undefined;
  /** Equal for paths that are hard links to one file; undefined if the file has one name. */
  readonly hardLink?: string | undefined;
  /** Why a directory's content is not in the tree; undefined if it is. */
  readonly listing?: "skipped" | "denied" | undefined;
}

/** All files of a build context, whatever the ignore file says. */
export interface ContextTree {
  readonly size: number;
  /** Undefined if the path is not there; the context itself is the empty path. */
  get(path: string): ContextEntry | undefined;
  /**
   * What a directory holds, sorted by the names' bytes. In the listing of another revision it may be the same list,
   * which then holds the same entries.
   */
  children(directory: string): readonly ContextEntry[];
}

/** The build context: a directory, or a tar from stdin. */
export interface BuildContext {
  /** How messages name it. */
  readonly name: string;
  /**
   * Lists the context.
   *
   * @param skip says of a directory that nothing in it can be needed, so that it is not read
   */
  list(skip: (directory: string) => boolean, options?: CallOptions): Promise<ContextTree>;
  /** The digests of files' contents, in the order asked for. CONTEXT_UNREADABLE if one cannot be read. */
  digests(files: readonly ContextEntry[], options?: CallOptions): Promise<Digest[]>;
  /** A file's bytes. */
  open(file: ContextEntry, options?: CallOptions): AsyncIterable<Uint8Array>;
  /** A small file's text, or undefined if it is not there: the Dockerfile and ignore files. */
  text(path: string, options?: CallOptions): Promise<string | undefined>;
  /** Extended attributes that would end up in a layer, as a text that differs when they do; files without have none. */
  capabilities(files: readonly ContextEntry[], options?: CallOptions): Promise<ReadonlyMap<string, string>>;
  /** What an engine can be given: a directory, or a file that holds the tar. */
  readonly location: ContextLocation;
}

/** A build context as an engine takes it. */
export type ContextLocation =
  | { readonly kind: "directory"; readonly path: string }
  /** An engine reads the Dockerfile of a tar from the tar itself. */
  | { readonly kind: "tar"; readonly path: string; readonly dockerfile: string }
  /** A URL or a git repository, which only an engine fetches, the Dockerfile included. */
  | { readonly kind: "remote"; readonly url: string; readonly dockerfile: string | undefined }
  /** Nowhere outside git's objects: such a context is for planning, and no engine can be given it. */
  | { readonly kind: "none" };

/** A git repository, read from its objects: nothing is checked out, and the working tree does not count. */
export interface Revisions {
  /** How messages name it. */
  readonly name: string;
  /** Where it was opened, relative to the top of the working tree; empty for the top. */
  readonly prefix: string;
  /** What a revision names; REVISION_NOT_FOUND if nothing. */
  commit(revision: string, options?: CallOptions): Promise<GitCommit>;
  /** A commit and those before it along first parents, at most so many, newest first. */
  history(from: GitCommit, options: CallOptions & { readonly limit: number }): Promise<CommitHistory>;
  /** A small file's text, links followed inside the repository; undefined if the commit has no such file. */
  text(commit: GitCommit, path: string, options?: CallOptions): Promise<string | undefined>;
  /** A directory of a commit as build context; undefined if the commit has no such directory. */
  context(commit: GitCommit, options: CallOptions & RevisionContextOptions): Promise<RevisionContext | undefined>;
  /** Where a file was in the first parent of a commit, if the commit renamed it; paths are relative to the top. */
  formerPath(commit: GitCommit, path: string, options?: CallOptions): Promise<string | undefined>;
  /** Ends git. */
  close(): Promise<void>;
}

/** Commits of a branch. */
export interface CommitHistory {
  /** Newest first. */
  readonly commits: readonly GitCommit[];
  /** Why there are no older ones: no more were asked for, there are none, or the clone does not have them. */
  readonly end: "limit" | "root" | "shallow";
}

/** How a checkout would be made. */
export interface RevisionContextOptions {
  /** Relative to the top of the repository; empty for the top. */
  readonly directory: string;
  /** Whether the context holds `.git`; by default if it is the top. */
  readonly hasGitDirectory?: boolean | undefined;
  /** Permissions that the checkout takes away; 022 by default. */
  readonly umask?: number | undefined;
}

/** A build context made from a commit. */
export interface RevisionContext extends BuildContext {
  /** What of the files listed and digested so far git's objects do not tell exactly. */
  notes(): readonly RevisionNote[];
}

/**
 * Something in which a checkout may differ from what is counted here.
 *
 * - `git-directory`: the repository itself is in the context; one file with the commit stands for it
 * - `submodule`: its files are in another repository; one file with its commit stands for them
 * - `lfs`: the file counts with the content that its pointer stands for
 * - `conversion`: a `.gitattributes` asks for other bytes in the working tree than git stores
 */
export interface RevisionNote {
  readonly kind: "git-directory" | "submodule" | "lfs" | "conversion";
  readonly path: string;
  /** The commit, the digest, or what the attribute says. */
  readonly detail: string;
}

/** What an engine is asked to build. */
export interface EngineRequest {
  readonly dockerfile: string;
  /** The text of the ignore file that counts; undefined if there is none. */
  readonly ignoreFile: string | undefined;
  readonly context: Exclude<ContextLocation, { readonly kind: "none" }>;
  /** Directories that steps and mounts read by a name: their paths. */
  readonly directories: ReadonlyMap<string, string>;
  readonly target: string | undefined;
  /** `os/architecture[/variant]` if the user asked for one. */
  readonly platform: string | undefined;
  /** Labels to add to the image's own. */
  readonly labels: ReadonlyMap<string, string>;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Flags that are handed through as they were given: secrets, ssh, network, hosts, ulimits, named contexts but directories. */
  readonly passThrough: readonly string[];
  /** True: reuse nothing that the engine holds; names: nothing of these stages. */
  readonly noCache: boolean | readonly string[];
  /** Where the result should go. */
  readonly delivery: EngineDelivery;
}

/** How an engine hands over an image. */
export type EngineDelivery =
  /** Any engine: as an archive on this machine. */
  | { readonly kind: "archive" }
  /** Engines that push by themselves: into a repository, without a copy here. */
  | { readonly kind: "push"; readonly repository: string; readonly tag: string };

/** What an engine made. */
export type EngineResult =
  | {
      readonly kind: "archive";
      /** An image archive as `docker save` or BuildKit's oci exporter writes it. */
      open(): AsyncIterable<Uint8Array>;
      /** Frees what the engine keeps only for this archive. */
      release(): Promise<void>;
    }
  | { readonly kind: "pushed"; readonly digest: Digest };

/** What is known of an engine before it builds. */
export interface EngineFacts {
  /** For reports, for example `Docker 28.5.2 (containerd image store)`. */
  readonly name: string;
  /** Whether delivery by push works. */
  readonly canPush: boolean;
  /** Which delivery costs less where only the new layers count. */
  readonly prefers: EngineDelivery["kind"];
}

/** A container engine with BuildKit, driven through its command line. */
export interface Engine {
  /** Finds the engine. ENGINE_MISSING, ENGINE_UNREACHABLE or ENGINE_UNSUPPORTED if it cannot be used. */
  inspect(options?: CallOptions): Promise<EngineFacts>;
  /** Builds. BUILD_FAILED with the engine's own words if a step fails. */
  build(request: EngineRequest, options: CallOptions & { emit: (event: Event) => void }): Promise<EngineResult>;
  /** Loads an image archive into the engine's own store; gives the ID that the image has there. */
  load(archive: AsyncIterable<Uint8Array>, options?: CallOptions): Promise<Digest>;
}

/** Scratch space on this machine for what is too large for memory. */
export interface Spool {
  /** Starts a file; it vanishes with the process. DISK if the space is not there. */
  create(): Promise<SpoolFile>;
}

/** A scratch file that is written once and then read any number of times. */
export interface SpoolFile {
  write(chunk: Uint8Array): Promise<void>;
  /** Ends writing. */
  close(): Promise<void>;
  open(): AsyncIterable<Uint8Array>;
  /** Frees the space, also of a file that was not ended. */
  remove(): Promise<void>;
}

/** Says what time it is. */
export interface Clock {
  /** The time to write down, in milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some moment, for durations. */
  ticks(): number;
}

/** Everything outside that a build needs. */
export interface Ports {
  readonly repositories: Repositories;
  readonly engine: Engine;
  readonly spool: Spool;
  readonly clock: Clock;
}
