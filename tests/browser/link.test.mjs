// SPDX-License-Identifier: MIT
//
// The connection: lost, back, and what was answered meanwhile.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cardOf, root, waitFor } from "./servers.mjs";
import { lines } from "./scenes.mjs";
import { atRest, complete, pause } from "./steady.mjs";
import { test } from "./test.mjs";

const text = (page, has) => page.getByText(has).first().waitFor();

// What the page sends to answer, with its keys.
function sent(page) {
  const list = [];
  page.on("request", (r) => { if (r.method() === "POST" && r.url().includes("/orders/")) list.push({ path: new URL(r.url()).pathname, key: r.headers()["idempotency-key"] }); });
  return list;
}

test("an answer given without a connection is sent once when it is back", async ({ world, open, place }) => {
  const page = await open();
  const list = sent(page);
  const n = await place({ expires_in: 300 });
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  await page.context().setOffline(true);
  await text(page, "What you see is");
  await cardOf(page, n).locator("[data-part=accept]").click();
  await cardOf(page, n).getByText("Not yours yet").waitFor();
  assert.deepEqual(list, []);
  assert.deepEqual(await world.calls(n, "check-first"), []);
  await page.context().setOffline(false);
  await text(page, `Order ${n} is yours`);
  assert.equal(list.length, 1);
  assert.match(list[0].key, /^[0-9a-f-]{32,36}$/);
  assert.equal((await world.ordered(n)).accepts, 1);
});

test("an answer that could not be sent for two minutes is dropped, and says so", async ({ world, open, place }) => {
  const page = await open({ signIn: false });
  await page.clock.install();
  await page.enrol();
  const list = sent(page);
  const n = await place({ expires_in: 3000 });
  await complete(page, n);
  await page.context().setOffline(true);
  await text(page, "What you see is");
  await pause(page);   // its two minutes are not the machine's
  await page.clock.runFor(3000);
  await atRest(page, { paused: true });
  await cardOf(page, n).locator("[data-part=accept]").click();
  await page.clock.runFor(115000);
  await cardOf(page, n).getByText("Not yours yet").waitFor();
  await page.clock.runFor(7000);
  await text(page, `Order ${n}: your answer was NOT sent`);
  await page.context().setOffline(false);
  await page.clock.runFor(20000);
  await page.clock.resume();
  await page.waitForSelector("#offline", { state: "hidden" });
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  assert.deepEqual(list, []);
  assert.deepEqual(await world.calls(n, "check-first"), []);
});

test("nor is it kept past the deadline", async ({ world, open, place }) => {
  const page = await open({ signIn: false });
  await page.clock.install();
  await page.enrol();
  const n = await place({ expires_in: 50 });
  await complete(page, n);
  await page.context().setOffline(true);
  await text(page, "What you see is");
  await cardOf(page, n).locator("[data-part=accept]").click();
  await page.clock.runFor(55000);
  await text(page, `Order ${n}: your answer was NOT sent`);
  assert.deepEqual(await world.calls(n, "check-first"), []);
});

test("an answer outlives a reload, and goes with the key that it had", async ({ world, open, place }) => {
  const page = await open();
  const list = sent(page);
  const n = await place();
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  // The server has it, and its answer does not come through.
  await page.route("**/accept", async (route) => { await route.fetch().catch(() => {}); await route.abort(); }, { times: 1 });
  await cardOf(page, n).locator("[data-part=accept]").click();
  await waitFor("it was sent", () => list.length === 1);
  await page.reload();
  await waitFor("it was sent again", () => list.length >= 2);
  for (const { key } of list) assert.equal(key, list[0].key);
  await page.getByText("To ship (1)").waitFor();
  assert.equal((await world.ordered(n)).accepts, 1);
});

test("a server that is killed and back: says so at once, shows what it knows, agrees again", async ({ world, open, place }) => {
  const page = await open();
  const n = await place();
  await cardOf(page, n).waitFor();
  await world.kill();
  await text(page, "No connection. What you see is");
  await cardOf(page, n).waitFor();
  await world.again();
  await page.waitForSelector("#offline", { state: "hidden" });
  await world.control(`/orders/${n}/cancel`, {});
  await cardOf(page, n).waitFor({ state: "detached" });
  const later = await place();
  await cardOf(page, later).waitFor();
});

test("what changed while the connection was away is there when it is back", async ({ world, open, place }) => {
  const page = await open();
  const gone = await place(), kept = await place();
  await cardOf(page, kept).waitFor();
  await page.context().setOffline(true);
  await world.control(`/orders/${gone}/accept`, { warehouse: 4 });
  const fresh = await place();
  await page.context().setOffline(false);
  await cardOf(page, fresh).waitFor();
  await cardOf(page, gone).waitFor({ state: "detached" });
  await cardOf(page, kept).waitFor();
});

