// SPDX-License-Identifier: MIT
//
// The connection: lost, back, and what was answered meanwhile.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { cardOf, root, waitFor } from "./servers.mjs";
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
  const files = readdirSync(join(root, "server/page")).filter((f) => f !== "sw.js" && !/\.[ch]$/.test(f));   // index.html is "/"
  assert.equal(cached.length, files.length);
  assert.ok(cached.every((u) => u === "/" || u === "/manifest.webmanifest" || u.startsWith("/page/")), cached.join(" "));
  await world.kill();
  await page.reload();
  await text(page, "No connection.");
  assert.ok(!(await page.content()).includes(String(n)));
  await world.again();
  await cardOf(page, n).waitFor();
});
