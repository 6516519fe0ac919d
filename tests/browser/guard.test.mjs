// SPDX-License-Identifier: MIT
//
// Nothing by accident: a second tap, Escape and Back.

import assert from "node:assert/strict";
import { cardOf, waitFor } from "./servers.mjs";
import { lines } from "./scenes.mjs";
import { atRest, complete, goBack, lapse, module, pause, systemBack, topKnown } from "./steady.mjs";
import { test } from "./test.mjs";
import { scan, tapAgo } from "./wedge.mjs";

const part = (page, n, name) => cardOf(page, n).locator(`[data-part=${name}]`);

// The middle of what is on the screen, for a finger that does not look.
async function middle(locator) {
  const b = await locator.boundingBox();
  return [b.x + b.width / 2, b.y + b.height / 2];
}

// Its clock stands still, and nothing moves.
async function standStill(page) {
  await pause(page);
  await page.clock.runFor(3000);
  await atRest(page, { paused: true });
}

// A screen whose clock stands still; run(ms) lets it go on.
async function stopped(open, place, orders, size = "tablet") {
  const page = await open({ signIn: false, size });
  await page.clock.install();
  await page.enrol();
  const numbers = [];
  for (const o of orders) numbers.push(await place({ lines: [lines.coat], ...o }));
  for (const n of numbers) await complete(page, n);
  await standStill(page);
  return [page, ...numbers];
}

// Lets the page draw what it was told, in 20 ms steps, until `what` shows.
const drawn = (page, what) => waitFor("the page shows it", async () => { await page.clock.runFor(20); return what(); });

test("a second tap within 1.2 s of an answer accepts nothing else", async ({ world, open, place }) => {
  const [page, a, b] = await stopped(open, place, [{ expires_in: 3000 }, { expires_in: 4000 }]);
  const onA = await middle(part(page, a, "accept")), onB = await middle(part(page, b, "accept"));
  await page.mouse.click(...onA);
  await waitFor(`${a} is accepted`, async () => (await world.ordered(a)).accepts === 1);
  await page.clock.runFor(1150);
  for (const at of [onA, onB]) await page.mouse.click(...at);
  await page.clock.runFor(20);
  assert.equal(await part(page, b, "accept").count(), 1, "the other order still waits for an answer");
  assert.deepEqual(await world.calls(b, "check-first"), []);
  await page.clock.runFor(100);
  await page.mouse.click(...onB);
  await waitFor(`${b} is accepted`, async () => (await world.ordered(b)).accepts === 1);
});

test("nor a second tap after the reason of a reject", async ({ world, open, place }) => {
  const [page, a, b] = await stopped(open, place, [{ expires_in: 3000 }, { expires_in: 4000 }]);
  await part(page, a, "reject").click();
  await page.clock.runFor(600);   // the dialog rests
  await page.click("dialog [data-part=damaged]");
  await page.clock.runFor(1100);
  await page.mouse.click(...await middle(part(page, b, "accept")));
  await page.clock.runFor(20);
  assert.equal(await part(page, b, "accept").count(), 1);
  assert.deepEqual(await world.calls(b, "check-first"), []);
});

const taken = (world, n) => world.control(`/orders/${n}/accept`, { warehouse: 4 });
for (const [how, end, size] of [["answered here", null, "phone"], ["answered here", null, "tablet"], ["that another shop took", taken, "phone"], ["that another shop took", taken, "tablet"]]) {
  test(`a card ${how} stays in its place for 3 s, and the list does not move: ${size}`, async ({ world, open, place }) => {
    const [page, a, b] = await stopped(open, place, [{ expires_in: 3000 }, { expires_in: 4000 }], size);
    const before = await middle(part(page, b, "accept"));
    if (end) await end(world, a);
    else {
      await page.mouse.click(...await middle(part(page, a, "accept")));
      assert.deepEqual(await middle(part(page, b, "accept")), before, "nor while Centra is asked");
    }
    await drawn(page, () => cardOf(page, a).getByText(end ? "Do not ship" : `Order ${a} is yours`).count());
    await page.clock.runFor(2900);
    assert.deepEqual(await middle(part(page, b, "accept")), before);
    assert.equal(await cardOf(page, a).count(), 1);
    assert.equal(await part(page, a, "accept").count(), 0);
    await page.getByText("To answer (1)").waitFor();
    await page.clock.runFor(1200);
    assert.equal(await cardOf(page, a).count(), 0);
  });
}

