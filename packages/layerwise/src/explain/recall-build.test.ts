// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { tagsInOrder } from "./recall-build.ts";

test.each([
  { tags: ["4f2a91c", "main"], order: ["main", "4f2a91c", "latest"] },
  { tags: ["4f2a91c", "latest"], order: ["latest", "4f2a91c"] },
  { tags: ["latest", "4f2a91c"], order: ["latest", "4f2a91c"] },
  { tags: ["latest", "main", "4f2a91c"], order: ["latest", "4f2a91c", "main"] },
  { tags: [], order: ["latest"] },
])("of the tags $tags, the build before is looked for in the order $order", ({ tags, order }) => {
  expect(tagsInOrder(tags)).toEqual(order);
});
