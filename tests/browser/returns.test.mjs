// SPDX-License-Identifier: MIT
//
// Goods that come back, and deliveries: by a scanner, and never by a scanner alone.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build, waitFor } from "./servers.mjs";
import { lines } from "./scenes.mjs";
import { test } from "./test.mjs";
import { pressesNothing, scan } from "./wedge.mjs";

const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const { coat, scarf } = lines;
const takes = { shop: (w) => `returns = yes\norder_api_url = ${w.centra.ready}/api/amsterdam\norder_api_key = key-of-amsterdam`, settings: "device_presses = 10000" };
const NAME = "Bertha Undisclosed";

// A picture of the view for a person to look at.
async function picture(page, name) {
  mkdirSync(join(build, "screenshots"), { recursive: true });
  await page.screenshot({ path: join(build, "screenshots", `${name}.png`), fullPage: true });
}

async function fits(page) {
  if (!(await page.evaluate(() => typeof window.axe === "object"))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  assert.deepEqual(violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html}`)), []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it is too wide");
  const small = await page.locator("#main button, #main input, #main select").evaluateAll((all) => all.filter((el) => el.getBoundingClientRect().height < 44).map((el) => el.outerHTML));
  assert.deepEqual(small, []);
}

async function shipped(world, wanted) {
  const n = await world.place({ warehouses: [], lines: wanted, shippingAddress: { firstName: NAME, city: "Utrecht", country: "NL" } });
  await world.control(`/orders/${n}/shipped`, {});
  return n;
}

async function openFeature(page, name) {
  await waitFor("the menu has it", async () => {
    await page.click("#menu");
    if (await page.locator(`#to-${name}`).count()) return true;
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    return false;
  });
  await page.click(`#to-${name}`);
  await page.locator("#main [data-part=back]").waitFor();
}

const returnsOf = async (world, n) => (await world.control("/returns")).returns.filter((r) => r.order === n);
const part = (page, name) => page.locator(`#main [data-part=${name}]`);

for (const how of [{ locale: "en-GB", scheme: "light", size: "small" }, { locale: "sv-SE", scheme: "dark", size: "upright" }]) {
  test(`the slip and the items are scanned, and a press takes them back: ${how.locale}`, takes, async ({ world, open }) => {
    const n = await shipped(world, [{ ...coat, quantity: 2 }, scarf]), page = await open(how);
    await openFeature(page, "returns");
    await picture(page, `return-begins-${how.locale}`);
    await fits(page);
    await scan(page, `se/${n}`);
    await page.locator("#main .lines li").nth(1).waitFor();
    assert.ok(!(await page.locator("body").innerText()).includes(NAME));
    assert.ok(!(await page.locator("body").innerText()).includes("Utrecht"));
    await scan(page, coat.ean);
    await part(page, "rAgain").waitFor();
    await page.locator("#main select").selectOption("too_small");
    await part(page, "rAgain").click();
    await page.locator("#main [data-part=rAgain]", { hasText: "✓" }).waitFor();
    await picture(page, `return-${how.locale}`);
    await fits(page);
    // A scanner presses nothing.
    await part(page, "give-back").focus();
    await scan(page, coat.ean);
    await scan(page, "9999999999999");
    await page.locator("#main .state.bad").waitFor();
    assert.equal((await returnsOf(world, n)).length, 0);
    await part(page, "give-back").click();
    await page.locator("#results .state.good").waitFor();
    await picture(page, `return-done-${how.locale}`);
    const [r, ...more] = await returnsOf(world, n);
    assert.deepEqual(more, []);
    assert.equal(r.warehouse, 3);
    assert.deepEqual(r.lines.map((l) => l.quantity), [2]);
  });
}