test("a new order does not push the others away under a finger", async ({ open, place }) => {
  const [page, a] = await stopped(open, place, [{ expires_in: 3000 }]);
  const before = await middle(part(page, a, "accept"));
  await page.mouse.click(5, 400);
  const sooner = await place({ expires_in: 300, lines: [lines.coat] });
  // Its clock does not go on before the page was told.
  const live = await module(page, "live.js");
  await waitFor("the page was told", () => live.evaluate((m, n) => m.orders.has(n), sooner));
  await drawn(page, () => cardOf(page, sooner).count());
  assert.deepEqual(await middle(part(page, a, "accept")), before);
  await page.clock.runFor(2500);
  assert.deepEqual(await page.locator("#main [data-key]").evaluateAll((els) => els.map((e) => Number(e.dataset.key))), [sooner, a]);
});

async function toPack(page, place) {
  const n = await place({ lines: [lines.coat] });
  await complete(page, n);
  await part(page, n, "accept").click();
  await page.getByText(`Order ${n} is yours`).first().waitFor();
  await page.click("#tab-toShip");
  await part(page, n, "open").click();
  await page.click("[data-part^=tick]");
  await page.click("[data-part=picked]");
  await page.waitForSelector("[data-part=packed]");
  await complete(page, n);
  return n;
}

test("two taps on Packed do not ship, with a remembered carrier", async ({ world, open, place }) => {
  const page = await open();
  await page.evaluate(() => { localStorage.carrier = JSON.stringify({ carrier: "PostNord", service: "Parcel" }); });
  const n = await toPack(page, place);
  // Both presses in one moment, wherever the second button is.
  await atRest(page);
  await page.evaluate(() => {
    document.querySelector("[data-part=packed]").click();
    document.querySelector("[data-part=ship]").click();
  });
  await page.waitForSelector("#f-tracking");
  await lapse(page, 200);
  assert.equal(await page.locator("[data-part=ship]").count(), 1);
  assert.equal((await world.ordered(n)).shipments.length, 0);
});

test("Escape and Back, however often, do not dismiss stop", async ({ world, open, place }) => {
  const page = await open();
  const n = await toPack(page, place);
  await world.control(`/orders/${n}/cancel`, {});
  await page.waitForSelector("dialog.stop");
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("dialog.stop[open]").count(), 1, `Escape ${i + 1}`);
  }
  for (let i = 0; i < 4; i++) {
    await systemBack(page);
    assert.equal(await page.locator("dialog.stop[open]").count(), 1, `Back ${i + 1}`);
  }
  await systemBack(page, 4);
  assert.equal(await page.locator("dialog.stop[open]").count(), 1, "Back four times at once");
  // As a phone's own Back does it: it asks the dialog to close, again and again.
  for (let i = 0; i < 4; i++) {
    await page.evaluate(() => { const d = document.querySelector("dialog.stop"); if (d.requestClose) d.requestClose(); d.close(); });
    await page.waitForSelector("dialog.stop[open]");
  }
  assert.ok(await page.evaluate(() => document.querySelector("dialog.stop").matches(":modal")), "nothing behind it can be pressed");
  await page.click("#stopped");
  await page.waitForSelector("dialog.stop", { state: "detached" });
});

