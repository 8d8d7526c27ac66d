// SPDX-License-Identifier: Apache-2.0
import { parseByteSize } from "./byte-size.ts";
import { csvFields } from "./csv-fields.ts";
import { nearest } from "./nearest.ts";
import { syntaxError } from "./syntax-error.ts";

const types = ["bind", "cache", "tmpfs", "secret", "ssh"] as const;
const sharings = ["shared", "private", "locked"] as const;

/** What a RUN --mount mounts. */
export type MountType = (typeof types)[number];

/** RUN --mount. Values that were not given, or are empty, are undefined. */
export interface Mount {
  readonly type: MountType;
  /** A stage's name or an image; where a bind or a cache mount takes its files from, the context or nothing if undefined. */
  readonly from: string | undefined;
  readonly source: string | undefined;
  readonly target: string | undefined;
  readonly readOnly: boolean;
  readonly id: string | undefined;
  readonly sharing: (typeof sharings)[number] | undefined;
  readonly required: boolean;
  /** Bytes of a tmpfs at most. */
  readonly size: number | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** The variable that gets a secret; the empty string for the one named by the id. */
  readonly env: string | undefined;
}

/**
 * Reads the value of RUN --mount as BuildKit does when the instruction is its turn.
 * https://github.com/moby/buildkit/blob/v0.33.0/frontend/dockerfile/instructions/commands_runmount.go
 *
 * @param expand expands the variables of one value
 * @throws DOCKERFILE_SYNTAX without a place
 */
export function parseMount(value: string, expand: (word: string) => string): Mount {
  const draft: Draft = { type: "bind", readOnly: undefined, required: false };
  for (const field of csvFields(value)) {
    const equals = field.indexOf("=");
    const key = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
    const setter = setters.get(key);
    if (equals === -1 && !switches.has(key)) throw badField(field, `"${field}" has no value`);
    if (setter === undefined) throw unknownKey(key, field);
    setter(draft, { field, key, value: equals === -1 ? undefined : expand(field.slice(equals + 1)) });
  }
  return finished(draft, value);
}

/**
 * Where the value of RUN --mount takes its files from, as BuildKit sees it before anything is expanded; undefined if it
 * says nothing.
 *
 * @throws DOCKERFILE_SYNTAX without a place if it holds a variable
 */
export function mountSource(value: string): string | undefined {
  const fields = csvFields(value).filter((field) => /^from=/i.test(field));
  for (const field of fields) {
    const dollar = field.indexOf("$");
    if (dollar === -1 || dollar === field.length - 1) continue;
    throw badField(field, "variables are not expanded in it", "make a stage with FROM … AS, and name the stage");
  }
  return fields.at(-1)?.slice("from=".length) || undefined;
}

/** A mount while its fields are read; a later field replaces an earlier one. */
type Draft = { -readonly [Key in keyof Omit<Mount, "type" | "readOnly" | "required">]?: Mount[Key] } & {
  type: MountType;
  readOnly: boolean | undefined;
  required: boolean;
};

interface Field {
  readonly field: string;
  readonly key: string;
  /** Undefined for a field that is only a key. */
  readonly value: string | undefined;
}

type Setter = (draft: Draft, field: Field) => void;

/** Keys that need no value. */
const switches: ReadonlySet<string> = new Set(["readonly", "ro", "readwrite", "rw", "required"]);

const setText =
  (name: "from" | "source" | "target" | "id"): Setter =>
  (draft, { value }) => {
    draft[name] = value || undefined;
  };

const setNumber =
  (name: "mode" | "uid" | "gid", radix: number): Setter =>
  (draft, { field, key, value = "" }) => {
    const form = radix === 8 ? /^[0-7]+$/ : /^[0-9]+$/;
    const number = form.test(value) ? Number.parseInt(value, radix) : Number.NaN;
    if (!(number < 2 ** 32)) throw badField(field, `"${value}" is no ${key}`);
    draft[name] = number;
  };