test("nothing is taken back without a reason and without saying whether it can be sold", takes, async ({ world, open }) => {
  const n = await shipped(world, [coat]), page = await open();
  await openFeature(page, "returns");
  await page.fill("#scan", String(n));
  await page.press("#scan", "Enter");
  await part(page, "give-back").click();
  await page.getByText("Nothing is scanned yet").waitFor();
  await page.locator("#main .lines button").click();
  await page.waitForTimeout(700);   // a second tap presses nothing
  await part(page, "give-back").click();
  await page.getByText("Choose a reason for each item").waitFor();
  await page.locator("#main select").selectOption("damaged");
  await page.waitForTimeout(700);
  await part(page, "give-back").click();
  await page.getByText("Say whether it can be sold again").waitFor();
  assert.equal((await returnsOf(world, n)).length, 0);
  await part(page, "rBroken").click();
  await page.waitForTimeout(700);
  await part(page, "give-back").click();
  await page.locator("#results .state.good").waitFor();
  assert.equal((await returnsOf(world, n))[0].warehouse, 0);
});

test("two taps, and a press again after a lost answer, take it back once", takes, async ({ world, open }) => {
  const n = await shipped(world, [{ ...coat, quantity: 3 }]), page = await open();
  await openFeature(page, "returns");
  await scan(page, `se/${n}`);
  await page.locator("#main .lines li").waitFor();
  await scan(page, coat.ean);
  await page.locator("#main select").selectOption("other");
  await part(page, "rAgain").click();
  let lost = true;
  await page.route("**/api/v1/returns", async (route) => {
    if (!lost || route.request().method() !== "POST") { await route.continue(); return; }
    lost = false;
    await route.fetch();
    await route.abort();
  });
  await page.waitForTimeout(700);
  await part(page, "give-back").dblclick();
  await page.getByText("no reply. Press again").waitFor();
  await page.waitForTimeout(1300);
  await part(page, "give-back").click();
  await page.locator("#results .state.good").waitFor();
  assert.deepEqual((await returnsOf(world, n)).map((r) => r.lines[0].quantity), [1]);
});

test("after a lost answer nothing can be added to what was sent", takes, async ({ world, open }) => {
  const n = await shipped(world, [{ ...coat, quantity: 3 }]), page = await open();
  await openFeature(page, "returns");
  await scan(page, `se/${n}`);
  await page.locator("#main .lines li").waitFor();
  await scan(page, coat.ean);
  await page.locator("#main select").selectOption("other");
  await part(page, "rAgain").click();
  let lost = true;
  await page.route("**/api/v1/returns", async (route) => {
    if (!lost || route.request().method() !== "POST") { await route.continue(); return; }
    lost = false;
    await route.fetch();
    await route.abort();
  });
  await page.waitForTimeout(700);
  await part(page, "give-back").click();
  await page.getByText("no reply. Press again").waitFor();
  await scan(page, coat.ean);
  await page.locator("#main .lines button").click();
  await page.waitForTimeout(1300);
  await part(page, "give-back").click();
  await page.locator("#results .state.good").waitFor();
  assert.deepEqual((await returnsOf(world, n)).map((r) => r.lines[0].quantity), [1]);
});

async function announced(world) {
  await world.control("/plugins", [{ name: "amsterdam", key: "key-of-amsterdam", warehouse: 3 }]);
  return (await world.control("/deliveries", [{ warehouse: 3, products: [{ ean: coat.ean, sku: "COAT", product: "Rain coat", quantity: 2 }, { ean: scarf.ean, sku: "SCARF", product: "Scarf", quantity: 1 }] }])).ids[0];
}
const deliveries = async (world) => (await world.control("/deliveries")).deliveries;

for (const how of [{ locale: "en-GB", scheme: "light", size: "small" }, { locale: "sv-SE", scheme: "dark", size: "upright" }]) {
  test(`a delivery is counted by scans and received by a press; what is short stays: ${how.locale}`, takes, async ({ world, open }) => {
    const id = await announced(world), page = await open(how);
    await openFeature(page, "deliveries");
    await part(page, `open${id}`).waitFor();
    await picture(page, `deliveries-${how.locale}`);
    await fits(page);
    await part(page, `open${id}`).click();
    await page.locator("#main .lines li").nth(1).waitFor();
    await scan(page, coat.ean);
    await scan(page, coat.ean);
    await waitFor("two are counted", async () => (await page.locator("#came-0").inputValue()) === "2");
    await picture(page, `delivery-${how.locale}`);
    await fits(page);
    await part(page, "receive").focus();
    await scan(page, "9999999999999");
    await page.locator("#main .state.bad").waitFor();
    assert.equal((await deliveries(world))[0].asked, 0);
    await part(page, "receive").click();
    await page.locator("dialog .sure").waitFor();
    await picture(page, `delivery-short-${how.locale}`);
    await scan(page, scarf.ean);   // a scan answers no question
    assert.equal((await deliveries(world))[0].asked, 0);
    await page.waitForTimeout(700);
    await page.click("dialog .sure");
    await page.locator("#results .state.good").waitFor();
    const all = await deliveries(world);
    assert.deepEqual(all[0].came, { [coat.ean]: 2 });
    assert.equal(all[0].accepts, 1);
    assert.equal(all.length, 2);
    await part(page, `open${all[1].id}`).waitFor();
  });
}

