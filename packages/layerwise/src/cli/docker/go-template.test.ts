// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { renderTemplate } from "./go-template.ts";

const image = { Id: "sha256:1", RepoTags: ["a:1", "b:2"], Config: { Entrypoint: ["/e"], Labels: { b: "2", a: "1" } } };

describe("renderTemplate", () => {
  it.each([
    ["{{.Id}}", "sha256:1"],
    ["{{ .Id }}:{{.RepoTags}}\\n", "sha256:1:[a:1 b:2]\n"],
    ["{{json .RepoTags}}", '["a:1","b:2"]'],
    ["{{json .Config.Entrypoint}}", '["/e"]'],
    ["{{.Config.Labels}}", "map[a:1 b:2]"],
    ["{{json .}}", JSON.stringify(image)],
    ["json", JSON.stringify(image)],
    ["plain", "plain"],
  ])("fills in %s", (template, text) => {
    expect(renderTemplate(template, image)).toBe(text);
  });

  it.each(["{{range .RepoTags}}", "{{.Missing}}", "{{.Id.More}}", "{{index .RepoTags 0}}"])(
    "refuses %s",
    (template) => {
      expect(() => renderTemplate(template, image)).toThrow("could not fill in --format {{");
    },
  );
});