test("Escape and Back, however often, do not blank the lock", { staff: "Anna, Ben" }, async ({ open, place }) => {
  const page = await open({ signIn: false });
  await page.clock.install();
  await page.enrol();
  const n = await place();
  await part(page, n, "accept").click();
  await page.locator("dialog button", { hasText: "Ben" }).click();
  await page.getByText(`Order ${n} is yours`).first().waitFor();
  await page.clock.runFor(11 * 60000);
  await page.waitForSelector("dialog #who-title");
  for (let i = 0; i < 6; i++) await page.keyboard.press("Escape");
  for (let i = 0; i < 4; i++) await systemBack(page);
  await systemBack(page, 4);
  await page.evaluate(() => document.querySelector("dialog").close());
  await page.waitForSelector("dialog[open]");
  assert.ok(!(await page.locator("#screen").isVisible()));
  await page.locator("dialog button", { hasText: "Anna" }).click();
  await page.locator("#screen").waitFor();
  assert.equal(await page.locator("#who").innerText(), "Anna");
});

test("Back inside an order returns to the list, and Back in a dialog closes it", async ({ world, open, place }) => {
  const page = await open();
  const n = await toPack(page, place), list = [];
  page.on("request", (r) => { if (r.method() === "POST") list.push(r.url()); });
  await page.click("[data-part=problem]");
  await page.waitForSelector("dialog #why");
  await systemBack(page);
  await page.waitForSelector("dialog", { state: "detached" });
  await page.waitForSelector("[data-part=packed]");
  await systemBack(page);
  await part(page, n, "open").waitFor();
  assert.equal(await page.locator("#tab-toShip").getAttribute("aria-selected"), "true");
  // Closed by its own button, an order leaves nothing behind for Back.
  await part(page, n, "open").click();
  await page.waitForSelector("[data-part=back]");
  await page.waitForFunction(() => history.state?.above);
  await page.click("[data-part=back]");
  await page.waitForFunction(() => !history.state?.above);
  await part(page, n, "open").click();
  await page.waitForSelector("[data-part=packed]");
  await systemBack(page);
  await part(page, n, "open").waitFor();
  assert.deepEqual(list, []);
  assert.equal((await world.ordered(n)).shipments.length, 0);
});

/* ---- what comes under a finger ---- */

// The texts of the buttons that a finger would press now, of all in `where`.
const pressable = (page, where) => page.locator(`${where} button`).evaluateAll((all) => all.filter((el) => {
  const b = el.getBoundingClientRect();
  return el.contains(document.elementFromPoint(b.left + b.width / 2, b.top + b.height / 2));
}).map((el) => el.textContent));

// Nothing in `where` can be pressed for `ms`, and then it can.
async function rests(page, where, ms, what) {
  await page.clock.runFor(ms);
  assert.deepEqual(await pressable(page, where), [], what);
  await page.clock.runFor(700);
  assert.notEqual((await pressable(page, where)).length, 0, what);
}

test("a second tap presses nothing in a dialog that has just opened, nor what is below one that has just closed", { staff: "Anna, Ben" }, async ({ open, place }) => {
  const [page, n] = await stopped(open, place, [{ expires_in: 3000 }]);
  const tap = (where) => page.evaluate((where) => document.querySelector(where).click(), where);
  await tap(`[data-key="${n}"] [data-part=reject]`);
  await rests(page, "dialog", 500, "why");
  await scan(page, "96385074");
  await page.waitForSelector("dialog .said");
  await rests(page, "dialog", 300, "why, whose choices a scan's note has moved");
  await tap("dialog [data-part=damaged]");   // who are you?
  await page.waitForSelector("dialog #who-title");
  await rests(page, "dialog", 500, "who");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  await rests(page, "#main", 300, "the cards below");
  await tap("#menu");
  await rests(page, "dialog", 500, "menu");
  await tap("#signout");
  await page.waitForSelector("dialog #sure");
  await rests(page, "dialog", 500, "sign out");
});

