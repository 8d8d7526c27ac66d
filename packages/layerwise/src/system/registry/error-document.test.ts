// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { readErrorDocument } from "./error-document.ts";

const digest = `sha256:${"ab".repeat(32)}`;

it.each([
  { what: "nothing", body: "", codes: [], message: "" },
  {
    what: "the specification's document",
    body: '{"errors":[{"code":"DENIED","message":"no\\n access","detail":null}]}',
    codes: ["DENIED"],
    message: "DENIED: no access",
  },
  {
    what: "several errors, of which three are shown",
    body: '{"errors":[{"code":"A"},{"code":"B","message":"b"},{"code":"C"},{"code":"D"}]}',
    codes: ["A", "B", "C", "D"],
    message: "A; B: b; C",
  },
  {
    what: "the digest in a detail",
    body: `{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown","detail":{"Digest":"${digest}"}}]}`,
    codes: ["MANIFEST_BLOB_UNKNOWN"],
    message: `MANIFEST_BLOB_UNKNOWN: blob unknown (${digest})`,
  },
  {
    what: "errors without codes",
    body: '{"errors":[{"status":403,"message":"Forbidden"}]}',
    codes: [],
    message: "Forbidden",
  },
  {
    what: "Docker Hub's token server",
    body: '{"details":"incorrect username"}',
    codes: [],
    message: "incorrect username",
  },
  {
    what: "OAuth 2",
    body: '{"error":"invalid_grant","error_description":"expired"}',
    codes: ["invalid_grant"],
    message: "invalid_grant: expired",
  },
  { what: "AWS", body: '{"__type":"Denied","message":"no"}', codes: ["Denied"], message: "Denied: no" },
  { what: "text", body: "Too\n  many", codes: [], message: "Too many" },
  { what: "XML", body: "<Error><Code>Denied</Code></Error>", codes: [], message: "Denied" },
  { what: "JSON of another kind", body: '["x"]', codes: [], message: '["x"]' },
  { what: "errors of another kind", body: '{"errors":"all of them","message":5}', codes: [], message: "" },
])("reads $what", ({ body, codes, message }) => {
  expect(readErrorDocument(Buffer.from(body))).toEqual({ codes, message, isPage: false });
});

it.each(["<!DOCTYPE html><p>Hello</p>", "<html><head><style>p { x: y }</style></head><p>Hello</p></html>"])(
  "knows that %s is a web page",
  (body) => {
    expect(readErrorDocument(Buffer.from(body))).toEqual({ codes: [], message: "Hello", isPage: true });
  },
);
