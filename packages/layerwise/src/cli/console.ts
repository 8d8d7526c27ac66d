// SPDX-License-Identifier: Apache-2.0
import { clearLine, cursorTo } from "node:readline";
import type { Writable } from "node:stream";
import type { Emit, Event } from "../event.ts";
import { formatBytes, type Palette } from "../report/render-text.ts";

/** Shows a build while it runs. */
export interface Console {
  readonly emit: Emit;
  /** Takes away what only stands for the moment. */
  end(): void;
  /** The end of what the engine said, if it was not shown: what a build that failed in it is about. */
  unseen(): readonly string[];
}

/** Lines of an engine that did not show at the time and are kept for an error. */
const maxUnseen = 50;

/** How progress is shown. */
export type ProgressKind = "plain" | "tty" | "quiet" | "json";

/** Opens a console of a kind on a stream. */
export function openConsole(kind: ProgressKind, { stream, palette }: { stream: Writable; palette: Palette }): Console {
  switch (kind) {
    case "quiet":
      return keepingOutput({ emit: () => undefined, end: () => undefined });
    case "json":
      return showingAll((event) => void stream.write(`${JSON.stringify(event)}\n`));
    case "plain":
      return showingAll((event) => writeLines(stream, plainLines(event, palette)));
    case "tty":
      return keepingOutput(liveConsole(stream, palette));
  }
}

function showingAll(emit: Emit): Console {
  return { emit, end: () => undefined, unseen: () => [] };
}

function keepingOutput({ emit, end }: Omit<Console, "unseen">): Console {
  let kept: string[] = [];
  return {
    emit(event) {
      if (event.kind === "engine-output") kept = [...kept, event.line].slice(-maxUnseen);
      emit(event);
    },
    end,
    unseen: () => kept,
  };
}

/** Lines stay, and below them one line says what goes on right now. */
function liveConsole(stream: Writable, palette: Palette): Omit<Console, "unseen"> {
  let hasStatus = false;
  const wipe = () => {
    if (!hasStatus) return;
    cursorTo(stream, 0);
    clearLine(stream, 0);
    hasStatus = false;
  };
  return {
    emit(event) {
      const status = statusOf(event);
      const lines = event.kind === "engine-output" ? [] : plainLines(event, palette);
      if (status === undefined && lines.length === 0) return;
      wipe();
      writeLines(stream, lines);
      if (status === undefined) return;
      const width = (stream as Writable & { columns?: number }).columns ?? 80;
      stream.write(palette.dim(status.slice(0, width - 1)));
      hasStatus = true;
    },
    end: wipe,
  };
}

function statusOf(event: Event): string | undefined {
  switch (event.kind) {
    case "engine-output":
      return event.line.trim() === "" ? undefined : event.line;
    case "request":
      return `${event.method} ${event.url}`;
    default:
      return undefined;
  }
}

function writeLines(stream: Writable, lines: readonly string[]): void {
  if (lines.length > 0) stream.write(`${lines.join("\n")}\n`);
}

/** An event as lines of a log; most of what only counts says nothing. */
function plainLines(event: Event, palette: Palette): readonly string[] {
  const line = (what: string, text: string) => [`${palette.dim(what.padEnd(10))} ${text}`];
  switch (event.kind) {
    case "base-resolved":
      return line("base", `${event.reference} is ${event.digest}`);
    case "context-hashed":
      return line("context", `${event.files} files, ${formatBytes(event.bytes)}`);
    case "checkpoint-found":
      return line("checkpoint", `${event.tag} holds everything up to: ${oneLine(event.instruction)}`);
    case "checkpoint-refused":
      return line("checkpoint", palette.yellow(`${event.tag} is not used: ${event.why}`));
    case "planned":
      return line("route", event.route);
    case "engine-started":
      return line("engine", `${event.engine}${event.target === "" ? "" : `, stage ${event.target}`}`);
    case "engine-output":
      return [event.line];
    case "layer-assembled":
      return line("assembled", `${oneLine(event.text)} (${event.files} entries, ${formatBytes(event.bytes)})`);
    case "blob-mounted":
      return line("mounted", `${event.digest} (${formatBytes(event.bytes)})`);
    case "blob-uploaded":
      return line("uploaded", `${event.digest} (${formatBytes(event.bytes)})`);
    case "tag-moved":
      return line("tagged", `${event.reference} is ${event.digest}`);
    case "checkpoint-saved":
      return line("saved", `${event.tag} after: ${oneLine(event.instruction)}`);
    case "warning":
      return line("warning", palette.yellow(event.message));
    default:
      return [];
  }
}

/** Longest instruction text in a line of progress. */
const instructionWidth = 70;

function oneLine(text: string): string {
  const flat = text.replace(/\s+/g, " ");
  return flat.length <= instructionWidth ? flat : `${flat.slice(0, instructionWidth - 1)}…`;
}
