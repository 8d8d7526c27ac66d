// SPDX-License-Identifier: Apache-2.0
import type { Blob } from "../../src/ports.ts";
import { startDigest } from "../../src/spec/digest.ts";
import { createRepositories } from "../../src/system/repositories.ts";

/*
 * upload HOST MEBIBYTES: uploads a small blob and then one of zeros, and writes the peak of its memory (KiB) after each.
 */

const [host = "", mebibytes = "0"] = process.argv.slice(2);
const chunk = Buffer.alloc(1024 * 1024);
const repositories = createRepositories({ clock: { now: () => 0, ticks: () => performance.now() }, environment: {} });
const repository = repositories.inRegistry({ host, path: "app" });
const big = zeros(Number(mebibytes));

await repository.pushBlob(zeros(1));
const before = process.resourceUsage().maxRSS;
await repository.pushBlob(big);
const after = process.resourceUsage().maxRSS;
process.stdout.write(JSON.stringify({ before, after }));

function zeros(count: number): Blob {
  const digester = startDigest();
  for (let index = 0; index < count; index++) digester.update(chunk);
  return {
    descriptor: { mediaType: "application/octet-stream", digest: digester.digest(), size: count * chunk.length },
    async *open() {
      for (let index = 0; index < count; index++) yield chunk;
    },
  };
}