test("on a small phone long names and codes of a delivery are read, also of what has no EAN", takes, async ({ world, open }) => {
  await world.control("/plugins", [{ name: "amsterdam", key: "key-of-amsterdam", warehouse: 3 }]);
  const { ids: [id] } = await world.control("/deliveries", [{ warehouse: 3, products: [
    { ean: coat.ean, sku: "COAT", product: "Donaudampfschifffahrtsgesellschaftskapitänsmütze", variant: "Off-white", size: "S", quantity: 2 },
    { sku: "NO-EAN-AT-ALL", product: "Scarf", variant: "Oat", size: "One size", quantity: 1 }] }]);
  const page = await open({ size: "small" });
  await openFeature(page, "deliveries");
  await part(page, `open${id}`).click();
  await page.locator("#main .lines li").nth(1).waitFor();
  await picture(page, "delivery-long");
  await fits(page);
  const lines = (what) => page.locator("#main .lines span", { hasText: what }).last().evaluate((el) => { const r = document.createRange(); r.selectNodeContents(el); return new Set([...r.getClientRects()].map((b) => b.top)).size; });
  for (const what of [coat.ean, "One size", "NO-EAN-AT-ALL"]) assert.equal(await lines(what), 1, what);
});

test("a count that was changed after a lost answer is told if the earlier one is booked", takes, async ({ world, open }) => {
  const id = await announced(world), page = await open();
  await openFeature(page, "deliveries");
  await part(page, `open${id}`).click();
  const receive = async (coats) => {
    for (const [i, n] of [coats, 1].entries()) { await page.fill(`#came-${i}`, String(n)); await page.press(`#came-${i}`, "Tab"); }
    await page.waitForTimeout(1300);
    await part(page, "receive").click();
    await page.locator("dialog .sure").waitFor();
    await page.waitForTimeout(700);
    await page.click("dialog .sure");
  };
  let lost = true;
  await page.route("**/receive", async (route) => {
    if (!lost) { await route.continue(); return; }
    lost = false;
    await route.fetch();
    await route.abort();
  });
  await receive(1);
  await page.getByText("no reply. Press again").waitFor();
  await receive(5);
  const said = page.locator("#results .state.bad");
  await said.waitFor();
  assert.match(await said.innerText(), /was received with your earlier count: Rain coat.*: 1 instead of 5\. Tell the office/);
  const [d] = await deliveries(world);
  assert.deepEqual([d.accepts, d.came[coat.ean]], [1, 1]);
  page.errors.length = 0;
});

test("a delivery of which nobody knows whether it is received goes to the office", takes, async ({ world, open }) => {
  const id = await announced(world), page = await open();
  await openFeature(page, "deliveries");
  await part(page, `open${id}`).click();
  for (const [i, n] of [2, 1].entries()) { await page.fill(`#came-${i}`, String(n)); await page.press(`#came-${i}`, "Tab"); }
  await page.route("**/receive", (route) => route.fulfill({ status: 409, contentType: "application/problem+json", json: { status: 409, code: "unsure", title: "Conflict", detail: "nobody knows what Centra has booked: ask the office" } }));
  await page.waitForTimeout(1300);
  await part(page, "receive").click();
  await page.locator("#results .state.bad", { hasText: "ask the office whether it is received" }).waitFor();
  await part(page, `open${id}`).waitFor();
  page.errors.length = 0;
});

