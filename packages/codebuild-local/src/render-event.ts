// SPDX-License-Identifier: Apache-2.0
import type { BuildEvent } from "./build-event.ts";

/** An event as text for a log, in the manner of CodeBuild's own. */
export function renderEvent(event: BuildEvent, time: Date): string {
  const stamp = `[Container] ${time.toISOString().replace(/-/g, "/").replace("T", " ").replace(/Z$/, "")}`;
  switch (event.kind) {
    case "note":
      return `${stamp} ${event.text}\n`;
    case "phase-begins":
      return `${stamp} Entering phase ${event.phase}\n`;
    case "command":
      return `${stamp} Running command ${event.command}\n`;
    case "output":
      return event.text;
    case "phase-ends": {
      const { type, status, context } = event.phase;
      const { statusCode = "", message = "" } = context ?? {};
      return `${stamp} Phase complete: ${type} State: ${status}\n${stamp} Phase context status code: ${statusCode} Message: ${message}\n`;
    }
  }
}
