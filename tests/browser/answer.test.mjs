// SPDX-License-Identifier: MIT
//
// Answering: what staff do all day, and that the page never says more than
// Centra did.

import assert from "node:assert/strict";
import { cardOf, waitFor } from "./servers.mjs";
import { lines } from "./scenes.mjs";
import { atRest, complete, pause, said } from "./steady.mjs";
import { test } from "./test.mjs";

const rang = (page) => page.evaluate(() => Number(document.documentElement.dataset.rang || 0));
const accept = (page, n) => cardOf(page, n).locator("[data-part=accept]").click();
const text = (page, has, where = "body") => page.locator(where).getByText(has).first().waitFor();
const answers = async (world, n) => (await world.calls(n)).filter((c) => c.what === "check-first");

test("a new order rings, shows in the title, and rings again until it is seen", async ({ open, place }) => {
  const page = await open({ signIn: false });
  await page.clock.install();
  await page.enrol();
  await page.click("#bell");   // it rings, once there is sound
  await waitFor("the bell's own ring", async () => (await rang(page)) === 1);
  const before = 1;
  const n = await place({ expires_in: 300, city: "Utrecht", lines: [lines.coat] });
  await waitFor("the ring", async () => (await rang(page)) === before + 1);
  await complete(page, n);
  assert.match(await page.title(), /^\(1\)/);
  await pause(page);
  const rung = await rang(page);
  for (let s = 0; s < 16 && await rang(page) === rung; s++) await page.clock.runFor(1000);
  assert.equal(await rang(page), rung + 1);
  await page.click("#shop");   // whoever touches the screen has seen it
  await page.clock.runFor(40000);
  assert.equal(await rang(page), rung + 1);
});

test("a card shows what is needed to decide, by deadline, and no address", async ({ open, place }) => {
  const page = await open();
  const late = await place({ expires_in: 5000, lines: [lines.coat] });
  const soon = await place({ expires_in: 300, city: "Utrecht", lines: [lines.scarf], shippingAddress: { address1: "Secret street 5", city: "Utrecht" } });
  await cardOf(page, soon).getByText("7350000000029").waitFor();
  await cardOf(page, late).getByText("1001-01-M").waitFor();
  const card = await cardOf(page, soon).innerText();
  for (const part of ["Scarf", "One size", "1002-02", "2×", "Utrecht", "left"]) assert.ok(card.includes(part), part);
  assert.match(card, /[45]:\d\d left/);
  assert.ok(!(await page.content()).includes("Secret street"));
  // A new card waits at the end while the screen is being touched.
  await waitFor("the first to end to be first", async () =>
    (await page.locator("#main [data-key]").evaluateAll((els) => els.map((e) => e.dataset.key))).join() === `${soon},${late}`);
});

test("accept asks Centra at once, and says yours when Centra has said so", async ({ world, open, place }) => {
  const page = await open();
  const n = await place({ lines: [lines.coat], shippingAddress: { address1: "Prinsengracht 1", city: "Amsterdam" } });
  await world.control("/faults", { api: "order", kind: "slow", when: "before", ms: 600, count: 1, order: n });
  await complete(page, n);
  const texts = await said(page, n);
  await accept(page, n);
  await text(page, `Order ${n} is yours`);
  const all = await texts(), asks = all.findIndex((t) => /asking Centra/i.test(t)), has = all.findIndex((t) => /is yours/.test(t));
  assert.ok(asks > 0 && has > asks, all.join("\n--\n"));
  await page.click("#tab-toShip");
  await cardOf(page, n).locator("[data-part=open]").click();
  await text(page, "Prinsengracht 1");
  assert.equal((await world.ordered(n)).accepts, 1);
});

test("a press twice asks once", async ({ world, open, place }) => {
  const page = await open({ size: "tablet" });
  const n = await place();
  await complete(page, n);
  await atRest(page);
  await page.evaluate((n) => {
    const press = () => document.querySelector(`[data-key="${n}"] [data-part=accept]`)?.click();
    press();
    press();
  }, n);
  await text(page, `Order ${n} is yours`);
  assert.equal((await answers(world, n)).length, 1);
});

