// SPDX-License-Identifier: Apache-2.0
import { appendFile, writeFile } from "node:fs/promises";
import { LayerwiseError } from "../error.ts";

/** A form in which a report can be written. */
export type ReportForm = "json" | "markdown" | "html";

/** Where a report goes. */
export interface ReportFile {
  readonly form: ReportForm;
  readonly path: string;
}

const forms: Readonly<Record<string, ReportForm>> = {
  json: "json",
  md: "markdown",
  markdown: "markdown",
  html: "html",
  htm: "html",
};

/** Reads `--report`: a file, whose name says the form, or `type=html,dest=FILE`. Other names are for JSON. Pure. */
export function readReportFile(text: string): ReportFile {
  const spec = /^type=([^,]*),dest=(.+)$/.exec(text);
  if (spec === null) {
    const extension = /\.([a-z]+)$/i.exec(text)?.[1]?.toLowerCase() ?? "";
    return { form: forms[extension] ?? "json", path: text };
  }
  const form = forms[spec[1] as string];
  if (form === undefined) {
    throw new LayerwiseError("USAGE", `could not read --report ${text}: there is no form ${spec[1]}`, {
      hint: "use json, markdown or html",
    });
  }
  return { form, path: spec[2] as string };
}

/** Writes reports; each form is made when a file asks for it. DISK if one cannot be written. */
export async function writeReports(
  files: readonly ReportFile[],
  render: Readonly<Record<ReportForm, () => Promise<string>>>,
): Promise<void> {
  for (const { form, path } of files) await writeText(path, await render[form]());
}

/** Writes a small file. DISK if that cannot be. */
export async function writeText(
  path: string,
  text: string,
  { append = false }: { append?: boolean } = {},
): Promise<void> {
  try {
    await (append ? appendFile(path, text) : writeFile(path, text));
  } catch (cause) {
    throw new LayerwiseError(
      "DISK",
      `could not write ${path}: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`,
      {
        cause,
        hint: "name a file that this user may write; the image itself is where it should be",
      },
    );
  }
}
