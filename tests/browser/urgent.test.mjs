// SPDX-License-Identifier: MIT
//
// Offers whose time runs out, notices, and what stands in nobody's way.

import assert from "node:assert/strict";
import { beats, cardOf, waitFor } from "./servers.mjs";
import { lines } from "./scenes.mjs";
import { atRest, complete, goBack, lapse, module, pause } from "./steady.mjs";
import { test } from "./test.mjs";

const MINUTE = 60000;
const text = (page, has, where = "body") => page.locator(where).getByText(has).first().waitFor();
const rang = (page) => page.evaluate(() => Number(document.documentElement.dataset.rang || 0));
const answers = (world, n) => world.calls(n, "check-first");
// The server's clock is so that order `n` has `s` seconds left, and the page has
// looked at it.  Resolves with how often it rang.
async function withLeft(page, n, s) {
  await page.evaluate(async ({ n, s }) => {
    const { expires_at } = await (await fetch(`/api/v1/orders/${n}`)).json();
    window.beat(Date.parse(expires_at) - s * 1000 - Date.now());
  }, { n, s });
  await lapse(page, 1500);
  return rang(page);
}

async function opened(page, place, order = {}) {
  const n = await place({ lines: [lines.coat, lines.scarf], ...order });
  await cardOf(page, n).locator("[data-part=accept]").click();
  await page.getByText(/To ship \(/).waitFor();
  await page.click("#tab-toShip");
  await cardOf(page, n).locator("[data-part=open]").click();
  await page.waitForSelector("#scan");
  await complete(page, n);
  return n;
}

/* ---- ringing ---- */

test("it rings when a quarter of the time is left and again two minutes before the end", async ({ open, place }) => {
  const page = await open({ init: beats });
  const n = await place({ expires_in: 1200 });
  await cardOf(page, n).waitFor();
  await waitFor("the ring of a new order", async () => (await rang(page)) === 1);
  await page.click("#shop");
  for (const [s, times] of [[330, 1], [288, 2], [150, 2], [108, 3], [60, 3]]) assert.equal(await withLeft(page, n, s), times, `${s} s`);
});

test("of a short offer too it rings both two minutes before the end and when a quarter of the time is left", async ({ open, place }) => {
  const page = await open({ init: beats });
  const n = await place({ expires_in: 240 });
  await cardOf(page, n).waitFor();
  await waitFor("the ring of a new order", async () => (await rang(page)) === 1);
  await page.click("#shop");
  for (const [s, times] of [[150, 1], [108, 2], [48, 3]]) assert.equal(await withLeft(page, n, s), times, `${s} s`);
});

test("a touch marks as seen only the cards that were on the screen", async ({ open, place }) => {
  const page = await open({ signIn: false });
  await page.clock.install();
  await page.enrol();
  const first = await place({ lines: [lines.coat, lines.scarf, lines.long], expires_in: 3000 });
  const last = await place({ lines: [lines.coat, lines.scarf, lines.long], expires_in: 4000 });
  for (const n of [first, last]) await complete(page, n);
  assert.ok(!(await page.evaluate((n) => { const b = document.querySelector(`[data-key="${n}"]`).getBoundingClientRect(); return b.top + 120 < innerHeight; }, last)), "the second is below the screen");
  await pause(page);
  await page.click("#shop");
  const before = await rang(page);
  for (let s = 0; s < 16 && await rang(page) === before; s++) await page.clock.runFor(1000);
  assert.equal(await rang(page), before + 1, "the second was not seen");
  await cardOf(page, last).scrollIntoViewIfNeeded();
  await page.mouse.click(5, 400);
  const then = await rang(page);
  await page.clock.runFor(40000);
  assert.equal(await rang(page), then);
});

/* ---- the bar ---- */

test("over every view a bar names the offer that presses, and a tap goes to it without answering", async ({ world, open, place }) => {
  const page = await open();
  await opened(page, place, { expires_in: 3000 });
  assert.ok(!(await page.locator("#bar").isVisible()));
  const n = await place({ expires_in: 119, lines: [lines.coat] });
  await text(page, `Order ${n}: 1:`, "#bar");
  await page.click("#tab-done");
  await text(page, `Order ${n}: 1:`, "#bar");
  const { x, y, width, height } = await page.locator("#bar").boundingBox();
  await page.mouse.dblclick(x + width / 2, y + height / 2);
  await page.mouse.click(x + width / 2, y + height / 2);
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  await page.locator("#bar").waitFor({ state: "hidden" });
  assert.deepEqual(await answers(world, n), []);
  // Wherever the finger was, nothing can be pressed for a second.
  await page.click("#tab-toShip");
  await text(page, `Order ${n}: 1:`, "#bar");
  await page.evaluate((n) => {
    document.getElementById("bar").click();
    const b = document.querySelector(`[data-key="${n}"] [data-part=accept]`).getBoundingClientRect();
    document.elementFromPoint(b.left + 5, b.top + 5)?.click();
  }, n);
  await lapse(page, 300);
  assert.deepEqual(await answers(world, n), []);
});

test("a locked tablet shows true counts", { staff: "Anna, Ben" }, async ({ open, place }) => {
  const page = await open({ signIn: false, size: "tablet" });
  await page.clock.install();
  await page.enrol();
  const n = await place();
  await cardOf(page, n).locator("[data-part=accept]").click();
  await page.locator("dialog button", { hasText: "Ben" }).click();
  await page.getByText("To ship (1)").waitFor();
  await page.clock.runFor(11 * MINUTE);
  await text(page, "0 to answer, 1 to ship");
  await place();
  await text(page, "1 to answer, 1 to ship");
  assert.ok(!(await page.locator("#screen").isVisible()));
});

/* ---- notices ---- */

test("a lost race stays until it is read, with Centra's words in the details", async ({ world, open, place }) => {
  const page = await open({ signIn: false });
  await page.clock.install();
  await page.enrol();
  const n = await place({ lines: [lines.coat] });
  await complete(page, n);
  await world.control("/hooks", { paused: true });
  await world.control(`/orders/${n}/accept`, { warehouse: 4 });
  await cardOf(page, n).locator("[data-part=accept]").click();
  await text(page, `Order ${n}. Not yours: another shop may have it. Do not ship.`, "#results");
  await cardOf(page, n).getByText("Not yours: another shop may have it. Do not ship.").waitFor();
  await page.clock.runFor(MINUTE);
  const words = page.locator("#results details p");
  assert.ok(!(await words.isVisible()), "they are folded away");
  await page.click("#results summary");
  assert.match(await words.innerText(), /^Centra: /);
  await page.click("#results [aria-label=Close]");
  assert.equal(await page.locator("#results > *").count(), 0);
  await world.control("/hooks", { paused: false });
});

test("notices cover neither the scan field, its note nor the main button", async ({ open, place }) => {
  const page = await open();
  await opened(page, place);
  await page.fill("#scan", "999");
  await page.press("#scan", "Enter");
  await text(page, "WRONG ITEM");
  const results = await module(page, "results.js");
  for (let i = 1; i < 5; i++) await results.evaluate((m, i) => m.result("bad", `Order ${i} was cancelled. Do not ship.`, i), i);
  await page.context().setOffline(true);
  await page.waitForSelector("#offline:not([hidden])");
  for (const viewport of [page.viewportSize(), { width: 844, height: 390 }]) {
    await page.setViewportSize(viewport);
    for (const to of ["#scan", ".scanbox .state", "[data-part=picked]"]) {
      // While something moves nothing is there for a finger.
      const { covered } = await waitFor("a page at rest", () => page.evaluate((to) => {
        if (document.querySelector(".moved") || document.documentElement.style.getPropertyValue("--top") !== `${document.getElementById("top").offsetHeight}px`) return null;
        const el = document.querySelector(to);
        el.scrollIntoView({ block: "end" });   // as who scrolls to it
        const b = el.getBoundingClientRect();
        return { covered: [[b.left + 4, b.top + 4], [b.right - 4, b.bottom - 4], [(b.left + b.right) / 2, (b.top + b.bottom) / 2]]
          .map(([x, y]) => {
            const top = document.elementsFromPoint(x, y).find((e) => getComputedStyle(e).pointerEvents !== "none");
            if (!top) return `the end of the screen, at ${y}`;
            return top !== el && !el.contains(top) && !top.contains(el) ? `${top.outerHTML.slice(0, 80)} at ${y}` : "";
          }).find(Boolean) };
      }, to));
      assert.ok(!covered, `${viewport.width} wide: ${to} is covered by ${covered}`);
    }
  }
});

test("what happened to the order that is open stands in its view, not in a notice", async ({ open, place }) => {
  const page = await open();
  const n = await opened(page, place);
  const results = await module(page, "results.js");
  await results.evaluate((m, n) => m.result("bad", "something about it", n), n);
  await page.locator("#main").getByText("something about it").waitFor();
  assert.equal(await page.locator("#results > *").count(), 0);
  await goBack(page);
  assert.equal(await page.getByText("something about it").count(), 0, "it was read");
});

/* ---- today ---- */

test("done today forgets yesterday at midnight where the shop is", async ({ world, open, place }) => {
  const page = await open({ init: beats });
  const n = await place();
  await world.control(`/orders/${n}/cancel`, {});
  await page.click("#tab-done");
  await cardOf(page, n).waitFor();
  const { token } = await world.device();
  const { day } = (await world.api(token, "GET", "/me")).body;
  // In one go: the midnight does not come while it is looked at.
  const before = await page.evaluate(async ({ ends, n }) => {
    window.beat(ends - 8000 - Date.now());
    await new Promise((done) => setTimeout(done, 1200));
    return !!document.querySelector(`#main [data-key="${n}"]`);
  }, { ends: Date.parse(day.ends), n });
  assert.ok(before, "it is still today");
  await page.evaluate((ends) => window.beat(ends + 2000 - Date.now()), Date.parse(day.ends));
  await cardOf(page, n).waitFor({ state: "detached" });
  await text(page, "Nothing done yet today");
});

/* ---- a newer page, a server that hangs ---- */

test("a newer version of the page is loaded when idle, once, and never while an order is open", async ({ open, place }) => {
  const page = await open({ signIn: false });
  await page.clock.install();
  let version = null;
  await page.route("**/api/v1/me", async (route) => {
    const r = await route.fetch(), body = await r.text();
    await route.fulfill({ response: r, body: version ? body.replace(/"page":"[^"]*"/, `"page":"${version}"`) : body });
  });
  await page.enrol();
  await opened(page, place);
  await pause(page);   // how long it is idle is not the machine's
  let loads = 0;
  page.on("load", () => loads++);
  version = "newer";
  const meAgain = () => page.evaluate(() => dispatchEvent(new Event("offline")));   // it asks who it is
  const api = await module(page, "api.js");
  await api.evaluate(async (m) => { m.session.me.page = "newer"; });
  await page.clock.runFor(MINUTE);
  assert.equal(loads, 0, "an order is open");
  await atRest(page, { paused: true });
  await page.click("[data-part=back]");
  await page.clock.runFor(20000);
  assert.equal(loads, 0, "somebody was here 20 s ago");
  await page.clock.runFor(15000);
  await waitFor("a new page", async () => loads === 1);
  await page.clock.resume();
  await page.waitForSelector("#tab-toAnswer");
  await meAgain();
  await page.clock.runFor(2 * MINUTE);
  await page.waitForTimeout(300);
  assert.equal(loads, 1, "it is not loaded again and again");
});

test("with a server that hangs the page opens from its cache within 3 s", async ({ world, open }) => {
  const page = await open();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await page.waitForSelector("#tab-toAnswer");
  process.kill(world.server.child.pid, "SIGSTOP");
  try {
    await page.goto(world.url, { waitUntil: "commit" });
    await page.waitForFunction(() => document.title === "shipfrom" && document.styleSheets.length);
    // By the browser's own clock, from when it asked until it had the page.
    const ms = await page.evaluate(() => { const [n] = performance.getEntriesByType("navigation"); return n.responseStart - n.fetchStart; });
    assert.ok(ms > 0 && ms < 4000, `${ms} ms`);
    await text(page, "No connection");
  } finally { process.kill(world.server.child.pid, "SIGCONT"); }
  await page.waitForSelector("#offline", { state: "hidden", timeout: 60000 });
});
