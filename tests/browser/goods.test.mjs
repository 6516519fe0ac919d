// SPDX-License-Identifier: MIT
//
// Pictures of goods beside the lines, how many are on hand, and the question how
// many are there after Out of stock.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build, cardOf, enrol, waitFor } from "./servers.mjs";
import { systemBack } from "./steady.mjs";
import { test } from "./test.mjs";
import { pressesNothing, scan } from "./wedge.mjs";

const CDN = "https://brand.centracdn.net", EAN = "7350000000123", EAN2 = "7350000000130";
const WITH = { instance: `pictures_from = ${CDN}\non_hand = yes` };
const COUNTS = { shop: "stock_on_reject = yes" };
const LINES = [{ product: "Rain coat", variant: "Off-white", size: "S", sku: "RTT-OWH-S", ean: EAN, quantity: 1 },
  { product: "Wool cap", size: "ONE", sku: "CAP--1", ean: EAN2, quantity: 2 }];
const DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="120"><rect width="80" height="120" fill="#a33"/></svg>';

// The service worker's requests cannot be answered by a test.
const NO_WORKER = { init: "Object.defineProperty(Navigator.prototype, 'serviceWorker', { get: () => undefined });" };

// The picture server, without which nothing of the page may break.
async function pictures(page, answer = (route) => route.fulfill({ contentType: "image/svg+xml", body: DOT })) {
  const asked = [];
  await page.route(/^https:/, (route) => { asked.push(route.request()); return answer(route); });
  return asked;
}

const img = (page, n) => cardOf(page, n).locator("img").first();
const loaded = (el) => el.evaluate((i) => i.complete && i.naturalWidth > 0);

test("a picture of each line is shown small, with its name, from the server of pictures alone", WITH, async ({ open, place }) => {
  const page = await open(NO_WORKER), asked = await pictures(page), n = await place({ lines: LINES });
  await waitFor("both lines have a picture", async () => await cardOf(page, n).locator("img").count() === 2);
  assert.equal(await img(page, n).getAttribute("alt"), "Picture: Rain coat, Off-white, S");
  await waitFor("it is loaded", () => loaded(img(page, n)));
  const box = await img(page, n).boundingBox();
  assert.deepEqual([box.width, box.height], [48, 48]);
  assert.ok(asked.length >= 2 && asked.every((r) => r.url().startsWith(`${CDN}/`)), asked.map((r) => r.url()).join());
  assert.ok(asked.every((r) => !r.headers().referer && !r.headers().cookie));
  assert.equal(await img(page, n).getAttribute("loading"), "lazy");
});

test("the page's policy lets no other server's picture in", WITH, async ({ open }) => {
  const page = await open(NO_WORKER);
  await pictures(page);
  const load = (src) => page.evaluate((s) => new Promise((done) => { const i = new Image(); i.onload = () => done(true); i.onerror = () => done(false); i.src = s; }), src);
  assert.equal(await load(`${CDN}/x.svg`), true, page.errors.join("\n"));
  assert.equal(await load("https://brand.centracdn.net.evil.example/x.svg"), false);
  assert.equal(await load("https://evil.example/x.svg"), false);
  page.errors.length = 0;   // the refusals are in the console
});

test("without the setting a shop loads no picture and no module for them", async ({ open, place, world }) => {
  const page = await open(), asked = await pictures(page), n = await place({ lines: LINES });
  await cardOf(page, n).getByText("Rain coat").waitFor();
  assert.equal(await cardOf(page, n).locator("img").count(), 0);
  assert.equal(asked.length, 0);
  const { token } = await world.device();
  assert.deepEqual((await world.api(token, "GET", "/me")).body.features, []);
});

