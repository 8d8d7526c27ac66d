// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { excerptOf, redactText, redactUrl } from "./redact.ts";

describe("redactUrl", () => {
  it.each([
    ["https://registry.example/v2/", "https://registry.example/v2/"],
    ["https://user:secret@registry.example:5000/v2/a", "https://registry.example:5000/v2/a"],
    ["https://us%40er:sec@ret@registry.example/v2/", "https://registry.example/v2/"],
    ["http://[::1]:5000/v2/a?digest=sha256%3Aab&_state=tok", "http://[::1]:5000/v2/a?digest=sha256%3Aab&_state=***"],
    [
      "https://s3.example/x?X-Amz-Signature=f00&X-Amz-Date=1",
      "https://s3.example/x?X-Amz-Signature=***&X-Amz-Date=***",
    ],
    [
      "https://auth.example/token?service=s&scope=repository:a:pull",
      "https://auth.example/token?service=s&scope=repository:a:pull",
    ],
    ["https://auth.example/token?opaque", "https://auth.example/token?***"],
    ["https://auth.example/token#fragment", "https://auth.example/token"],
    ["/v2/a/blobs/uploads/1?_state=tok", "/v2/a/blobs/uploads/1?_state=***"],
    ["no url at all", "no url at all"],
  ])("shows %s as %s", (url, expected) => {
    expect(redactUrl(url)).toBe(expected);
  });
});

describe("redactText", () => {
  it.each([
    ["the password hunter2/+ is wrong", "the password *** is wrong"],
    ["password=hunter2%2F%2B", "password=***"],
    [`basic ${Buffer.from("hunter2/+").toString("base64")}`, "basic ***"],
    ["see https://me:pw@registry.example/v2/?token=abc now", "see https://registry.example/v2/?token=*** now"],
    ["Authorization: Bearer eyJhbGciOi.J9 was refused", "Authorization: Bearer *** was refused"],
    ['Bearer realm="https://auth.example/token"', 'Bearer realm="https://auth.example/token"'],
    ["nothing to hide", "nothing to hide"],
  ])("shows %s as %s", (text, expected) => {
    expect(redactText(text, ["hunter2/+"])).toBe(expected);
  });

  it("masks a secret whole when another secret is a part of it", () => {
    const shown = redactText("value abcdef here", ["abc", "abcdef"]);

    expect(shown).toBe("value *** here");
  });

  it("masks a secret that JSON has escaped", () => {
    const shown = redactText(JSON.stringify({ error: 'pass"word' }), ['pass"word']);

    expect(shown).toBe('{"error":"***"}');
  });

  it("ignores an empty secret", () => {
    expect(redactText("abc", [""])).toBe("abc");
  });
});

describe("excerptOf", () => {
  it("leaves no part of a secret that stands where the text is cut", () => {
    const shown = excerptOf(`${"x".repeat(15)}hunter2 and more`, { secrets: ["hunter2"], length: 20 });

    expect(shown).toBe(`${"x".repeat(15)}*** a…`);
  });
});
