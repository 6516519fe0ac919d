// SPDX-License-Identifier: MIT
//
// run.mjs - runs the tests of the page, LANES (2) at a time.
// usage: run.mjs [WORD]: only tests whose names, or whose file's name, have it.

import { readdirSync } from "node:fs";
import { startBrowser } from "./servers.mjs";
import { run, tests } from "./test.mjs";

const LATE_MS = 240000;          // a test hangs then; unless its options have another `late`
const here = new URL(".", import.meta.url);
for (const f of readdirSync(here).filter((f) => f.endsWith(".test.mjs")).sort()) {
  const before = tests.length;
  await import(new URL(f, here));
  for (const t of tests.slice(before)) t.file = f;
}

const queue = tests.filter((t) => `${t.file} ${t.name}`.includes(process.argv[2] ?? ""));
const begun = Date.now();
const browser = await startBrowser();
const failed = [];
let passed = 0;

async function one(t) {
  const at = Date.now();
  try {
    await run(browser, t, t.options.late ?? LATE_MS);
    passed++;
    console.log(`ok      ${t.name}  (${Date.now() - at} ms)`);
  } catch (e) {
    failed.push(t.name);
    console.log(`FAILED  ${t.name}  (${Date.now() - at} ms)\n        ${String(e.stack ?? e).replace(/\n/g, "\n        ")}`);
  }
}

async function lane() {
  while (queue.length) await one(queue.shift());
}

await Promise.all(Array.from({ length: Number(process.env.LANES ?? 2) }, lane));
await browser.close();
console.log(`${Math.round((Date.now() - begun) / 1000)} s`);
for (const name of failed) console.log(`failed: ${name}`);
console.log(`${passed} passed, ${failed.length} failed`);
process.exit(failed.length || !passed ? 1 : 0);
