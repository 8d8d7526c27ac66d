// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { hasExecutedRun } from "./build-log.ts";

const digest = "sha256:c49ce180dd60cb6603e1e7b609625afdf54d4a60f8eda762b5054f994b40cda8";
const before = `#4 [1/4] FROM registry.example/python:1@${digest}
#4 extracting ${digest} 0.4s done
#4 CACHED
#6 [2/4] COPY requirements.txt .
#6 CACHED
`;
const after = "#8 [4/4] ADD ./src /var/task\n#8 DONE 0.1s\n#9 exporting to image\n#9 DONE 0.0s\n";

it.each([
  ["with output", "#7 [3/4] RUN pip3 install\n#7 1.471 Looking in links\n#7 DONE 5.5s\n", true],
  ["without output", "#7 [3/4] RUN pip3 install\n#7 DONE 0.7s\n", true],
  ["of Docker 20", `#7 [3/4] RUN pip3 install\n#7 ${digest}\n#7 DONE 0.7s\n`, true],
  [
    "beside other vertices",
    "#7 [3/4] RUN pip3\n#70 CACHED\n#8 [4/4] ADD\n#8 DONE 0.1s\n#7 [3/4] RUN pip3\n#7 0.4 x\n",
    true,
  ],
  ["that was found", "#7 [3/4] RUN pip3 install\n#7 CACHED\n", false],
  [
    "that was found by Docker 20",
    `#7 [3/4] RUN pip3 install\n#7 ${digest}\n#7 pulling ${digest} done\n#7 CACHED\n`,
    false,
  ],
  [
    "whose layer is extracted",
    `#7 [3/4] RUN pip3\n#7 ${digest} 1MB / 1MB 0.2s\n#7 extracting ${digest} 0.3s done\n#7 DONE 1s\n`,
    false,
  ],
])("tells of a RUN %s whether it was executed", (_, lines, executed) => {
  expect(hasExecutedRun(before + lines + after)).toBe(executed);
});

it("refuses a log without RUN", () => {
  expect(() => hasExecutedRun(before + after)).toThrow("could not find RUN in the log of the engine");
});
