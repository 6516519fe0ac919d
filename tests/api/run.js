// SPDX-License-Identifier: MIT
//
// run.js - openapi.yaml against the linter, and against the real server.
//
//	BUILD=build node tests/api/run.js
//
// Fails on any answer that is not described, and on any that is described and
// was never seen.  What was exchanged is kept in build/api/exchanges.jsonl.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Contract } from "./contract.js";
import { lintProblems } from "./lint.js";
import { build, call, root, startCentra, startShipfrom } from "./servers.js";
import { fill, Tour } from "./tour.js";

const FILE = join(root, "openapi.yaml");
const work = join(build, "api");

// A disk that fails while a shop answers: shown where the disk is made to fail.
const NOT_HERE = new Set([
  "POST /api/v1/orders/{number}/accept 503 not_stored",
  "POST /api/v1/orders/{number}/reject 503 not_stored",
  "POST /api/v1/orders/{number}/problem 503 not_stored",
  "POST /api/v1/orders/{number}/solved 503 not_stored",
  "POST /api/v1/orders/{number}/stopped 503 not_stored",
  "POST /api/v1/orders/{number}/ship 503 not_stored",
  "PUT /api/v1/stock 503 not_stored",
  "POST /api/v1/session 503 not_stored",
  "DELETE /api/v1/session 503 not_stored",
  // What is too quick to be met in the middle.
  "POST /refused/retry 409 retrying",
  "POST /refused/retry 503 retrying",
  // Faults of ours.
  "any route 500 no_answer",
  "any route 500 too_large",
  // A row that is damaged: tests/unit/test_unreadable.
  "any route 500 unreadable",
  "any route 401 device_unreadable",
  // Seen by tests/e2e/test_stream: 15 s of silence, an order that is no more.
  "GET /api/v1/stream event beat",
  "GET /api/v1/stream event removed",
  // How a lookup ends is the same for all, and seen with products and stock.
  ...["returns", "deliveries", "deliveries/{id}"].flatMap((path) =>
    ["centra_away", "centra_busy", "centra_refused"].map((code) =>
      `GET /api/v1/${path} 503 ${code}`)),
  // Seen by tests/e2e/test_return and test_delivery, or when the disk is full.
  "POST /api/v1/returns 409 unsure",
  "POST /api/v1/returns 409 answered",
  "POST /api/v1/returns 503 not_stored",
  "POST /api/v1/deliveries/{id}/receive 409 refused",
  "POST /api/v1/deliveries/{id}/receive 409 unsure",
  "POST /api/v1/deliveries/{id}/receive 409 answered",
  "POST /api/v1/deliveries/{id}/receive 503 not_stored",
  // Only where no graphql_url is set.
  "POST /api/v1/orders/{number}/ship 409 not_configured",
]);

let passed = 0, failed = 0;
const told = new Set();
function verdict(what, problems) {
  if (problems.length === 0) {
    passed++;
    return;
  }
  // The same thing wrong with fifty answers is said once.
  if (told.has(problems.join())) return;
  told.add(problems.join());
  failed++;
  console.log(`not ok: ${what}`);
  for (const p of problems) console.log(`    ${p}`);
}

const contract = new Contract(FILE);
const seen = new Set();
const exchanges = [];

const recorded = (server) => async (method, path, options, base) => {
  const r = await call(base ?? server.url, method, path, options);
  const { seen: which, problems } = contract.check(r);
  exchanges.push({ method, path, status: r.status, body: r.body });
  for (const w of which) seen.add(w);
  if (problems.length)
    verdict(`${method} ${path} ${r.status} ` +
      JSON.stringify(r.body).slice(0, 500), problems);
  return r;
};

async function step(what, run) {
  try {
    await run();
    verdict(what, []);
  } catch (e) {
    verdict(what, [e.stack]);
  }
}

// The page's texts: as it would read them.
globalThis.document = { documentElement: {} };
Object.defineProperty(globalThis, "navigator",
  { value: { language: "sv-SE" }, configurable: true });
const { texts } = await import("data:text/javascript," + encodeURIComponent(
  readFileSync(join(root, "server/page/texts.js"), "utf8")));
for (const [from, to] of [["en", "sv"], ["sv", "en"]])
  verdict(`every text of ${from} is in ${to}`, Object.entries(texts[from])
    .filter(([k, v]) => !texts[to][k] || places(v) !== places(texts[to][k]))
    .map(([k]) => k));

// "{n} of {of}" -> "{n}{of}", in any order: what a translation must keep.
function places(text) {
  return (text.match(/\{\w+\}/g) ?? []).sort().join("");
}

verdict("every code of openapi.yaml is answered somewhere",
  contract.idleCodes());
verdict("openapi.yaml passes the linter", await lintProblems(FILE));

const centra = await startCentra();
const server = await startShipfrom(`${work}/one`, centra.url, "drain = 2s");
try {
  await centra.control("/hooks", { url: `${server.url}/webhooks/centra/se`,
    retries: 3 });
  const ask = recorded(server);
  const tour = new Tour(ask, centra, server);
  await step("webhooks", () => tour.webhooks());
  await step("strangers", () => tour.strangers());
  await step("closed shop", () => tour.closedShop());
  await step("not HTTP", () => tour.limits());
  await step("staff", () => tour.staff());
  await step("reading", () => tour.reading());
  await step("counting", () => tour.counting());
  await step("stream", () => tour.stream());
  await step("session", () => tour.session());
  await step("page", () => tour.page());
  await step("keys", () => tour.keys());
  await step("order API", () => tour.orderApi());
  await step("system ships", () => tour.systemShips());
  await step("changed", () => tour.changed());
  await step("requested", () => tour.requested());
  await step("taken", () => tour.taken());
  await step("ended", () => tour.ended());
  await step("shipping", () => tour.shipping());
  await step("afterwards", () => tour.afterwards());
  await step("rejected", () => tour.rejected());
  await step("elsewhere", () => tour.elsewhere());
  await step("under way", () => tour.underWay());
  await step("counter", () => tour.counter());
  await step("goods", () => tour.goods());
  await step("refused", () => tour.refused());
  await step("operation", () => tour.operation(server.admin));
  await step("guessing", () => tour.guessing());
  await step("draining", async () => {
    server.terminate();
    for (let i = 0; i < 100; i++)
      if ((await ask("GET", "/readyz")).status === 503) return;
    throw new Error("/readyz never said 503 while draining");
  });
} finally {
  await server.stop();
}

const small = await startShipfrom(`${work}/small`, centra.url,
  "store_max = 4M\ndrain = 0s");
try {
  await step("a full store", () => fill(recorded(small)));
} finally {
  await small.stop();
  await centra.stop();
}

for (const answer of contract.described())
  if (NOT_HERE.has(answer))
    verdict(`${answer} is seen after all: take it off the list`,
      seen.has(answer) ? ["it is on NOT_HERE"] : []);
  else
    verdict(answer, seen.has(answer) ? [] : [`never seen: ${answer}`]);

mkdirSync(work, { recursive: true });
writeFileSync(`${work}/exchanges.jsonl`,
  exchanges.map((e) => JSON.stringify(e)).join("\n") + "\n");
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
