// SPDX-License-Identifier: MIT
//
// An order that changes while somebody has it in their hands.

import assert from "node:assert/strict";
import { cardOf, waitFor } from "./servers.mjs";
import { lines } from "./scenes.mjs";
import { complete, goBack, pause } from "./steady.mjs";
import { test } from "./test.mjs";
import { scan } from "./wedge.mjs";

const COAT = "7350000000012", SCARF = "7350000000029";
const text = (page, has) => page.getByText(has).first().waitFor();
const rang = (page) => page.evaluate(() => Number(document.documentElement.dataset.rang || 0));
const step = (page) => page.locator("[aria-current=step]").innerText();

// At Centra: the line's quantity, and what is allocated of it, become `quantity`.
async function reduce(world, n, line, quantity) {
  await world.control(`/orders/${n}/allocate`, { line, quantity, allocated: quantity });
  await world.control("/hooks/send", { events: [{ type: "order", action: "update", date: new Date().toISOString().replace("T", " ").replace("Z", "000"), id: String(n) }] });
}

// An accepted order is open on the page, a coat and two scarfs of it scanned.
// clock: from then on its clock stands still.
async function picked(world, open, place, { clock } = {}) {
  const page = await open({ signIn: false });
  if (clock) await page.clock.install();
  await page.enrol();
  const n = await place({ lines: [lines.coat, lines.scarf] });
  await complete(page, n);
  await cardOf(page, n).locator("[data-part=accept]").click();
  await page.getByText("To ship (1)").waitFor();
  await page.click("#tab-toShip");
  await cardOf(page, n).locator("[data-part=open]").click();
  await page.waitForSelector("#scan");
  await complete(page, n);
  if (clock) await pause(page);
  for (const code of [COAT, SCARF, SCARF]) await scan(page, code);
  await text(page, "Scarf, Oat, One size: 2 of 2");
  return { page, n, before: await rang(page) };
}

async function toShip(page) {
  await page.click("[data-part=picked]");
  await page.click("[data-part=packed]");
  await page.fill("#f-carrier", "PostNord");
  await page.fill("#f-tracking", "00373500489530470000");
}

// It rang once, says `what`, and is at Pick.
async function told(page, before, what) {
  await text(page, "This order has changed");
  await text(page, what);
  assert.equal(await step(page), "Pick");
  assert.equal(await rang(page), before + 1);
  assert.equal(await page.locator("[data-part=picked]").count(), 0, "first somebody says that it is done");
  await page.click("[data-part=changed]");
  await page.getByText("This order has changed").waitFor({ state: "detached" });
}

test("a line reduced while the order is picked: rings, says what to take out, and counts right", async ({ world, open, place }) => {
  const { page, n, before } = await picked(world, open, place);
  await reduce(world, n, 12, 1);
  await told(page, before, "Take out 1 × Scarf, Oat, One size");
  await page.locator("[data-part=tick12]", { hasText: "✓" }).waitFor();
  await toShip(page);
  await page.click("[data-part=ship]");
  await text(page, `Order ${n} is shipped`);
  const [s] = (await world.ordered(n)).shipments;
  assert.deepEqual(s.lines.map((l) => l.quantity), [1, 1], JSON.stringify(s));
});

test("a line cancelled while the order is packed: back to picking", async ({ world, open, place }) => {
  const { page, n, before } = await picked(world, open, place);
  await page.click("[data-part=picked]");
  await page.waitForSelector("[data-part=packed]");
  await reduce(world, n, 11, 0);
  await told(page, before, "Take out 1 × Wool coat, double breasted, Navy, M");
  assert.equal(await page.locator("[data-part=tick11]").count(), 0);
});

test("a line cancelled while the order is at ship: back to picking, and the form is kept", async ({ world, open, place }) => {
  const { page, n, before } = await picked(world, open, place);
  await toShip(page);
  await reduce(world, n, 12, 0);
  await told(page, before, "Take out 2 × Scarf");
  await page.click("[data-part=picked]");
  await page.click("[data-part=packed]");
  assert.equal(await page.inputValue("#f-carrier"), "PostNord");
});

test("the whole order cancelled at ship: rings and stops", async ({ world, open, place }) => {
  const { page, n, before } = await picked(world, open, place);
  await toShip(page);
  await world.control(`/orders/${n}/cancel`, {});
  await page.waitForSelector("dialog.stop");
  assert.equal(await rang(page), before + 1);
});