test("who loses the race is told so, and never that it is theirs", async ({ world, open, place }) => {
  const page = await open();
  const n = await place({ lines: [lines.coat] });
  // Once it was fetched nothing else than an event tells of the other shop.
  await complete(page, n);
  await atRest(page);
  await world.control("/hooks", { paused: true });
  await world.control(`/orders/${n}/accept`, { warehouse: 4 });
  await accept(page, n);
  await page.getByText(/another shop may have it|went to another shop/).first().waitFor();
  await world.control("/hooks", { paused: false });
  await cardOf(page, n).waitFor({ state: "detached" });
  assert.doesNotMatch(await page.locator("#screen").innerText(), /is yours|To ship \(/);
  await page.click("#tab-done");
  await cardOf(page, n).getByText("Went to another shop").last().waitFor();
});

test("a reject with its reason can be undone, and is sent when it is not", async ({ world, open, place }) => {
  const page = await open({ signIn: false });
  await page.clock.install();
  const { token } = await page.enrol();
  const n = await place();
  await complete(page, n);
  await pause(page);   // the time to undo it is short
  const reject = async () => {
    await atRest(page, { paused: true });
    await cardOf(page, n).locator("[data-part=reject]").click();
    await page.fill("dialog #note", "A seam is open");
    await page.clock.runFor(700);   // the dialog rests
    await page.click("dialog [data-part=damaged]");
    await cardOf(page, n).getByText("is sent in").waitFor();
  };
  await reject();
  await page.clock.runFor(700);
  await cardOf(page, n).locator("[data-part=undo]").click();
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  await page.clock.runFor(10000);
  assert.deepEqual(await answers(world, n), []);
  await reject();
  await page.clock.runFor(6000);
  await cardOf(page, n).getByText("You said no").waitFor();
  await page.clock.resume();
  await cardOf(page, n).waitFor({ state: "detached" });
  await page.click("#tab-done");
  await cardOf(page, n).getByText("You said no").waitFor();
  assert.equal((await answers(world, n)).length, 1);
  assert.equal((await world.api(token, "GET", "/report")).body.rejected.damaged, 1);
});

test("two tabs and two tablets of a shop agree", async ({ world, open, place }) => {
  const one = await open({ size: "phone" }), other = await open({ size: "tablet" });
  const tab = await one.context().newPage();
  await tab.goto(world.url);
  const n = await place();
  for (const page of [one, tab, other]) await cardOf(page, n).locator("[data-part=accept]").waitFor();
  await accept(tab, n);
  for (const page of [one, tab, other]) {
    await cardOf(page, n).waitFor({ state: "detached" });
    await page.getByText("To ship (1)").waitFor();
  }
  assert.equal((await world.ordered(n)).accepts, 1);
});

test("an order that was cancelled while it is picked stops every tablet until one confirms", async ({ world, open, place }) => {
  const picking = await open({ size: "phone" }), other = await open({ size: "tablet" });
  const n = await place();
  await accept(picking, n);
  await picking.click("#tab-toShip");
  await cardOf(picking, n).locator("[data-part=open]").click();
  await picking.fill("#scan", "half of a sc");
  await world.control(`/orders/${n}/cancel`, {});
  for (const page of [picking, other]) {
    await page.getByText("Stop – do not ship").waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("dialog.stop[open]").count(), 1);
  }
  await picking.reload();   // nor does it go away so
  await picking.waitForSelector("dialog.stop");
  await other.click("#stopped");
  for (const page of [picking, other]) {
    await page.waitForSelector("dialog.stop", { state: "detached" });
    await page.click("#tab-toShip");
    assert.equal(await cardOf(page, n).count(), 0);
  }
});

// Samples the page each 50 ms while `n` is asked for: when did it say yours?
async function sample(page) {
  await page.evaluate(() => {
    window.samples = [];
    setInterval(() => window.samples.push({ at: Date.now(), yours: /is yours|To ship \(/.test(document.body.innerText),
      accept: !!document.querySelector("[data-part=accept]") }), 50);
  });
}

test("the page never lies while Centra's reply is dropped", async ({ world, open, place }) => {
  const page = await open();
  const n = await place();
  await complete(page, n);
  await atRest(page);
  // Centra acts and its reply is lost; nor can it be asked what came of it.
  await world.control("/hooks", { paused: true });
  await world.control("/faults", [{ api: "order", kind: "drop", when: "after", percent: 100, order: n },
    { api: "graphql", kind: "drop", when: "before", percent: 100 }]);
  await sample(page);
  await accept(page, n);
  await waitFor("Centra has acted", async () => (await world.ordered(n)).accepts === 1);
  const from = Date.now();
  await waitFor("two tries to find out", async () => (await world.control("/calls")).calls.filter((c) => c.fault && c.at_ms > from).length >= 2);
  await waitFor("samples of that time", () => page.evaluate(() => window.samples.length >= 12));
  const cleared = Date.now();
  await world.control("/faults", { clear: true });
  await text(page, `Order ${n} is yours`, "#results");
  const samples = await page.evaluate(() => window.samples);
  const before = samples.filter((s) => s.at < cleared);
  assert.ok(before.length >= 10, `${before.length} samples`);
  assert.ok(before.every((s) => !s.yours), "it said yours before anybody could know");
  const pressed = before.findIndex((s) => !s.accept);
  assert.ok(pressed >= 0 && samples.slice(pressed).every((s) => !s.accept), "it offered to accept what is asked for");
  await waitFor("a sample of it", () => page.evaluate(() => window.samples.at(-1).yours));
});

test("the page never lies while Centra never gets the question", async ({ world, open, place }) => {
  const page = await open();
  const n = await place();
  await complete(page, n);
  await atRest(page);
  await world.control("/faults", { api: "order", kind: "drop", when: "before", percent: 100, order: n });
  await sample(page);
  await accept(page, n);
  await waitFor("two tries", async () => (await answers(world, n)).length >= 2);
  await waitFor("a sample of that time", () => page.evaluate(() => window.samples.length));
  await world.control(`/orders/${n}/accept`, { warehouse: 4 });
  await text(page, "went to another shop", "#results");
  assert.ok((await page.evaluate(() => window.samples)).every((s) => !s.yours));
});

test("what Centra calls a product is text, whatever it holds", async ({ open, place }) => {
  const page = await open();
  const n = await place({ lines: [{ id: 1, product: "<img src=x onerror=alert(1)>", variant: "<b>&amp;", size: "\"><script>alert(1)</script>", sku: "s", ean: "1", quantity: 1 }], city: "<i>x" });
  await cardOf(page, n).getByText("<img src=x onerror=alert(1)>").waitFor();
  assert.equal(await page.locator("#main img, #main script, #main b").count(), 0);
});