test("a second tap on Confirm shipment does not answer its question, nor one on a problem's reason what follows", async ({ world, open, place }) => {
  const page = await open({ signIn: false });
  await page.clock.install();
  await page.enrol();
  await page.evaluate(() => { localStorage.carrier = JSON.stringify({ carrier: "PostNord", service: "Parcel" }); });
  const n = await toPack(page, place);
  await page.click("[data-part=packed]");
  await page.waitForSelector("#f-tracking");
  await standStill(page);
  await page.evaluate(() => document.querySelector("[data-part=ship]").click());
  await page.waitForSelector("dialog #sure");
  await rests(page, "dialog", 500, "without a tracking number?");
  await page.keyboard.press("Escape");
  await page.clock.runFor(2000);
  await page.evaluate(() => document.querySelector("[data-part=problem]").click());
  await page.evaluate(() => document.querySelector("dialog [data-part=damaged]").click());
  await page.waitForSelector("dialog", { state: "detached" });
  assert.deepEqual(await pressable(page, "#main"), []);
  assert.equal((await world.ordered(n)).shipments.length, 0);
});

test("stop takes no tap that was meant for what was there before", async ({ world, open, place }) => {
  const page = await open({ signIn: false });
  await page.clock.install();
  await page.enrol();
  const a = await toPack(page, place);
  await goBack(page);
  await page.click("#tab-toAnswer");
  const b = await toPack(page, place);
  await standStill(page);
  for (const n of [a, b]) await world.control(`/orders/${n}/cancel`, {});
  await drawn(page, () => page.locator("dialog.stop").count().then((c) => c === 2));
  await rests(page, "dialog.stop:last-child", 1000, "stop");
  await page.click("dialog.stop:last-child #stopped");
  await drawn(page, () => page.locator("dialog.stop").count().then((c) => c === 1));
  await rests(page, "dialog.stop", 500, "the stop below it");
});

test("a tap that was made in that time presses nothing either where the page hears of it late", async ({ world, open, place }) => {
  const page = await open({ size: "tablet" }), a = await place({ expires_in: 3000 }), b = await place({ expires_in: 4000 });
  for (const n of [a, b]) await complete(page, n);
  await atRest(page);
  const onB = await middle(part(page, b, "accept"));
  // What a tap opened.
  await part(page, a, "reject").click();
  const onReason = await middle(page.locator("dialog [data-part=damaged]"));
  await lapse(page, 1000);
  await tapAgo(page, onReason, 900);
  assert.equal(await page.locator("dialog #why").count(), 1, "no reason was given");
  await page.keyboard.press("Escape");
  await lapse(page, 1000);
  await tapAgo(page, onB, 900);
  await lapse(page, 100);
  assert.equal(await part(page, b, "accept").count(), 1, "below the dialog nothing was pressed");
  // An answer.
  await part(page, a, "accept").click();
  await lapse(page, 1500);
  await atRest(page);
  await tapAgo(page, await middle(part(page, b, "accept")), 1400);
  await lapse(page, 100);
  assert.deepEqual(await world.calls(b, "check-first"), []);
  await page.mouse.click(...await middle(part(page, b, "accept")));
  await waitFor(`${b} is accepted`, async () => (await world.ordered(b)).accepts === 1);
});

test("a tap on the bar answers nothing for 1.2 s, whatever moves meanwhile", async ({ world, open, place }) => {
  const page = await open({ signIn: false });
  await page.clock.install();
  await page.enrol();
  const n = await place({ lines: [lines.coat], expires_in: 100 });
  await complete(page, n);
  await page.click("#tab-toShip");
  await page.locator("#bar").waitFor();
  await standStill(page);
  await page.click("#bar");
  await page.locator("#bar").waitFor({ state: "hidden" });
  await topKnown(page);   // the browser tells that the bar is gone
  await page.clock.runFor(1100);
  assert.deepEqual(await pressable(page, "#main"), []);
  await page.clock.runFor(700);
  assert.equal((await pressable(page, "#main")).length, 2);
  assert.deepEqual(await world.calls(n, "check-first"), []);
});