test("an order that may be another's after all rings, and says not to ship it yet", async ({ world, open, place }) => {
  const { page, n, before } = await picked(world, open, place);
  await toShip(page);
  await world.control("/faults", { api: "graphql", kind: "slow", when: "before", ms: 600000, count: 99 });
  // A look that was begun before would still say that it is ours.
  await waitFor("no look under way", async () => !(await world.cli("tasks", "--json")).split("\n").some((l) => l && JSON.parse(l).kind === "fetch_order"));
  await world.control("/hooks/send", { events: [{ type: "check_first", action: "accepted", date: "2099-01-01 00:00:00.000000", id: String(n), data: { warehouseId: 4 } }] });
  await text(page, `Order ${n}: asking Centra whether it is still yours. Do not ship yet.`);
  assert.equal(await rang(page), before + 1);
  assert.equal(await page.locator("[data-part=ship]").count(), 0);
});

test("an order that changes while another view shows rings, and says so in both", async ({ world, open, place }) => {
  const { page, n, before } = await picked(world, open, place);
  await goBack(page);
  await reduce(world, n, 12, 1);
  await text(page, `Order ${n} has changed`);
  assert.equal(await rang(page), before + 1);
  await cardOf(page, n).locator("[data-part=open]").click();
  await told(page, before, "Take out 1 × Scarf");
});

test("what changed while the page was away is told when it is back", async ({ world, open, place }) => {
  const { page, n } = await picked(world, open, place);
  await page.context().setOffline(true);
  await reduce(world, n, 12, 1);
  await page.context().setOffline(false);
  await text(page, "Take out 1 × Scarf");
});

test("a tap that was meant for what was there before does not confirm what changed", async ({ world, open, place }) => {
  const { page, n } = await picked(world, open, place, { clock: true });
  await reduce(world, n, 12, 1);
  const done = page.locator("[data-part=changed]"), under = () => done.evaluate((el) => {
    const b = el.getBoundingClientRect();
    return el.contains(document.elementFromPoint(b.left + b.width / 2, b.top + b.height / 2));
  });
  await waitFor("the change shows", async () => { await page.clock.runFor(20); return done.count(); });
  await page.clock.runFor(1000);
  assert.equal(await under(), false);
  await page.clock.runFor(600);
  assert.equal(await under(), true);
});

test("an order that changes while it is asked whether to ship a part is picked again, whatever is answered", async ({ world, open, place }) => {
  const { page, n, before } = await picked(world, open, place);
  await page.click("[data-part=tick12]");   // of two scarfs none is picked now
  await page.click("[data-part=picked]");
  await page.waitForSelector("dialog #sure");
  await reduce(world, n, 12, 1);
  await waitFor("the ring", async () => (await rang(page)) === before + 1);
  await page.click("dialog .sure");
  await told(page, before, "Scarf, Oat, One size: 1 instead of 2");
});

test("ship and accept send the version that the page showed; a stale one shows what changed", async ({ world, open, place }) => {
  const { page, n, before } = await picked(world, open, place);
  await toShip(page);
  const version = JSON.parse(await page.evaluate(async (n) => JSON.stringify((await (await fetch(`/api/v1/orders/${n}`)).json()).version), n));
  assert.ok(version);
  // The server knows of the change, and the page is not told before it asks.
  let asked;
  await page.route("**/ship", async (route) => {
    asked = route.request().postDataJSON();
    await reduce(world, n, 12, 1);
    await waitFor("the server knows", async () => (await page.evaluate(async (n) => (await (await fetch(`/api/v1/orders/${n}`)).json()).version, n)) !== version);
    await route.continue();
  });
  const answer = page.waitForResponse(/\/ship$/);
  await page.click("[data-part=ship]");
  assert.equal((await answer).status(), 409);
  assert.equal((await (await answer).json()).code, "changed");
  assert.equal(asked.version, version);
  await told(page, before, "Take out 1 × Scarf");
  assert.equal((await world.ordered(n)).shipments.length, 0);
  await page.unroute("**/ship");
  await toShip(page);
  await page.click("[data-part=ship]");
  await text(page, `Order ${n} is shipped`);
});

test("an offer that changed before it was accepted is shown again, and the person decides", async ({ world, open, place }) => {
  const page = await open();
  const n = await place({ lines: [lines.coat, lines.scarf] });
  await complete(page, n);
  const asked = [];
  await page.route("**/accept", async (route) => {
    asked.push(route.request().postDataJSON().version);
    if (asked.length === 1) {
      await reduce(world, n, 12, 1);
      await waitFor("the server knows", async () => (await page.evaluate(async (n) => (await (await fetch(`/api/v1/orders/${n}`)).json()).version, n)) !== asked[0]);
    }
    await route.continue();
  });
  await cardOf(page, n).locator("[data-part=accept]").click();
  await cardOf(page, n).getByText("Your answer was not sent").waitFor();
  await cardOf(page, n).getByText("Scarf, Oat, One size: 1 instead of 2").waitFor();
  assert.deepEqual(await world.calls(n, "check-first"), []);
  await cardOf(page, n).locator("[data-part=accept]").click();
  await text(page, `Order ${n} is yours`);
  assert.equal(new Set(asked).size, 2);
});
