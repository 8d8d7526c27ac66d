// SPDX-License-Identifier: Apache-2.0
import * as v from "valibot";

/** What is wrong with a document, in a line: the first issue and where in the document it is. */
export function firstIssue([issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const path = v.getDotPath(issue);
  const why = issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
  return path === null ? why : `${path}: ${why}`;
}
