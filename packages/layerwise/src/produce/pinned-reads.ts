// SPDX-License-Identifier: Apache-2.0

/** What pinning goes by. */
export interface Pinning {
  /** The images that the instruction reads from; a stage of the same name is none. */
  readonly images: ReadonlySet<string>;
  /** References with digest, by reference. */
  readonly pins: ReadonlyMap<string, string>;
  /** The character that continues lines. */
  readonly mark: "\\" | "`";
}

/**
 * An instruction as written, the images that its --from or mounts name by digest. Only its flags are looked at: what it
 * runs or copies stays as it is.
 */
export function pinnedReads(source: string, { images, pins, mark }: Pinning): string {
  if (images.size === 0) return source;
  const flags = heads[mark].exec(source)?.[0] ?? "";
  const pinned = flags.replace(fromValue, (written: string, before: string, image: string) => {
    const pin = images.has(image) ? pins.get(image) : undefined;
    return pin === undefined ? written : `${before}${pin}`;
  });
  return pinned + source.slice(flags.length);
}

/** `--from=image`, or the field of a mount; quotes may stand around either. */
const fromValue = /([\s,="'-]from=["']?)([^\s,"']+)/g;

const heads = { "\\": headPattern("\\\\"), "`": headPattern("`") } as const;

/** Matches an instruction's keyword and its flags; lines may be continued between and inside them. */
function headPattern(mark: string): RegExp {
  const continuation = `${mark}[ \\t]*\\r?\\n(?:[ \\t]*(?:#.*)?\\r?\\n)*`;
  const gap = `(?:[ \\t]|${continuation})+`;
  const quoted = ['"', "'"].map((quote) => `${quote}(?:${mark}[\\s\\S]|[^${quote}${mark}])*${quote}`);
  const flag = `--(?:${[continuation, `${mark}.`, ...quoted, `[^\\s"'${mark}]`].join("|")})+`;
  return new RegExp(`^\\s*[A-Za-z]+(?:${gap}${flag})*`);
}