const setReadOnly =
  (isReadOnly: boolean): Setter =>
  (draft, { field, value }) => {
    draft.readOnly = parseGoBoolean(field, value) === isReadOnly;
  };

const setters: ReadonlyMap<string, Setter> = new Map<string, Setter>([
  ["type", setType],
  ["from", setText("from")],
  ["source", setText("source")],
  ["src", setText("source")],
  ["target", setText("target")],
  ["dst", setText("target")],
  ["destination", setText("target")],
  ["readonly", setReadOnly(true)],
  ["ro", setReadOnly(true)],
  ["readwrite", setReadOnly(false)],
  ["rw", setReadOnly(false)],
  ["required", setRequired],
  ["size", setSize],
  ["id", setText("id")],
  ["sharing", setSharing],
  ["mode", setNumber("mode", 8)],
  ["uid", setNumber("uid", 10)],
  ["gid", setNumber("gid", 10)],
  ["env", setEnv],
]);

function setType(draft: Draft, { field, value = "" }: Field): void {
  const type = types.find((candidate) => candidate === value.toLowerCase());
  if (type === undefined) throw badField(field, `there is no type ${value}`, didYouMean(value, types));
  draft.type = type;
}

function setSharing(draft: Draft, { field, value = "" }: Field): void {
  const sharing = sharings.find((candidate) => candidate === value.toLowerCase());
  if (sharing === undefined) throw badField(field, `there is no sharing ${value}`, didYouMean(value, sharings));
  draft.sharing = sharing;
}

/** Keys that belong to some types count only behind the type. */
function setRequired(draft: Draft, { field, value }: Field): void {
  if (draft.type !== "secret" && draft.type !== "ssh") throw badField(field, `a ${draft.type} mount has no such key`);
  draft.required = parseGoBoolean(field, value);
}

function setSize(draft: Draft, { field, value = "" }: Field): void {
  if (draft.type !== "tmpfs") throw badField(field, `a ${draft.type} mount has no size`);
  const size = parseByteSize(value);
  if (size === undefined) throw badField(field, `"${value}" is no size`, "write a number and a unit, for example 64m");
  draft.size = size;
}

function setEnv(draft: Draft, { value }: Field): void {
  draft.env = value;
}

/** As Go's `strconv.ParseBool`; a key alone means yes. */
function parseGoBoolean(field: string, value: string | undefined): boolean {
  if (value === undefined || ["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw badField(field, `"${value}" is neither true nor false`);
}

function finished(draft: Draft, text: string): Mount {
  const { type, from, source, target, id, sharing, size, mode, uid, gid, env, required } = draft;
  if (type === "bind" || type === "tmpfs") {
    const key = (["mode", "uid", "gid"] as const).find((name) => draft[name] !== undefined);
    if (key !== undefined) throw badField(text, `a ${type} mount has no ${key}`);
  }
  if (type === "secret") {
    if (from !== undefined) throw badField(text, "a secret mount has no from");
    if (source !== undefined && id !== undefined) throw badField(text, "it has both source and id", "leave one out");
    if (source === undefined && target === undefined && id === undefined) {
      throw badField(text, "a secret mount needs an id, a source or a target", "add id=NAME");
    }
  }
  if (sharing !== undefined && type !== "cache") throw badField(text, `a ${type} mount has no sharing`);
  const readOnly = draft.readOnly ?? (type !== "cache" && type !== "tmpfs");
  return { type, from, source, target, readOnly, id, sharing, required, size, mode, uid, gid, env };
}

function unknownKey(key: string, field: string): Error {
  return badField(field, `there is no key ${key}`, didYouMean(key, setters.keys()));
}

function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const near = nearest(word, candidates);
  return near === undefined ? undefined : `write ${near} if that is meant`;
}

function badField(field: string, why: string, hint?: string): Error {
  return syntaxError(`could not read the mount "${field}": ${why}`, { hint, word: field });
}