test("a picture that is missing leaves its place, and the card as high as it was", WITH, async ({ open, place }) => {
  const page = await open(NO_WORKER);
  let release;
  const held = new Promise((done) => { release = done; });
  await pictures(page, async (route) => { await held; return route.abort(); });
  const n = await place({ lines: LINES });
  await waitFor("it has its place", async () => await cardOf(page, n).locator("img").count() === 2);
  const before = await cardOf(page, n).boundingBox();
  release();
  await waitFor("it is hidden", () => img(page, n).evaluate((i) => getComputedStyle(i).visibility === "hidden"));
  const after = await cardOf(page, n).boundingBox();
  assert.equal(after.height, before.height);
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  page.errors.length = 0;
});

test("a line says how many are on hand, and stops saying it when that is old", WITH, async ({ open, place, world }) => {
  const page = await open({ init: "{ const real = setTimeout; window.setTimeout = (f, ms, ...a) => real(f, ms > 500000 && ms <= 600000 ? 1500 : ms, ...a); }" });
  await pictures(page);
  await world.control("/stock", [{ ean: EAN, sku: "RTT-OWH-S", warehouse: 3, quantity: 7 }, { ean: EAN2, sku: "CAP--1", warehouse: 3, quantity: 0 }]);
  const n = await place({ lines: LINES });
  await cardOf(page, n).getByText("Here, says Centra: 7").waitFor();
  await cardOf(page, n).getByText("Here, says Centra: 0").waitFor();
  await cardOf(page, n).getByText("Here, says Centra: 7").waitFor({ state: "detached" });
});

/* ---- how many are there? ---- */

const dialog = (page) => page.locator("dialog[aria-labelledby=count]");

async function outOfStock(page, n) {
  await cardOf(page, n).locator("[data-part=reject]").click();
  const reason = page.locator("[data-part=out_of_stock]");
  await reason.waitFor();
  await waitFor("the dialog can be pressed", async () => { await reason.click().catch(() => {}); return dialog(page).count(); });
  await dialog(page).waitFor();
}

// What lies in the shop, as Centra has it.
const counted = async (world, ean) => (await world.control("/stock")).items.find((i) => i.ean === ean)?.places.find((p) => p.warehouse === 3)?.physical;

// Presses a button of the dialog until it is gone: what has just come cannot be
// pressed.
const press = (page, part) => waitFor(`${part} is pressed`, async () => { await dialog(page).locator(`[data-part=${part}]`).click({ timeout: 1000 }).catch(() => {}); return !(await dialog(page).count()); });

test("after Out of stock the page asks how many are there, and Centra gets the count", COUNTS, async ({ open, place, world }) => {
  const page = await open(), n = await place({ lines: LINES, expires_in: 900 });
  await cardOf(page, n).getByText("Rain coat").waitFor();
  await outOfStock(page, n);
  assert.equal(await dialog(page).locator("input").count(), 2);
  assert.equal(await dialog(page).locator("input").first().getAttribute("inputmode"), "numeric");
  await waitFor("none is pressed", async () => { await dialog(page).getByRole("button", { name: "None: Rain coat, Off-white, S" }).click(); return await dialog(page).locator("input").first().inputValue() === "0"; });
  await dialog(page).locator("input").nth(1).fill("3");
  await press(page, "save");
  await waitFor("the order is rejected", async () => (await world.ordered(n)).asks.find((a) => a.warehouse === 3)?.state !== "open" && await counted(world, EAN2) === 3, 60000);
  assert.equal(await counted(world, EAN), 0);
});

test("the question can be skipped, a line can be left out, and neither is counted", COUNTS, async ({ open, place, world }) => {
  const page = await open();
  const a = await place({ lines: LINES, expires_in: 900 });
  await cardOf(page, a).getByText("Rain coat").waitFor();
  await outOfStock(page, a);
  await press(page, "skip");
  const { token } = await world.device();
  await waitFor("it is rejected", async () => (await world.api(token, "GET", `/orders/${a}`)).body.state === "rejected", 60000);
  assert.equal((await world.calls(0, "setStock")).length, 0);

  const b = await place({ lines: LINES, expires_in: 900 });
  await cardOf(page, b).getByText("Rain coat").waitFor();
  await outOfStock(page, b);
  await dialog(page).locator("input").nth(1).fill("5");
  await press(page, "save");
  await waitFor("one is counted", async () => await counted(world, EAN2) === 5, 60000);
  assert.equal(await counted(world, EAN), undefined);
});

