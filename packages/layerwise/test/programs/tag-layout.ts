// SPDX-License-Identifier: Apache-2.0
import { digestOf } from "../../src/spec/digest.ts";
import { encodeManifest } from "../../src/spec/manifest.ts";
import { mediaTypes } from "../../src/spec/media-type.ts";
import { openLayout } from "../../src/system/oci-layout.ts";

/* tag-layout DIRECTORY PREFIX COUNT: pushes one image and tags it PREFIX-0 … PREFIX-COUNT. */

const [directory = "", prefix = "", count = "0"] = process.argv.slice(2);
const layout = openLayout(directory);
const config = Buffer.from("{}");
const descriptor = { mediaType: mediaTypes.oci.config, digest: digestOf(config), size: config.length };
await layout.pushBlob({
  descriptor,
  async *open() {
    yield config;
  },
});
const mediaType = mediaTypes.oci.manifest;
const bytes = encodeManifest({ mediaType, config: descriptor, layers: [], annotations: { made: prefix } });
const manifest = { mediaType, digest: digestOf(bytes), bytes };
for (let index = 0; index < Number(count); index++) await layout.pushManifest(`${prefix}-${index}`, manifest);
