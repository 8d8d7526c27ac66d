// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { readDemoOptions } from "./options.ts";

it("reads nothing as the whole story in the best mode", () => {
  expect(readDemoOptions([])).toEqual({ json: undefined, quick: false, mode: undefined, help: false });
});

it("reads all that it knows", () => {
  const options = readDemoOptions(["--quick", "--json", "figures.json", "--mode", "layout"]);

  expect(options).toEqual({ json: "figures.json", quick: true, mode: "layout", help: false });
});

it.each([
  [["--fast"], "could not read the command line: Unknown option '--fast'"],
  [["twice"], "could not read the command line"],
  [["--mode", "cloud"], "could not read --mode cloud: use one of engines, docker, layout"],
])("refuses %j", (args, message) => {
  expect(() => readDemoOptions(args)).toThrow(message);
});