test("a count that was saved is sent though the page was loaded anew before the answer had gone", COUNTS, async ({ open, place, world }) => {
  const page = await open(), n = await place({ lines: LINES, expires_in: 900 });
  await cardOf(page, n).getByText("Rain coat").waitFor();
  await outOfStock(page, n);
  await dialog(page).locator("input").first().fill("4");
  await press(page, "save");
  await page.reload();
  await waitFor("it is counted", async () => await counted(world, EAN) === 4, 60000);
});

test("a count is sent though the connection was lost and came back meanwhile", COUNTS, async ({ open, place, world }) => {
  const page = await open(), n = await place({ lines: LINES, expires_in: 900 });
  await cardOf(page, n).getByText("Rain coat").waitFor();
  let puts = 0;
  await page.route("**/api/v1/stock", async (route) => {
    puts++;
    if (puts > 1) { await route.continue(); return; }
    await page.context().setOffline(true);
    await route.abort();
  });
  await outOfStock(page, n);
  await dialog(page).locator("input").first().fill("4");
  await press(page, "save");
  await waitFor("the connection is lost", () => puts);
  const asked = page.waitForResponse((r) => r.url().endsWith("/api/v1/me") && r.status() === 200);
  await page.waitForTimeout(1000);   // the page finds it out
  await page.context().setOffline(false);
  await asked;
  await waitFor("it is counted", async () => await counted(world, EAN) === 4, 60000);
  assert.ok(puts >= 2);
  page.errors.length = 0;
});

// The answer that the browser keeps for the order, and has not sent.
const kept = (page, n) => page.evaluate((n) => Object.keys(localStorage).some((k) => k.startsWith("answer.") && k.endsWith(`.${n}`)), n);
const undo = (page, n) => cardOf(page, n).locator("[data-part=undo]");
const rejects = (page) => { const list = []; page.on("request", (r) => { if (r.url().endsWith("/reject")) list.push(r.url()); }); return list; };

for (const [how, close] of [["Escape", (page) => page.keyboard.press("Escape")], ["Back", (page) => systemBack(page)]]) {
  test(`${how} closes the question and presses nothing: the answer waits, can be undone, and be counted again`, COUNTS, async ({ open, place, world }) => {
    const page = await open(), n = await place({ lines: LINES, expires_in: 900 }), sent = rejects(page);
    await cardOf(page, n).getByText("Rain coat").waitFor();
    await outOfStock(page, n);
    await close(page);
    await dialog(page).waitFor({ state: "detached" });
    assert.ok(await kept(page, n));
    await page.waitForTimeout(6500);   // longer than an answer waits that was skipped
    assert.deepEqual(sent, []);
    const again = cardOf(page, n).locator("[data-part=count]");
    await waitFor("it asks again", async () => { await again.click({ timeout: 1000 }).catch(() => {}); return dialog(page).count(); });
    await dialog(page).locator("input").first().fill("2");
    await press(page, "save");
    assert.equal(await again.count(), 0);
    await waitFor("it is counted", async () => await counted(world, EAN) === 2, 60000);
    assert.equal(sent.length, 1);
  });
}

test("what was answered before the question can be undone after Escape, and nothing is sent", COUNTS, async ({ open, place }) => {
  const page = await open(), n = await place({ lines: LINES, expires_in: 900 }), sent = rejects(page);
  await cardOf(page, n).getByText("Rain coat").waitFor();
  await outOfStock(page, n);
  await page.keyboard.press("Escape");
  await waitFor("it is undone", async () => { await undo(page, n).click({ timeout: 1000 }).catch(() => {}); return !(await undo(page, n).count()); });
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  assert.ok(!(await kept(page, n)));
  assert.deepEqual(sent, []);
});