test("the service worker keeps the shell, never order data, and opens the page without a server", async ({ world, open, place }) => {
  const page = await open();
  const n = await place();
  await cardOf(page, n).waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await cardOf(page, n).waitFor();
  const cached = await page.evaluate(async () => {
    const urls = [];
    for (const name of await caches.keys()) for (const r of await (await caches.open(name)).keys()) urls.push(new URL(r.url).pathname);
    return urls.sort();
  });
  // What only some shops have is kept once it was loaded.
  const extras = /const EXTRAS = `([^`]*)`/.exec(readFileSync(join(root, "server/page/sw.js"), "utf8"))[1].split(/\s+/).map((f) => `${f}.js`);
  const files = readdirSync(join(root, "server/page")).filter((f) => f !== "sw.js" && !extras.includes(f) && !/\.[ch]$/.test(f));   // index.html is "/"
  assert.ok(extras.length > 2);
  assert.equal(cached.length, files.length);
  assert.ok(cached.every((u) => u === "/" || u === "/manifest.webmanifest" || u.startsWith("/page/")), cached.join(" "));
  await world.kill();
  await page.reload();
  await text(page, "No connection.");
  assert.ok(!(await page.content()).includes(String(n)));
  await world.again();
  await cardOf(page, n).waitFor();
});

/* ---- a device that presses more often than it may: 429 ---- */

const FEW = { settings: "device_presses = 1" };
const noConnection = (page) => page.getByText("No connection").filter({ visible: true }).count();
// Keeps whether the page ever says `has`.
const everSays = (page, has) => page.evaluate((has) => {
  window.everSaid = false;
  new MutationObserver(() => { window.everSaid ||= document.body.innerText.includes(has); }).observe(document.body, { childList: true, subtree: true, characterData: true });
}, has);

test("an answer that comes too soon after another waits, says so in plain words, and arrives once", FEW, async ({ world, open, place }) => {
  const page = await open({ size: "tablet" }), list = sent(page);
  const a = await place({ expires_in: 3000 }), b = await place({ expires_in: 4000 });
  for (const n of [a, b]) await complete(page, n);
  await everSays(page, "No connection");
  await cardOf(page, a).locator("[data-part=accept]").click();
  await text(page, `Order ${a} is yours`);
  await atRest(page);
  await cardOf(page, b).locator("[data-part=accept]").click();
  const says = cardOf(page, b).getByText(/^The server is busy. Your answer is sent again by itself \(within \d+ s\). Not yours yet.$/);
  await says.waitFor();
  const first = await says.innerText();
  await waitFor("the seconds to go down", async () => (await says.innerText().catch(() => first)) !== first);
  await text(page, `Order ${b} is yours`);
  const keys = list.filter((x) => x.path.includes(`/${b}/`)).map((x) => x.key);
  assert.ok(keys.length >= 2 && new Set(keys).size === 1, `one key: ${keys}`);
  assert.equal((await world.ordered(b)).accepts, 1);
  assert.equal(await page.evaluate(() => window.everSaid), false, "it never says that there is no connection");
});

test("what is pressed too soon of an order that is ours is done once, a moment later", FEW, async ({ world, open, place }) => {
  const page = await open({ size: "tablet" }), list = sent(page);
  const n = await place();
  await complete(page, n);
  await cardOf(page, n).locator("[data-part=accept]").click();
  await text(page, `Order ${n} is yours`);
  await page.click("#tab-toShip");
  await complete(page, n);
  await atRest(page);
  await cardOf(page, n).locator("[data-part=open]").click();
  await everSays(page, "That did not work");
  await page.click("[data-part=problem]");
  await atRest(page);
  await page.fill("#note", "The box is wet");
  await page.click("dialog [data-part=damaged]");
  await text(page, "The box is wet");
  await page.click("[data-part=found]");
  await text(page, "Solved by");
  for (const verb of ["problem", "solved"]) {
    const keys = list.filter((x) => x.path.endsWith(`/${verb}`)).map((x) => x.key);
    assert.ok(keys.length >= 2 && new Set(keys).size === 1, `${verb}: ${keys}`);
  }
  assert.equal(await page.evaluate(() => window.everSaid), false);
});

test("a shipment that is confirmed too soon is sent again by itself, once", FEW, async ({ world, open, place }) => {
  const page = await open({ size: "tablet" }), list = sent(page);
  const n = await place({ lines: [lines.coat] });
  await complete(page, n);
  await cardOf(page, n).locator("[data-part=accept]").click();
  await text(page, `Order ${n} is yours`);
  await page.click("#tab-toShip");
  await complete(page, n);
  await atRest(page);
  await cardOf(page, n).locator("[data-part=open]").click();
  await everSays(page, "Not shipped");
  await page.locator("[data-part^=tick]").first().click();
  await page.click("[data-part=picked]");
  await page.click("[data-part=packed]");
  await page.fill("#f-carrier", "PostNord");
  await page.fill("#f-tracking", "370000000000000000");
  await atRest(page);
  await page.click("[data-part=ship]");
  await text(page, `Order ${n} is shipped`);
  const keys = list.filter((x) => x.path.endsWith("/ship")).map((x) => x.key);
  assert.ok(keys.length >= 2 && new Set(keys).size === 1, `one key: ${keys}`);
  assert.equal((await world.ordered(n)).shipments.length, 1);
  assert.equal(await page.evaluate(() => window.everSaid), false);
});

test("a list or a start that has to wait its turn waits, and says nothing of a connection", async ({ open, place }) => {
  const page = await open(), n = await place();
  await complete(page, n);
  const asked = {};
  // Three times of each path the server says: later.
  await page.context().route("**/api/v1/**", (route) => {
    const path = new URL(route.request().url()).pathname;
    asked[path] = (asked[path] ?? 0) + 1;
    if (route.request().method() !== "GET" || path.endsWith("/stream") || asked[path] > 3) return route.continue();
    return route.fulfill({ status: 429, headers: { "Retry-After": "2", "Content-Type": "application/problem+json" }, body: '{"title":"Too Many Requests","status":429,"code":"too_many_requests","detail":"x"}' });
  });
  await page.addInitScript(() => addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
    window.everSaid ||= document.body.innerText.includes("No connection");
  }).observe(document.body, { attributes: true, childList: true, subtree: true, characterData: true })));
  await page.reload();
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  assert.ok(asked["/api/v1/me"] > 3 && asked["/api/v1/orders"] > 3, JSON.stringify(asked));
  assert.ok(!await page.evaluate(() => window.everSaid));
  assert.equal(await noConnection(page), 0);
});
