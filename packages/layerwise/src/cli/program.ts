// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError, Option } from "commander";
import { LayerwiseError } from "../error.ts";
import type { RawFlags } from "./options.ts";

/** The commands that there are. */
export type CommandName =
  | "build"
  | "plan"
  | "explain"
  | "fix"
  | "history"
  | "verify"
  | "analyze"
  | "lock"
  | "copy"
  | "prune";

/** A command that the user chose, with its flags as given. */
export interface Chosen {
  readonly command: CommandName;
  /** A build context, references, or files with plans. */
  readonly operands: readonly string[];
  readonly flags: RawFlags;
}

/** Where help goes. */
export interface ProgramOutput {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** How reading the command line ended: a command, or an exit code because help was shown. */
export type Parsed = Chosen | { readonly command: "none"; readonly exitCode: number };

/**
 * Reads the command line.
 *
 * @throws USAGE if a flag or an argument is not known
 */
export function parseCommandLine(
  argv: readonly string[],
  { version, output }: { version: string; output: ProgramOutput },
): Parsed {
  let chosen: Chosen | undefined;
  const program = new Command("layerwise")
    .description("Builds container images from a Dockerfile and does only what the registry does not hold already.")
    .version(version, "-V, --version")
    .showSuggestionAfterError()
    .configureOutput({ writeOut: output.out, writeErr: output.err, outputError: () => undefined })
    .exitOverride();
  const add = (command: Chosen["command"], description: string) => {
    const sub = program.command(command).description(description);
    for (const option of flagsOf[command]()) sub.addOption(option);
    sub.exitOverride();
    return sub;
  };
  const context = ["[context]", "a directory, a URL, or - for a tar or a Dockerfile on stdin", "."] as const;
  for (const [command, description] of [
    ["build", "Build an image and publish it"],
    ["plan", "Show what a build would do, and why; writes nothing"],
  ] as const) {
    add(command, description)
      .argument(...context)
      .action((operand: string, flags: RawFlags) => {
        chosen = { command, operands: [operand], flags };
      });
  }
  add("verify", "Build with an engine as well and compare the images, or compare two published ones; publishes nothing")
    .argument("[operands...]", "a build context as of build, or two references")
    .action((operands: string[], flags: RawFlags) => {
      chosen = { command: "verify", operands, flags };
    });
  add("explain", "Show why steps were made, or would be, compared with the build before, with two builds, or two plans")
    .argument("[operands...]", "a build context as of build, two files that plan --json wrote, or two references")
    .action((operands: string[], flags: RawFlags) => {
      chosen = { command: "explain", operands, flags };
    });
  add("fix", "Apply the advice of explain that is safe: rules of the ignore file for what tools leave behind")
    .argument(...context)
    .action((operand: string, flags: RawFlags) => {
      chosen = { command: "fix", operands: [operand], flags };
    });
  add("history", "List the builds that led to the image that a tag points to").action((flags: RawFlags) => {
    chosen = { command: "history", operands: [], flags };
  });
  add("lock", "Write down the digests of the base images, for builds with --lock-file")
    .argument(...context)
    .action((operand: string, flags: RawFlags) => {
      chosen = { command: "lock", operands: [operand], flags };
    });
  add("copy", "Copy an image by its digest to another repository, without changing a byte")
    .argument("<source>", "repository:tag or repository@digest")
    .argument("<destination>", "repository, or repository:tag")
    .action((source: string, destination: string, flags: RawFlags) => {
      chosen = { command: "copy", operands: [source, destination], flags };
    });
  add(
    "analyze",
    "Replay the history of a git branch: what builds would have done, why, and at what cost; writes nothing",
  )
    .argument("[context]", "a directory of the git repository", ".")
    .action((operand: string, flags: RawFlags) => {
      chosen = { command: "analyze", operands: [operand], flags };
    });
  add("prune", "Remove checkpoints, so that no build uses them any more").action((flags: RawFlags) => {
    chosen = { command: "prune", operands: [], flags };
  });
  // Taken before this program sees it: its command line is docker's.
  program.command("docker [arguments...]").description("Stand in for docker: see the page on layerwise docker");
  try {
    program.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { command: "none", exitCode: 0 };
    if (error.code !== "commander.help") throw usageError(error);
  }
  return chosen ?? { command: "none", exitCode: usageExit };
}

/** What a shell expects for a wrong command line. */
const usageExit = 2;

function usageError({ message }: CommanderError): LayerwiseError {
  const [what = "", suggestion = ""] = message.replace(/^error: /, "").split("\n");
  const meant = /^\(Did you mean (.+)\?\)$/.exec(suggestion)?.[1];
  return new LayerwiseError("USAGE", `could not read the command line: ${what.replace(/\.$/, "")}`, {
    hint: meant === undefined ? "see layerwise build --help for what there is" : `write ${meant} if that is meant`,
  });
}

/** The flags that say what to build. */
export function buildFlags(): readonly Option[] {
  return [
    ...dockerfileFlags(),
    list("-t, --tag <name:tag>", "name of the image; repeatable"),
    list("--label <name=value>", "a label of the image"),
    list("--annotation <name=value>", "an annotation of the manifest"),
    list("--secret <spec>", "a secret for RUN --mount=type=secret; goes to the engine"),
    list("--ssh <spec>", "an SSH agent for RUN --mount=type=ssh; goes to the engine"),
    new Option("--network <mode>", "network of RUN; goes to the engine"),
    list("--add-host <host:ip>", "a host that RUN can reach by name; goes to the engine"),
    list("--ulimit <spec>", "a limit for RUN; goes to the engine"),
    new Option("--shm-size <size>", "size of /dev/shm for RUN; goes to the engine"),
    new Option("--cgroup-parent <path>", "control group of RUN; goes to the engine"),
    list("--allow <entitlement>", "a privilege that RUN may use; goes to the engine"),
    new Option("--builder <name>", "the buildx builder to use as engine"),
    new Option("--no-cache", "use no checkpoint and nothing the engine holds"),
    withoutOpposite(list("--no-cache-filter <stage>", "use no checkpoint of a stage")),
    new Option("--refresh-after <age>", "make RUN layers again that are older, for example 7d"),
    new Option("--pull", "accepted for compatibility: base images are always looked up"),
    new Option("--lock-file <file>", "take base images by the digests that layerwise lock has written"),
    new Option("--cache-repo <repository>", "where checkpoints are (default: the first tag's repository)"),
    new Option("--read-only-cache", "use checkpoints and save none"),
    ...registryFlags(),
    progressFlag(),
    new Option("--provenance <value>", "only false: images have no attestations"),
    new Option("--sbom <value>", "only false: images have no attestations"),
  ];
}

function dockerfileFlags(): readonly Option[] {
  return [
    new Option("-f, --file <path>", "the Dockerfile (default: Dockerfile in the context)"),
    new Option("--target <stage>", "the stage to build"),
    list("--build-arg <name=value>", "value of an ARG; NAME alone takes it from the environment"),
    list("--build-context <name=value>", "what a name stands for: a directory, docker-image://, oci-layout:// or URL"),
    new Option("--platform <platform>", "platform of the image, for example linux/arm64"),
  ];
}

function progressFlag(): Option {
  return new Option("--progress <kind>", "auto, plain, tty, quiet or json (default: auto)");
}

const flagsOf: Readonly<Record<Chosen["command"], () => readonly Option[]>> = {
  build: () => [...buildFlags(), engineFlag(), ...deliveryFlags()],
  plan: () => [...buildFlags(), engineFlag(), new Option("--json", "print the plan as JSON")],
  verify: () => [...buildFlags(), new Option("--json", "print what was found as JSON")],
  explain: () => [
    ...buildFlags(),
    new Option("--from <revision>", "compare revisions of git, without a checkout: the one before"),
    new Option("--to <revision>", "the one after (default: HEAD)"),
    new Option("--json", "print the explanation as JSON"),
  ],
  fix: () => [
    ...buildFlags(),
    new Option("--dry-run", "show what would change, and change nothing"),
    new Option("-y, --yes", "change the files without asking"),
  ],
  history: () => [
    list("-t, --tag <name:tag>", "the tag; of several, those of the first repository count"),
    new Option("--cache-repo <repository>", "where records are (default: the tag's repository)"),
    new Option("--last <count>", "how many builds (default: 20)"),
    new Option("--json", "print the records as JSON"),
    ...registryFlags(),
  ],
  lock: () => [
    ...dockerfileFlags(),
    new Option("--lock-file <file>", "the file to write (default: layerwise.lock beside the Dockerfile)"),
    new Option("--check", "write nothing, and fail if the file is out of date"),
    new Option("--offline", "with --check: compare only which images there are, and ask no registry"),
    ...registryFlags(),
  ],
  copy: () => [
    list("-t, --tag <tag>", "a tag that the image gets at its destination; repeatable"),
    new Option("--metadata-file <file>", "write the image's digest as JSON"),
    ...registryFlags(),
    progressFlag(),
  ],
  analyze: analyzeFlags,
  prune: () => [
    list("--key <key>", "a cache key, or the tag of a checkpoint; repeatable"),
    new Option("--cache-repo <repository>", "where the checkpoint is"),
    ...registryFlags(),
  ],
};

function engineFlag(): Option {
  return new Option("--engine <when>", "auto, or never: fail where an engine is needed, before anything is written");
}

function analyzeFlags(): readonly Option[] {
  return [
    new Option("-f, --file <path>", "the Dockerfile (default: Dockerfile in the context)"),
    new Option("--branch <revision>", "the branch, or any revision (default: HEAD)"),
    new Option("--last <number>", "most commits to look at (default: 200)"),
    new Option("--target <stage>", "the stage to build"),
    list("--build-arg <name=value>", "value of an ARG; NAME alone takes it from the environment"),
    list("--build-context <name=value>", "what a name stands for: docker-image:// or oci-layout://"),
    new Option("--platform <platform>", "platform of the image, for example linux/arm64"),
    new Option("--offline", "look no base image up: each counts as one that never changed"),
    list("--durations <report>", "a report of a build, for what steps cost; repeatable"),
    list("--what-if <dockerfile>", "a Dockerfile to try on the same history; repeatable"),
    new Option("--what-if-ignore <file>", "an ignore file to try on the same history"),
    new Option("--what-if-advice", "try on the same history what explain advises for its newest commits"),
    new Option("--builds-per-month <number>", "builds in a month (default: the pace of the history)"),
    new Option("--price-per-minute <number>", "what a minute of CI costs, in your currency"),
    new Option(
      "--keep-checkpoints <age>",
      "how long the registry keeps checkpoints, for example 30d (default: always)",
    ),
    new Option("--checkpoints <which>", "as builds save them: all, final or none (default: all)"),
    new Option("--without-git-directory", "builds have no .git in their context: it comes from an archive"),
    new Option(
      "--backtest <number>",
      "compare predictions with builds: of so many of the newest commits, made now, or recorded for those of the past",
    ),
    list("-t, --tag <name:tag>", "an image whose past builds --backtest recorded reads; repeatable"),
    new Option("--cache-repo <repository>", "where --backtest keeps images and checkpoints, or finds records"),
    new Option("--builder <name>", "the buildx builder that --backtest uses as engine"),
    new Option("--umask <mode>", "permissions that the checkout of builds takes away (default: 022)"),
    ...registryFlags(),
    new Option("--json", "print the analysis as JSON"),
    list("--report <file>", "write the analysis as JSON, Markdown or HTML, as the file's name ends; repeatable"),
  ];
}

/** The flags that say where the image goes. */
export function deliveryFlags(): readonly Option[] {
  return [
    new Option("--push", "publish to the repositories of the tags"),
    new Option("--load", "load into Docker (the default without another output)"),
    list("-o, --output <spec>", "type=registry, type=oci,dest=DIR, type=docker,dest=FILE"),
    new Option("--tag-by-content", "tag also by a digest of all inputs: nothing changed, same tag"),
    new Option("--checkpoints <which>", "save checkpoints of all stages, of the final one, or none (default: all)"),
    new Option(
      "--verify [when]",
      "compare with what an engine builds before publishing: always, or sample:N for one in N",
    ),
    new Option("--metadata-file <file>", "write the image's digests as JSON"),
    new Option("--iidfile <file>", "write the image ID"),
    list("--report <file>", "write the report as JSON, Markdown or HTML, as the file's name ends; repeatable"),
  ];
}

function registryFlags(): readonly Option[] {
  return [
    list("--insecure-registry <host>", "a registry that may be spoken to without TLS"),
    new Option("--registry-ca <file>", "certificates to trust besides the system's"),
  ];
}

/** A flag that may be given again. */
export function list(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, before: string[] | undefined) => [
    ...(before ?? []),
    value,
  ]);
}

/** The parser takes every flag that begins with `--no-` for the opposite of another one. */
function withoutOpposite(option: Option): Option {
  option.negate = false;
  return option;
}