test("a reload while the question is open loses no answer", COUNTS, async ({ open, place }) => {
  const page = await open(), n = await place({ lines: LINES, expires_in: 900 });
  await cardOf(page, n).getByText("Rain coat").waitFor();
  await outOfStock(page, n);
  await page.reload();
  await undo(page, n).waitFor();
  await cardOf(page, n).locator("[data-part=count]").waitFor();
});

test("nobody at the question: it goes after a minute, and the answer after that; while somebody types it stays", COUNTS, async ({ open, place, world }) => {
  const page = await open({ init: "{ const real = setTimeout; window.setTimeout = (f, ms, ...a) => real(f, ms === 60000 ? 4000 : ms, ...a); }" });
  const n = await place({ lines: LINES, expires_in: 900 }), field = dialog(page).locator("input").first();
  await cardOf(page, n).getByText("Rain coat").waitFor();
  await outOfStock(page, n);
  for (const s of ["1", "12", "1", "12"]) { await field.fill(s); await page.waitForTimeout(1500); }
  assert.equal(await field.inputValue(), "12");
  await dialog(page).waitFor({ state: "detached" });
  assert.ok(await kept(page, n));
  await undo(page, n).waitFor();
  const { token } = await world.device();
  await waitFor("it is rejected", async () => (await world.api(token, "GET", `/orders/${n}`)).body.state === "rejected", 90000);
  assert.equal((await world.calls(0, "setStock")).length, 0);   // nobody has saved it
});

test("a count is sent though the page was loaded anew after the answer had gone, once", COUNTS, async ({ open, place, world }) => {
  const page = await open(), n = await place({ lines: LINES, expires_in: 900 });
  await cardOf(page, n).getByText("Rain coat").waitFor();
  let away = true, puts = 0;
  await page.route("**/api/v1/stock", async (route) => { if (away) { puts++; await route.abort(); } else await route.continue(); });
  await outOfStock(page, n);
  await dialog(page).locator("input").first().fill("4");
  await press(page, "save");
  await waitFor("the answer has gone, and the count not", () => puts);
  await page.reload();
  away = false;
  await waitFor("it is counted", async () => await counted(world, EAN) === 4, 60000);
  await waitFor("it is kept no more", () => page.evaluate(() => !Object.keys(localStorage).some((k) => k.startsWith("count."))));
  page.errors.length = 0;
});

test("a count that another device has kept goes nowhere, and is said", COUNTS, async ({ open, place, world }) => {
  const page = await open(), n = await place({ lines: LINES, expires_in: 900 });
  await cardOf(page, n).getByText("Rain coat").waitFor();
  await page.route("**/api/v1/stock", (route) => route.abort());
  await outOfStock(page, n);
  await dialog(page).locator("input").first().fill("4");
  const tried = page.waitForEvent("requestfailed");
  await press(page, "save");
  await tried;
  await page.unroute("**/api/v1/stock");
  const { link } = await world.device("berlin");
  await page.goto("about:blank");
  await enrol(page, link);
  await page.locator("#results .state.bad", { hasText: `The count of order ${n} did not reach the server` }).waitFor();
  assert.equal(await counted(world, EAN), undefined);
  page.errors.length = 0;
});

test("a count says for which shop it is", COUNTS, async ({ open, place }) => {
  const page = await open(), n = await place({ lines: LINES, expires_in: 900 });
  await cardOf(page, n).getByText("Rain coat").waitFor();
  const sent = page.waitForRequest((r) => r.url().endsWith("/api/v1/stock") && r.method() === "PUT");
  await outOfStock(page, n);
  await dialog(page).locator("input").first().fill("4");
  await press(page, "save");
  const { for: meant } = (await sent).postDataJSON();
  assert.ok(meant?.device && meant.shop && meant.instance, JSON.stringify(meant));
});

