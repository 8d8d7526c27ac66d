// SPDX-License-Identifier: Apache-2.0
import { type InputChange, onBase, run, workdir } from "./key-change.ts";

const bind = { ...onBase("RUN --mount=type=bind,source=src,target=/s ls /s"), files: { "src/a": "1", "src/b": "2" } };
const cache = onBase("RUN --mount=type=cache,target=/c true");
const stage = (first: string, mount: string) => ({
  dockerfile: `FROM base AS one\n${first}\nFROM base\nRUN --mount=from=one,${mount} true\n`,
});
const added = (name: string) => [`environment ${name}`, "order of the environment"];

/** Everything that the key of a RUN depends on, changed alone. */
export const runKeyInputs: readonly InputChange[] = [
  { what: "the command", from: run, to: onBase("RUN true all"), inputs: ["command"] },
  { what: "exec form instead of shell form", from: run, to: onBase('RUN ["true"]'), inputs: ["command"] },
  {
    what: "the shell, for shell form",
    from: run,
    to: onBase('SHELL ["/bin/sh", "-ec"]\nRUN true'),
    inputs: ["command"],
  },
  {
    what: "the shell of the base",
    from: run,
    to: { base: { config: { Shell: ["/bin/sh", "-ec"] } } },
    inputs: ["command"],
  },
  {
    what: "a here-document of a RUN",
    from: onBase("RUN <<E\ntrue a\nE"),
    to: onBase("RUN <<E\ntrue b\nE"),
    inputs: ["here-documents"],
  },
  { what: "an ENV before it", from: run, to: onBase("ENV A=1\nRUN true"), inputs: added("A") },
  {
    what: "the value of an ENV",
    from: onBase("ENV A=1\nRUN true"),
    to: onBase("ENV A=2\nRUN true"),
    inputs: ["environment A"],
  },
  { what: "an ENV of the base", from: run, to: { base: { config: { Env: ["A=1"] } } }, inputs: added("A") },
  {
    what: "an ARG that the RUN does not even use",
    from: onBase("ARG A=1\nRUN true"),
    to: { buildArgs: { A: "2" } },
    inputs: ["environment A"],
  },
  {
    what: "a global ARG that the stage takes over",
    from: { dockerfile: "ARG A=1\nFROM base\nARG A\nRUN true\n" },
    to: { buildArgs: { A: "2" } },
    inputs: ["environment A"],
  },
  {
    what: "an ARG of the stage that it starts from",
    from: { dockerfile: "FROM base AS one\nARG A=1\nFROM one\nRUN true\n" },
    to: { buildArgs: { A: "2" } },
    inputs: ["environment A"],
  },
  {
    what: "the order in which variables are set",
    from: onBase("ENV A=1 B=2\nRUN true"),
    to: onBase("ENV B=2 A=1\nRUN true"),
    inputs: ["order of the environment"],
  },
  {
    what: "a variable that is set once more, to what it was",
    from: onBase("ENV A=1 B=2\nRUN true"),
    to: onBase("ENV A=1 B=2\nENV A=1\nRUN true"),
    inputs: ["order of the environment"],
  },
  { what: "the working directory", from: run, to: { base: { config: { WorkingDir: "/etc" } } }, inputs: ["directory"] },
  { what: "a USER before it", from: run, to: onBase("USER 1\nRUN true"), inputs: ["user"] },
  { what: "the user of the base", from: run, to: { base: { config: { User: "1" } } }, inputs: ["user"] },
  { what: "--network", from: run, to: onBase("RUN --network=none true"), inputs: ["network"] },
  { what: "--security", from: run, to: onBase("RUN --security=insecure true"), inputs: ["security"] },
  {
    what: "--network, --add-host, --ulimit, --shm-size or --cgroup-parent of the command line",
    from: run,
    to: { runOptions: ["--network=host"] },
    inputs: ["options"],
  },
  {
    what: "the host name that BUILDKIT_SANDBOX_HOSTNAME gives",
    from: run,
    to: { buildArgs: { BUILDKIT_SANDBOX_HOSTNAME: "a" } },
    inputs: ["host name"],
  },
  {
    what: "the namespace that BUILDKIT_CACHE_MOUNT_NS gives",
    from: cache,
    to: { buildArgs: { BUILDKIT_CACHE_MOUNT_NS: "a" } },
    inputs: ["cache namespace"],
  },
  { what: "the type of a mount", from: cache, to: onBase("RUN --mount=type=tmpfs,target=/c true"), inputs: ["mounts"] },
  {
    what: "the target of a mount",
    from: cache,
    to: onBase("RUN --mount=type=cache,target=/d true"),
    inputs: ["mounts"],
  },
  {
    what: "whether a mount may be written",
    from: cache,
    to: onBase("RUN --mount=type=cache,ro,target=/c true"),
    inputs: ["mounts"],
  },
  {
    what: "the ID of a cache",
    from: cache,
    to: onBase("RUN --mount=type=cache,id=a,target=/c true"),
    inputs: ["mounts"],
  },
  {
    what: "the sharing of a cache",
    from: cache,
    to: onBase("RUN --mount=type=cache,sharing=locked,target=/c true"),
    inputs: ["mounts"],
  },
  {
    what: "the owner and the mode of a cache",
    from: cache,
    to: onBase("RUN --mount=type=cache,uid=1,mode=700,target=/c true"),
    inputs: ["mounts"],
  },
  {
    what: "the size of a tmpfs",
    from: onBase("RUN --mount=type=tmpfs,target=/t true"),
    to: onBase("RUN --mount=type=tmpfs,size=1m,target=/t true"),
    inputs: ["mounts"],
  },
  {
    what: "the ID of a secret or an SSH agent",
    from: onBase("RUN --mount=type=secret,id=a true"),
    to: onBase("RUN --mount=type=secret,id=b true"),
    inputs: ["mounts"],
  },
  {
    what: "whether a secret is required",
    from: onBase("RUN --mount=type=secret,id=a true"),
    to: onBase("RUN --mount=type=secret,id=a,required true"),
    inputs: ["mounts"],
  },
  {
    what: "the variable that gets a secret",
    from: onBase("RUN --mount=type=secret,id=a,env=A true"),
    to: onBase("RUN --mount=type=secret,id=a,env=B true"),
    inputs: ["mounts"],
  },
  {
    what: "a file in a mounted directory",
    from: bind,
    to: { files: { "src/a": "changed", "src/b": "2" } },
    inputs: ["mounts"],
  },
  {
    what: "the mode of a mounted directory",
    from: bind,
    to: { files: { ...bind.files, src: { directory: true, mode: 0o700 } } },
    inputs: ["mounts"],
  },
  {
    what: "a file in a mounted directory that --build-context names",
    from: {
      ...onBase("RUN --mount=from=named,target=/s --mount=target=/t true"),
      files: { a: "1" },
      named: { a: "1" },
    },
    to: { named: { a: "changed" } },
    inputs: ["mounts"],
    since: 28,
  },
  {
    what: "what a mounted stage does",
    from: stage("RUN true", "target=/s"),
    to: stage("RUN true 2", "target=/s"),
    inputs: ["mounts"],
  },
  {
    what: "the path that is mounted of a stage",
    from: stage("RUN true", "source=/etc,target=/s"),
    to: stage("RUN true", "source=/usr,target=/s"),
    inputs: ["mounts"],
  },
  {
    what: "the layers of a mounted image",
    from: onBase("RUN --mount=from=other,target=/s true"),
    to: { other: "other layers" },
    inputs: ["mounts"],
  },
];

/** Everything that the key of a WORKDIR depends on, changed alone. */
export const workdirKeyInputs: readonly InputChange[] = [
  { what: "the path", from: workdir, to: onBase("WORKDIR /other"), inputs: ["path"] },
  { what: "the user that is set then", from: workdir, to: onBase("USER 1\nWORKDIR /app"), inputs: ["user"] },
  {
    what: "the time that SOURCE_DATE_EPOCH gives",
    from: workdir,
    to: { buildArgs: { SOURCE_DATE_EPOCH: "1" } },
    inputs: ["time"],
  },
];