test("more than was announced needs an answer", takes, async ({ world, open }) => {
  const id = await announced(world), page = await open();
  await openFeature(page, "deliveries");
  await part(page, `open${id}`).click();
  await page.fill("#came-0", "5");
  await page.press("#came-0", "Tab");
  await page.fill("#came-1", "1");
  await page.press("#came-1", "Tab");
  await part(page, "receive").click();
  await page.getByText("More came than was announced").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  assert.equal((await deliveries(world))[0].asked, 0);
  await page.waitForTimeout(1300);
  await part(page, "receive").click();
  await page.locator("dialog .sure").waitFor();
  await page.waitForTimeout(700);
  await page.click("dialog .sure");
  await page.locator("#results .state.good").waitFor();
  assert.equal((await deliveries(world))[0].came[coat.ean], 5);
});

/* ---- a scanner, whatever has the focus ---- */

test("a scan on any element of a return presses nothing", { ...takes, late: 400000 }, async ({ world, open }) => {
  const n = await shipped(world, [{ ...coat, quantity: 3 }, scarf]), page = await open();
  await openFeature(page, "returns");
  await pressesNothing(page, "4006381333931", "#main");
  await scan(page, `se/${n}`);
  await page.locator("#main .lines li").nth(1).waitFor();
  await scan(page, coat.ean);
  await page.locator("#main select").selectOption("too_small");
  await pressesNothing(page, "4006381333931", "#main");
  assert.equal(await page.locator("#main select").inputValue(), "too_small");
  assert.equal(await part(page, "take1").count() + await page.locator("#main .lines button", { hasText: "1/3" }).count(), 1);
  assert.equal((await returnsOf(world, n)).length, 0);
});

test("a scan while a reason has the focus counts the item and leaves the reason", takes, async ({ world, open }) => {
  const top = { ...scarf, sku: "TOP-100200-M", quantity: 2 }, n = await shipped(world, [coat, top]), page = await open();
  await openFeature(page, "returns");
  await scan(page, `se/${n}`);
  await page.locator("#main .lines li").nth(1).waitFor();
  await scan(page, coat.ean);
  const reason = page.locator("#main select").first();
  for (const was of ["damaged", ""]) {
    await reason.selectOption(was);
    await reason.focus();
    await scan(page, top.sku);   // "T" is how a reason begins
    await page.locator("#main .lines button", { hasText: was ? "1/2" : "2/2" }).waitFor();
    await page.waitForTimeout(400);
    assert.equal(await reason.inputValue(), was);
  }
  await page.locator("#main select").last().selectOption("other");
  await page.waitForTimeout(700);
  await part(page, "give-back").click();
  await page.getByText("Choose a reason for each item").waitFor();
});

test("a scan on any element of a delivery, or of a question about it, presses nothing", { ...takes, late: 400000 }, async ({ world, open }) => {
  const id = await announced(world), page = await open();
  await openFeature(page, "deliveries");
  await part(page, `open${id}`).waitFor();
  await pressesNothing(page, "4006381333931", "#main");
  await part(page, `open${id}`).click();
  await page.locator("#main .lines li").nth(1).waitFor();
  await scan(page, coat.ean);
  await pressesNothing(page, "4006381333931", "#main");
  assert.deepEqual([await page.locator("#came-0").inputValue(), await page.locator("#came-1").inputValue()], ["1", "0"]);
  await part(page, "receive").click();
  await page.locator("dialog .sure").waitFor();
  await pressesNothing(page, coat.ean, "dialog");
  assert.equal((await deliveries(world))[0].asked, 0);
});

test("a scan while a count has the focus counts the item, and loses nothing that was typed", takes, async ({ world, open }) => {
  const id = await announced(world), page = await open(), came = (i) => page.locator(`#came-${i}`);
  await openFeature(page, "deliveries");
  await part(page, `open${id}`).click();
  await came(1).waitFor();
  await came(0).focus();
  await scan(page, coat.ean);
  await part(page, "receive").getByText("Receive 1 of 3").waitFor();
  assert.equal(await came(0).inputValue(), "1");
  await came(0).fill("2");   // and the field still has the focus
  await scan(page, scarf.ean);
  await part(page, "receive").getByText("Receive 3 of 3").waitFor();
  assert.deepEqual([await came(0).inputValue(), await came(1).inputValue()], ["2", "1"]);
});