const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

for (const how of [{ locale: "en-GB", scheme: "light" }, { locale: "sv-SE", scheme: "dark" }]) {
  test(`the question fits a phone and needs no eyes: ${how.locale}`, COUNTS, async ({ open, place }) => {
    const page = await open({ ...how, size: "small" }), long = { ...LINES[0], product: "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen", sku: "LONG", ean: "7350000000147" };
    const n = await place({ lines: [...LINES, long], expires_in: 900 });
    await cardOf(page, n).getByText("Rain coat").waitFor();
    await outOfStock(page, n);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    assert.deepEqual(violations.flatMap((v) => v.nodes.map((x) => `${v.id}: ${x.html}`)), []);
    mkdirSync(join(build, "screenshots"), { recursive: true });
    await page.screenshot({ path: join(build, "screenshots", `count-${how.locale}.png`) });
    const small = await dialog(page).locator("button, input").evaluateAll((all) => all.filter((el) => el.getBoundingClientRect().height < 44).map((el) => el.outerHTML));
    assert.deepEqual(small, []);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it is too wide");
    assert.ok(await dialog(page).evaluate((el) => el.scrollWidth <= el.clientWidth), "a name is cut");
  });
}

test("a scanner neither fills in nor answers the question", COUNTS, async ({ open, place }) => {
  const page = await open(), n = await place({ lines: LINES, expires_in: 900 });
  await cardOf(page, n).getByText("Rain coat").waitFor();
  await outOfStock(page, n);
  const field = dialog(page).locator("input").first();
  await field.focus();
  await scan(page, EAN);
  await dialog(page).locator(".said").waitFor();
  assert.equal(await field.inputValue(), "");
  await dialog(page).locator("[data-part=save]").focus();
  await scan(page, EAN);
  assert.equal(await dialog(page).count(), 1);
});

test("a scan on any element of the question, or of the card below it, presses nothing and fills in nothing", { ...COUNTS, late: 400000 }, async ({ open, place, world }) => {
  const page = await open(), n = await place({ lines: [LINES[0]], expires_in: 1800 });
  await cardOf(page, n).getByText("Rain coat").waitFor();
  await outOfStock(page, n);
  await dialog(page).locator("input").fill("3");
  await pressesNothing(page, EAN, "dialog");
  assert.equal(await dialog(page).locator("input").inputValue(), "3");
  await page.keyboard.press("Escape");
  await dialog(page).waitFor({ state: "detached" });
  for (const what of ["undo", "count"]) {
    await cardOf(page, n).locator(`[data-part=${what}]`).evaluate((el) => el.focus());
    await scan(page, EAN);
    await page.locator("#results .state.warn", { hasText: "is no order to ship" }).waitFor();
    await page.waitForTimeout(400);   // longer than any key is waited for
    assert.equal(await cardOf(page, n).locator("[data-part=undo]").count(), 1, what);
    assert.equal(await dialog(page).count(), 0, what);
  }
  const { token } = await world.device();
  assert.equal((await world.api(token, "GET", `/orders/${n}`)).body.state, "pending");
});

test("without the setting nothing is asked after Out of stock", async ({ open, place, world }) => {
  const page = await open(), n = await place({ lines: LINES, expires_in: 900 });
  await cardOf(page, n).getByText("Rain coat").waitFor();
  await cardOf(page, n).locator("[data-part=reject]").click();
  const reason = page.locator("[data-part=out_of_stock]");
  await waitFor("the reason is given", async () => { await reason.click({ timeout: 1000 }).catch(() => {}); return !(await page.locator("dialog").count()); });
  const { token } = await world.device();
  await waitFor("it is rejected", async () => (await world.api(token, "GET", `/orders/${n}`)).body.state === "rejected", 60000);
});
