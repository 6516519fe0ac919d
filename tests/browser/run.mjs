// SPDX-License-Identifier: MIT
//
// run.mjs - runs the tests of the page, LANES (2) at a time.
// usage: run.mjs [WORD]: only tests whose names, or whose file's name, have it.

import { readdirSync } from "node:fs";
import { startBrowser } from "./servers.mjs";
import { run, tests } from "./test.mjs";

const LATE_MS = 60000;           // unless a test's options have another `late`
const here = new URL(".", import.meta.url);
for (const f of readdirSync(here).filter((f) => f.endsWith(".test.mjs")).sort()) {
  const before = tests.length;
  await import(new URL(f, here));
  for (const t of tests.slice(before)) t.file = f;
}

const queue = tests.filter((t) => `${t.file} ${t.name}`.includes(process.argv[2] ?? ""));
const begun = Date.now();
const browser = await startBrowser();
let passed = 0, failed = 0;

async function one(t) {
  const at = Date.now();
  let timer;
  try {
    const ms = t.options.late ?? LATE_MS;
    const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error(`not done in ${ms / 1000} s`)), ms); });
    await Promise.race([run(browser, t), late]);
    passed++;
    console.log(`ok      ${t.name}  (${Date.now() - at} ms)`);
  } catch (e) {
    failed++;
    console.log(`FAILED  ${t.name}  (${Date.now() - at} ms)\n        ${String(e.stack ?? e).replace(/\n/g, "\n        ")}`);
  }
  clearTimeout(timer);
}

async function lane() {
  while (queue.length) await one(queue.shift());
}

await Promise.all(Array.from({ length: Number(process.env.LANES ?? 2) }, lane));
await browser.close();
console.log(`${Math.round((Date.now() - begun) / 1000)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
