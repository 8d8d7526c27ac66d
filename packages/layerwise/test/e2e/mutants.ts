// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";

/** A mistake that somebody could make, and what must find it. */
export interface Mutant {
  /** What the changed program does. */
  readonly what: string;
  /** Of `src`. */
  readonly file: string;
  /** A text that is there once, and what stands in its place. */
  readonly change: readonly [from: string, to: string];
  /** Cases of the corpus, each of which must find it by itself. */
  readonly cases: readonly string[];
  /** What at least one finding of each says. */
  readonly finds: RegExp;
}

/** Mistakes in what a layer gets, in what lies below it, and in keys. */
export const mutants: readonly Mutant[] = [
  {
    what: "gives directories above a file attributes of its own",
    file: "plan/file-tree.ts",
    change: [
      "const { mode, uid, gid, mtime } = writable(above);",
      "const [mode, uid, gid, mtime] = [0o755, 0, 0, writable(above).mtime];",
    ],
    cases: ["copy-file-below-setgid", "copy-directory-into-sticky"],
    finds: /^build 1: \/\S+: mode 0755, and not /,
  },
  {
    what: "leaves directories above a file out",
    file: "plan/file-tree.ts",
    change: ["files.set(above, {", "void ({"],
    cases: ["copy-file-below-setgid", "copy-merged-usr"],
    finds: /comes without an entry for/,
  },
  {
    what: "leaves modes out of keys",
    file: "plan/files-value.ts",
    change: ["const mode = entry.mode.toString(8);", 'const mode = "";'],
    cases: ["copy-mode-only"],
    finds: /^build \d: \/\S+: mode \d+, and not /,
  },
  {
    what: "leaves targets of links out of keys",
    file: "plan/files-value.ts",
    change: ['["symlink", owner, entry.target ?? ""]', '["symlink", owner]'],
    cases: ["copy-tree-link-target-changes"],
    finds: /: target /,
  },
  {
    what: "leaves names out of keys",
    file: "plan/files-value.ts",
    change: ["listValue([nameOf(entry.path), ...fields])", "listValue(fields)"],
    cases: ["copy-renamed"],
    finds: /only in the second image/,
  },
  {
    what: "leaves what is below a step out of its key",
    file: "plan/step-key.ts",
    change: ['{ name: "parent", value: parent.digest }', '{ name: "parent", value: "" }'],
    cases: ["base-layers-moved", "copy-first-changes"],
    finds: /^build [23]: /,
  },
  {
    what: "leaves the environment out of keys",
    file: "plan/step-key.ts",
    change: ["...[...environment].map(", "...[].map("],
    cases: ["base-env-moved"],
    finds: /\/who: content/,
  },
  {
    what: "follows no links",
    file: "plan/resolve-in-tree.ts",
    change: ['if (node?.kind !== "symlink") return undefined;', "if (links === 0) return undefined;"],
    cases: ["copy-through-file-link"],
    finds: /\/opt\/to-long: a file, and not a symlink/,
  },
  {
    what: "sees files that lower layers deleted",
    file: "spec/file-view.ts",
    change: ['if (entry.kind === "whiteout") remove(root, entry.path);', "void remove;"],
    cases: ["copy-whiteout-of-link"],
    finds: /only in the (first|second) image/,
  },
  {
    what: "does not hand down the group of a directory",
    file: "plan/file-tree.ts",
    change: ["const setGroup = above.mode & 0o2000;", "const setGroup = 0 & above.mode;"],
    cases: ["workdir-setgid", "copy-makes-directory-below-setgid"],
    finds: /: (mode 0755, and not 2755|owner 0:0, and not )/,
  },
  {
    what: "leaves directories that a copied tree meets as they are",
    file: "plan/file-tree.ts",
    change: ["if (!overwrite) return;", "if (overwrite || !overwrite) return;"],
    cases: ["copy-tree-attributes-of-existing"],
    finds: /: mode /,
  },
  {
    what: "forgets owners that an instruction gives",
    file: "plan/copy-sources.ts",
    change: ["const { uid, gid } = run.owner ?? entry;", "const { uid, gid } = entry;"],
    cases: ["chown-names", "chown-tree"],
    finds: /: owner 0:0, and not /,
  },
  {
    what: "follows a mode in letters that older engines pass over",
    file: "plan/certain-mode.ts",
    change: ["[] : [mode, ...applied]", "[] : applied"],
    cases: ["chmod-symbolic"],
    finds: /^build 3: the route is assemble/,
  },
  {
    what: "copies hard links as files",
    file: "plan/copy-sources.ts",
    change: ["if (first !== undefined) {", "if (first === null) {"],
    cases: ["copy-hard-links"],
    finds: /: hard links: /,
  },
  {
    what: "takes recorded layers wherever they fit or not",
    file: "plan/transplant.ts",
    change: ["if (difference !== undefined)", "if (difference === null)"],
    cases: ["transplant-destination-link", "transplant-ancestor-mode"],
    finds: /^build 2: \/\S+: (mode |only in |a )/,
  },
  {
    what: "takes recorded layers from whatever source",
    file: "plan/transplant.ts",
    change: ['name !== "parent" && name !== "kind"', 'name !== "parent" && name !== "from"'],
    cases: ["transplant-from-image"],
    finds: /^build 3: \/\S+: content/,
  },
  {
    what: "keeps the command of the base behind an entry point",
    file: "plan/evaluate-config.ts",
    change: ["const Cmd = state.hasOwnCommand ? state.config.Cmd : undefined;", "const { Cmd } = state.config;"],
    cases: ["config-entrypoint-clears"],
    finds: /config Cmd: /,
  },
  {
    what: "knows no exceptions in ignore files",
    file: "dockerfile/ignore-pattern.ts",
    change: ["    isException,", "    isException: false,"],
    cases: ["ignore-exception-order"],
    finds: /only in the second image/,
  },
];

/**
 * Bundles the command line with one text of its source changed; unchanged without a mutant.
 *
 * @returns the program's path
 */
export async function bundleMutant(folder: string, mutant: Mutant | undefined): Promise<string> {
  const source = new URL("../../src/", import.meta.url).pathname;
  let changed = 0;
  const plugins: BuildOptions["plugins"] = mutant && [
    {
      name: "mutant",
      setup({ onLoad }) {
        onLoad({ filter: /\.ts$/ }, async ({ path }) => {
          if (path !== join(source, mutant.file)) return undefined;
          const [from, to] = mutant.change;
          const parts = (await readFile(path, "utf8")).split(from);
          if (parts.length !== 2) throw new Error(`"${from}" is not once in ${mutant.file}`);
          changed += 1;
          return { loader: "ts", contents: parts.join(to) };
        });
      },
    },
  ];
  await build({
    entryPoints: { layerwise: join(source, "cli/main.ts") },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    logLevel: "silent",
    define: { "process.env.LAYERWISE_VERSION": '"0.0.0-mutant"' },
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    ...(plugins && { plugins }),
  });
  if (mutant !== undefined && changed !== 1) throw new Error(`${mutant.file} is not part of the program`);
  return join(folder, "layerwise.mjs");
}
