// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseBuildspec } from "./buildspec.ts";

const phases = "phases:\n  build:\n    commands: make";

describe("parseBuildspec", () => {
  it("reads everything that has an effect", () => {
    const spec = parseBuildspec(`
version: 0.2
env:
  shell: bash
  variables: { NUMBER: 1, EMPTY: }
  parameter-store: { LOGIN: /app/login }
  secrets-manager: { TOKEN: "npm:token" }
  exported-variables: [TAG]
phases:
  install:
    runtime-versions: { nodejs: 20 }
    commands: [npm ci]
  build:
    on-failure: RETRY-2-timed out
    commands:
      - |
        one
        two
    finally: [clean]
reports:
  tests: { files: ["**/*.xml"], base-directory: out, file-format: nunitxml }
artifacts:
  files: ["**/*"]
  name: app-$TAG
  base-directory: dist
  discard-paths: yes
  exclude-paths: ["**/*.map"]
  secondary-artifacts:
    docs: { files: [docs/**/*], discard-paths: no }
cache: { paths: ["/root/.npm"] }
`);

    expect(spec).toMatchObject({
      shell: "bash",
      variables: { NUMBER: "1", EMPTY: "" },
      parameterStore: { LOGIN: "/app/login" },
      secretsManager: { TOKEN: "npm:token" },
      exportedVariables: ["TAG"],
      phases: {
        install: { runtimeVersions: { nodejs: "20" }, commands: ["npm ci"], onFailure: { kind: "default" } },
        build: {
          commands: ["one\ntwo\n"],
          finally: ["clean"],
          onFailure: { kind: "retry", count: 2, pattern: /timed out/ },
        },
      },
      reports: [{ group: "tests", baseDirectory: "out", format: "NUNITXML" }],
      artifacts: { name: "app-$TAG", baseDirectory: "dist", discardsPaths: true, excludes: ["**/*.map"] },
      secondaryArtifacts: { docs: { files: ["docs/**/*"], discardsPaths: false } },
      ignored: ["cache: every build starts without one"],
    });
  });

  it("takes a buildspec in JSON, as templates have it", () => {
    const spec = parseBuildspec(JSON.stringify({ version: "0.2", phases: { build: { commands: ["make"] } } }));

    expect(spec).toMatchObject({ shell: "sh", phases: { build: { commands: ["make"] } } });
  });

  it("says what it does not heed", () => {
    const spec = parseBuildspec(
      `version: 0.2\nrun-as: builder\nproxy: { logs: yes }\nenv: { git-credential-helper: yes }\n${phases}`,
    );

    expect(spec.ignored.map((text) => text.split(":")[0])).toEqual(["proxy", "env/git-credential-helper", "run-as"]);
  });

  it.each([
    ["text", "it is no YAML mapping"],
    ["version: 0.1\n", "version is 0.1"],
    [phases, "version is missing"],
    ["version: 0.2\n", "it has no phases"],
    ["version: 0.2\nphases: { test: {} }", "phases has test"],
    [`version: 0.2\nbatch: {}\n${phases}`, "batch is there"],
    [`version: 0.2\nenv: { shell: powershell.exe }\n${phases}`, "env/shell is powershell.exe"],
    ["version: 0.2\nphases: { build: { on-failure: IGNORE } }", "phases/build/on-failure is IGNORE"],
    ["version: 0.2\nphases: { build: { runtime-versions: { nodejs: 20 } } }", "phases/build has runtime-versions"],
    [
      "version: 0.2\nphases:\n  build:\n    commands:\n      - echo a: b",
      'commands has an entry that is no text: {"echo a":"b"}',
    ],
    ["version: 0.2\nphases:\n  build: [", "line 3, column 11"],
    [`version: 0.2\nreports: { a: {}, b: {}, c: {}, d: {}, e: {}, f: {} }\n${phases}`, "reports has 6 groups"],
  ])("refuses %j", (text, why) => {
    expect(() => parseBuildspec(text)).toThrow(`could not use the buildspec: ${why}`);
  });
});
