// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { DraftFile } from "../../test/draft.ts";
import { recordOfDraft } from "../../test/explain-case.ts";
import type { BuildRecord } from "../spec/build-record.ts";
import { digestOf } from "../spec/digest.ts";
import { mediaTypes } from "../spec/media-type.ts";
import { decodeRecordManifest, encodeRecordManifest, maxRecordText } from "../spec/record-document.ts";
import { explainBuild } from "./compare-builds.ts";
import { describeCause } from "./describe-cause.ts";
import { fitRecord, onlyTargetChain } from "./fit-record.ts";

const blob = { mediaType: mediaTypes.oci.layer.gzip, digest: digestOf("blob"), size: 4 };
const parts = { mediaType: mediaTypes.oci.manifest, source: "r:t" };

function stored(record: BuildRecord): BuildRecord {
  const text = fitRecord(record) ?? "";
  expect(text.length).toBeLessThanOrEqual(maxRecordText);
  const read = decodeRecordManifest(encodeRecordManifest(text, { config: blob, layer: blob }), parts);
  if (typeof read === "string") throw new Error(read);
  return read;
}

function build(files: Readonly<Record<string, DraftFile>>): BuildRecord {
  return recordOfDraft({ dockerfile: "FROM base\nCOPY . /app/\n", files });
}

/** Thousands of files, whose names and contents no compression helps against. */
function manyFiles(changed?: string): Record<string, string> {
  const paths = Array.from({ length: 20_000 }, (_, index) => {
    const name = digestOf(String(index)).slice(7, 27);
    return `package-${index % 50}/lib/${name}.js`;
  });
  return Object.fromEntries([...paths, "src/app.js"].map((path) => [path, path === changed ? "changed" : path]));
}

describe("a record", () => {
  it("comes back from its manifest as it was", () => {
    const record = build({ "src/a": "1", "src/b": { text: "2", mode: 0o755, uid: 3 }, l: { target: "src/a" } });

    expect(stored(record)).toEqual(JSON.parse(JSON.stringify(record)));
  });

  it("of thousands of files is short, and still says in which directory something changed", () => {
    const path = Object.keys(manyFiles()).find((one) => one.startsWith("package-7/")) as string;
    const before = stored(build(manyFiles()));
    const after = build(manyFiles(path));
    const made = {
      ...after,
      stages: after.stages.map((stage) => ({
        ...stage,
        steps: stage.steps.map((step) => ({ ...step, state: "made" as const })),
      })),
    };

    const { steps } = explainBuild(made, { kind: "build", record: before, name: "before" });

    const [cause] = steps[0]?.causes ?? [];
    expect(cause && describeCause(cause).text).toMatch(/^package-7\/(?:lib\/)? changed$/);
  });

  it("is not used if it is damaged, or of another version", () => {
    const manifest = (text: string) => encodeRecordManifest(text, { config: blob, layer: blob });
    const record = build({ a: "1" });
    const other = { ...record, version: 2 } as unknown as BuildRecord;

    expect(decodeRecordManifest(manifest("no gzip"), parts)).toBe("it is damaged");
    expect(decodeRecordManifest(manifest((fitRecord(record) ?? "").slice(0, 200)), parts)).toBe("it is damaged");
    expect(decodeRecordManifest(manifest(fitRecord(other) ?? ""), parts)).toMatch(/^version: /);
  });

  it("of the target's own chain does not tell of other stages", () => {
    const record = recordOfDraft({
      dockerfile: "FROM base AS a\nRUN secret\nFROM base AS b\nRUN one\nFROM b\nCOPY --from=a /x /x\n",
    });

    const kept = onlyTargetChain(record);

    expect(kept.stages.map(({ name }) => name)).toEqual(["b", "2"]);
    expect(JSON.stringify(kept)).not.toContain("secret");
  });

  it("compares texts and files, and no values, with one that has another salt", () => {
    const before = { ...recordOfDraft({ dockerfile: "FROM base\nARG A=1\nRUN one\nRUN two\n" }), salt: "other" };
    const after = recordOfDraft({ dockerfile: "FROM base\nARG A=2\nRUN one\nRUN three\n" });
    const made = {
      ...after,
      stages: after.stages.map((stage) => ({
        ...stage,
        steps: stage.steps.map((step) => ({ ...step, state: "made" as const })),
      })),
    };

    const { steps } = explainBuild(made, { kind: "build", record: before, name: "before" });

    expect(steps.map(({ causes: [first] }) => first.kind)).toContain("instruction");
    expect(steps.flatMap(({ causes }) => causes).map(({ kind }) => kind)).not.toContain("argument");
  });
});
