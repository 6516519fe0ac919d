// SPDX-License-Identifier: MIT
//
// lint.js - openapi.yaml against the rules of Redocly's linter.

import { createConfig, lint } from "@redocly/openapi-core";

const rules = {
  "no-unused-components": "error",
  "no-invalid-media-type-examples": "error",
  "no-invalid-parameter-examples": "error",
  "no-invalid-schema-examples": "error",
  "operation-operationId-unique": "error",
  "tag-description": "error",
  // Health and metrics have nothing to refuse; addresses here are local.
  "operation-4xx-response": "off",
  "no-server-example.com": "off",
};

// What is wrong with the file, one line each.
export async function lintProblems(file) {
  const config = await createConfig({ extends: ["recommended"], rules });
  const found = await lint({ ref: file, config });
  return found.map((p) =>
    `${p.severity} ${p.ruleId}: ${p.message} at ${p.location[0]?.pointer}`);
}
