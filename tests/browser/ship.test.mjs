// SPDX-License-Identifier: MIT
//
// Shipping what was accepted: scan, pack, ship, and when the payment fails.

import assert from "node:assert/strict";
import { cardOf, waitFor } from "./servers.mjs";
import { lines } from "./scenes.mjs";
import { atRest, complete, goBack, lapse, said } from "./steady.mjs";
import { test } from "./test.mjs";
import { scan } from "./wedge.mjs";

const text = (page, has) => page.getByText(has).first().waitFor();

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

async function packed(page) {
  for (const code of ["7350000000012", "7350000000029", "1002-02"]) await scan(page, code);
  await page.click("[data-part=picked]");
  await page.click("[data-part=packed]");
  await page.waitForSelector("#f-carrier");
}

async function ship(page) {
  await packed(page);
  await page.fill("#f-carrier", "PostNord");
  await page.fill("#f-service", "Parcel");
  await page.fill("#f-tracking", "00373500489530470000");
  await page.click("[data-part=ship]");
}

const buzzes = "window.buzzed = 0; navigator.vibrate = (how) => { if (how.length === 1) window.buzzed++; return true; };";

test("a right scan counts, a wrong one and one too many buzz and say so", async ({ open, place }) => {
  const page = await open({ init: buzzes });
  await opened(page, place);
  assert.equal(await page.evaluate(() => document.activeElement.id), "scan", "a scanner writes where it should");
  await scan(page, "7350000000012");
  await text(page, "Wool coat, double breasted, Navy, M: 1 of 1");
  await scan(page, "7350000000999");
  await text(page, "WRONG ITEM: 7350000000999");
  assert.equal(await page.evaluate(() => window.buzzed), 1);
  await scan(page, "7350000000012");
  await text(page, "You already have all of");
  assert.equal(await page.evaluate(() => window.buzzed), 2);
  await text(page, "Picked 1 of 3");
  await scan(page, "1002-02");
  await scan(page, "7350000000029");
  await page.locator("[data-part=picked]", { hasText: /^All picked/ }).click();
  await page.waitForSelector("[data-part=packed]");
});

test("an order is picked, packed and shipped, once", async ({ world, open, place }) => {
  const page = await open();
  const n = await opened(page, place);
  await packed(page);
  await page.fill("#f-carrier", "PostNord");
  await page.fill("#f-service", "Parcel");
  await page.focus("#f-tracking");
  await scan(page, "00373500489530470000");   // a scanner's Enter alone does not ship
  assert.equal((await world.ordered(n)).shipments.length, 0);
  await page.fill("#f-packages", "2");
  await page.click("[data-part=ship]");
  await text(page, `Order ${n} is shipped`);
  await page.click("#tab-done");
  await cardOf(page, n).getByText("Tracking number 00373500489530470000").waitFor();
  const { shipments } = await world.ordered(n);
  assert.equal(shipments.length, 1);
  const s = JSON.stringify(shipments[0]);
  for (const part of ["PostNord", "00373500489530470000"]) assert.ok(s.includes(part), s);
  assert.equal((await world.calls(n, "createShipment")).length, 1, s);
});

test("a part is shipped, and the order shows what remains", async ({ world, open, place }) => {
  const page = await open({ size: "tablet" });
  const n = await opened(page, place);
  await scan(page, "7350000000012");
  await page.click("[data-part=picked]");
  await text(page, "Picked 1 of 3. Ship only these?");
  await page.click("dialog .sure");
  await page.click("[data-part=packed]");
  await page.fill("#f-carrier", "PostNord");
  await page.click("[data-part=ship]");
  await page.click("dialog .sure");   // without a tracking number
  await text(page, "Shipped in part. 2 pieces left to ship.");
  await page.waitForSelector("#scan");
  assert.doesNotMatch(await page.locator("#main").innerText(), /Wool coat/);
  assert.equal((await world.ordered(n)).shipments.length, 1);
});

test("a failed payment says keep the parcel here, and can be tried again", async ({ world, open, place }) => {
  const page = await open(), other = await open({ size: "tablet" });
  const n = await opened(page, place);
  await world.control("/settings", { capture: "fail" });
  await ship(page);
  await text(page, "KEEP THE PARCEL HERE");
  await world.control("/settings", { capture: "ok" });
  // From another tablet, which knows nothing of what was picked here.
  await other.click("#tab-toShip");
  await cardOf(other, n).getByText("KEEP THE PARCEL HERE").waitFor();
  await cardOf(other, n).locator("[data-part=open]").click();
  await other.click("[data-part=again]");
  for (const p of [page, other]) await text(p, `Order ${n} is shipped`);
  assert.equal((await world.ordered(n)).shipments.length, 1);
});

test("a payment that is being confirmed goes on by itself", async ({ world, open, place }) => {
  const page = await open();
  const n = await opened(page, place);
  await world.control("/settings", { capture: "pending", capture_ms: 300 });
  const texts = await said(page, n);
  await ship(page);
  await page.getByText(`Order ${n} is shipped`).waitFor({ timeout: 120000 });
  assert.ok((await texts()).some((t) => t.includes("The payment is being confirmed")));
  assert.equal((await world.ordered(n)).shipments.length, 1);
});

test("what cannot be shipped after all is first in the list, and can be found again", async ({ open, place }) => {
  const page = await open();
  const n = await opened(page, place);
  await page.click("[data-part=problem]");
  await page.click("dialog [data-part=cannot_find]");
  await text(page, "Problem: Can’t find it");
  assert.equal(await page.locator("#scan").count(), 0);
  await page.click("[data-part=found]");
  await page.waitForSelector("#scan");
  await goBack(page);
  const later = await place();
  await page.click("#tab-toAnswer");
  await cardOf(page, later).locator("[data-part=accept]").click();
  await page.getByText("To ship (2)").click();
  assert.equal(await page.locator("#main [data-key]").first().getAttribute("data-key"), String(n));
});

const isAt = (page, what) => page.evaluate((s) => document.activeElement.matches(s), what);

// Goes to `what` by Tab.
async function to(page, what) {
  await page.locator(what).first().waitFor();
  for (let i = 0; i < 30; i++) {
    if (await isAt(page, what)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`no way to ${what}`);
}

// A person's Enter on `what`, when no press before it or scan is so near that it is
// ignored.  Who sees the focus go before that goes there again.
async function enterOn(page, what) {
  await waitFor(`the focus to stay on ${what}`, async () => {
    await to(page, what);
    await lapse(page, 510);
    await atRest(page);
    return isAt(page, what);
  });
  await page.keyboard.press("Enter");
}

test("an order is accepted and shipped by keyboard only", async ({ open, place }) => {
  const page = await open({ size: "tablet" });
  const n = await place({ lines: [lines.coat] });
  await complete(page, n);   // a card that is drawn anew keeps no focus on its green button
  await enterOn(page, "[data-part=accept]");
  await page.getByText("To ship (1)").waitFor();
  await to(page, "#tab-toAnswer");
  await page.keyboard.press("ArrowRight");
  await complete(page, n);
  await enterOn(page, "[data-part=open]");
  await page.waitForSelector("#scan");
  await scan(page, "7350000000012");
  await text(page, "Wool coat, double breasted, Navy, M: 1 of 1");
  await lapse(page, 350);
  for (const part of ["picked", "packed"]) await enterOn(page, `[data-part=${part}]`);
  await page.waitForSelector("#f-carrier:focus");
  await page.keyboard.type("PostNord", { delay: 70 });
  await to(page, "#f-tracking");
  await scan(page, "123");
  await lapse(page, 350);
  await enterOn(page, "[data-part=ship]");
  await text(page, `Order ${n} is shipped`);
});

test("after a failed payment all steps work again", async ({ world, open, place }) => {
  const page = await open();
  const n = await opened(page, place);
  await world.control("/settings", { capture: "fail" });
  await ship(page);
  await text(page, "KEEP THE PARCEL HERE");
  const answer = page.waitForResponse(/\/ship$/);
  await page.click("[data-part=again]");   // the same again, and it fails again
  await answer;
  await page.waitForSelector("[data-part=again]:enabled");
  await text(page, "KEEP THE PARCEL HERE");
  await page.getByText("← Pack").click();
  await page.getByText("← Pick").click();
  await page.waitForSelector("#scan");
  await page.click("[data-part=picked]");
  await page.click("[data-part=packed]");
  await world.control("/settings", { capture: "ok" });
  await page.fill("#f-tracking", "00373500489530470001");
  await page.click("[data-part=ship]");
  await text(page, `Order ${n} is shipped`);
  assert.equal((await world.ordered(n)).shipments.length, 1);
});

test("a parcel without a tracking number is asked about once", async ({ world, open, place }) => {
  const page = await open();
  const n = await opened(page, place);
  await packed(page);
  await page.fill("#f-carrier", "PostNord");
  await page.click("[data-part=ship]");
  await text(page, "Ship without a tracking number?");
  await page.locator("dialog button", { hasText: "Back" }).click();
  assert.equal((await world.ordered(n)).shipments.length, 0);
  await world.control("/settings", { capture: "fail" });
  await page.click("[data-part=ship]");
  await page.click("dialog .sure");
  await text(page, "KEEP THE PARCEL HERE");
  await world.control("/settings", { capture: "ok" });
  await page.click("[data-part=ship]");
  await text(page, `Order ${n} is shipped`);
  assert.equal(await page.locator("dialog").count(), 0);
});

test("who has picked nothing is told what to do", async ({ open, place }) => {
  const page = await open({ init: buzzes });
  await opened(page, place);
  await page.locator("[data-part=picked]", { hasText: "Picked 0 of 3" }).click();
  await text(page, "Nothing is picked yet. Scan each item, or tap its 0");
  assert.equal(await page.evaluate(() => window.buzzed), 1);
  await page.waitForSelector("#scan");
});

test("a scan says which size it was, and shows the line", async ({ open, place }) => {
  const page = await open();
  const many = Array.from({ length: 14 }, (_, i) => ({ ...lines.long, id: 100 + i, size: `${30 + i}`, sku: `S${i}`, ean: `73500000${String(1000 + i)}`, quantity: 2 }));
  await opened(page, place, { lines: many });
  await scan(page, "S13");
  await text(page, "43: 1 of 2");
  const seen = await page.evaluate(() => {
    const inside = (el) => { const b = el.getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight; };
    const line = document.querySelector("[data-line='113']"), note = document.querySelector(".scanbox .state");
    return [inside(line), inside(note), line.getBoundingClientRect().top >= note.getBoundingClientRect().bottom - 1];
  });
  assert.deepEqual(seen, [true, true, true]);
  await scan(page, "S0");
  await text(page, "30: 1 of 2");
  assert.ok(await page.evaluate(() => document.querySelector("[data-line='100']").getBoundingClientRect().top >= document.querySelector(".scanbox").getBoundingClientRect().bottom - 1));
});

test("a problem that is solved is so on every tablet, with who said what", { staff: "Anna, Ben" }, async ({ open, place }) => {
  const page = await open(), other = await open({ size: "tablet" });
  const n = await place({ lines: [lines.coat, lines.scarf] });
  await cardOf(page, n).locator("[data-part=accept]").click();
  await page.locator("dialog button", { hasText: "Anna" }).click();
  await page.getByText(/To ship \(/).click();
  await cardOf(page, n).locator("[data-part=open]").click();
  await page.click("[data-part=problem]");
  await page.fill("dialog #note", "A seam is open");
  await page.click("dialog [data-part=damaged]");
  await other.click("#tab-toShip");
  for (const part of ["Problem: Damaged", "A seam is open", "Reported by Anna on Till"]) await cardOf(other, n).getByText(part).waitFor();
  await cardOf(other, n).locator("[data-part=open]").click();
  await other.click("[data-part=found]");
  await other.locator("dialog button", { hasText: "Ben" }).click();
  for (const p of [page, other]) {
    await p.waitForSelector("#scan");
    for (const part of ["Solved by Ben on Till: you can ship it", "Damaged", "A seam is open", "Reported by Anna on Till"]) await text(p, part);
  }
  await page.reload();
  await page.click("#tab-toShip");
  await cardOf(page, n).getByText("Solved by Ben on Till").waitFor();
  const swedish = await open({ locale: "sv-SE" });
  await swedish.click("#tab-toShip");
  for (const part of ["Löst av Ben på Till: ni kan skicka den", "Anmält av Anna på Till"]) await cardOf(swedish, n).getByText(part).waitFor();
});

test("an order in doubt says on the card and in its view to ask the office", async ({ open, place }) => {
  const page = await open();
  const n = await opened(page, place);
  await page.route("**/api/v1/orders?state=mine**", async (route) => {
    const r = await route.fetch(), body = await r.json();
    for (const o of body.orders) o.doubt = true;
    await route.fulfill({ response: r, json: body });
  });
  await page.reload();
  await page.click("#tab-toShip");
  await cardOf(page, n).getByText("Ask the office before you ship").waitFor();
  await cardOf(page, n).locator("[data-part=open]").click();
  await text(page, "Ask the office before you ship");
});

// Bars and spaces of a screenshot's middle row, as widths.
const bars = (page, png) => page.evaluate(async (png) => {
  const bytes = Uint8Array.from(atob(png), (c) => c.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const at = new OffscreenCanvas(image.width, 1).getContext("2d");
  at.drawImage(image, 0, -Math.floor(image.height / 2));
  const row = at.getImageData(0, 0, image.width, 1).data, widths = [];
  let dark = false, n = 0;
  for (let i = 0; i < image.width; i++) {
    if (row[4 * i] < 128 === dark) { n++; continue; }
    widths.push(n);
    dark = !dark;
    n = 1;
  }
  return widths.slice(1);   // from the first bar
}, png.toString("base64"));

// Code 128, code set B, read back: the widths of the printable characters (values
// 0 to 94) as ISO/IEC 15417 lists them, the check character and the stop sign.
const CODE_B = ("212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122123221223211221132221231" +
  "213212223112312131311222321122321221312212322112322211212123212321232121111323131123131321112313132113132311211313231113231311" +
  "112133112331132131113123113321133121313121211331231131213113213311213131311123311321331121312113312311332111314111221411431111" +
  "111224111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112134111111242121142121241114212" +
  "124112124211411212421112421211212141214121412121111143111341131141").match(/.{6}/g);

function decode(widths) {
  const thin = Math.min(...widths), units = widths.map((w) => Math.round(w / thin));
  const signs = units.slice(0, -7).join("").match(/.{6}/g);
  assert.equal(units.slice(-7).join(""), "2331112", "the stop sign");
  assert.equal(signs[0], "211214", "start of code set B");
  const data = signs.slice(1, -1).map((s) => CODE_B.indexOf(s));
  const check = data.reduce((n, v, i) => n + v * (i + 1), 104) % 103;
  assert.equal(CODE_B.indexOf(signs.at(-1)), check, "the check character");
  return data.map((v) => String.fromCharCode(v + 32)).join("");
}

test("a pick list and a packing slip print on A4, the order as a barcode", async ({ open, place }) => {
  const page = await open({ size: "tablet", init: "window.print = () => { window.printed = (window.printed || 0) + 1; };" });
  const n = await opened(page, place, { number: 9081726, lines: [{ ...lines.coat, upc: "036000291452" }, lines.long],
    shippingAddress: { firstName: "Eva", lastName: "Berg", address1: "Prinsengracht 1", zipCode: "1015", city: "Amsterdam", country: { code: "NL", name: "Netherlands" } } });
  await text(page, "Prinsengracht 1");
  await text(page, "036000291452");
  const check = async (title, address) => {
    await page.emulateMedia({ media: "print", colorScheme: "light" });
    assert.ok(!(await page.locator("#screen").isVisible()));
    const shown = await page.locator("#print").innerText();
    assert.ok(shown.includes(`${title} – Order ${n}`), shown);
    assert.doesNotMatch(shown, /null|undefined/);
    assert.equal(shown.includes("Prinsengracht 1"), address);
    for (const part of ["Wool coat", "1001-01-M", "7350000000012", "036000291452"]) assert.ok(shown.includes(part), part);
    assert.equal(shown.includes("XXXL Tall"), !address, "the slip holds what is in the parcel, no more");
    const code = page.locator("#print .barcode");
    const box = await code.boundingBox();
    // Three pixels a module: a screen is coarser than paper.
    await code.evaluate((el) => { el.style.width = `${3 * el.viewBox.baseVal.width}px`; el.style.maxWidth = "none"; });
    assert.ok(box.height > 50 && box.width > 150 && box.width < 680, JSON.stringify(box));
    assert.equal(decode(await bars(page, await code.screenshot())), `se/${n}`);
    const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
    assert.equal(pdf.match(/\/Type \/Page\b/g).length, 1);
    const [, w, h] = pdf.match(/\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/);
    assert.deepEqual([Math.round(w), Math.round(h)], [595, 842]);
    await page.emulateMedia({ media: "screen" });
  };
  await page.getByText("Print pick list").click();
  await check("Pick list", false);
  await scan(page, "7350000000012");
  await page.click("[data-part=picked]");
  await page.click("dialog .sure");
  await page.getByText("Print packing slip").click();
  await check("Packing slip", true);
  assert.equal(await page.evaluate(() => window.printed), 2);
});

test("of two tablets that ship one order, one is told that its parcel was not, and it stays told", async ({ world, open, place }) => {
  const pages = [await open(), await open()], n = await place({ lines: [lines.coat] });
  await cardOf(pages[0], n).locator("[data-part=accept]").click();
  for (const page of pages) {
    await page.click("#tab-toShip");
    await complete(page, n);
    await cardOf(page, n).locator("[data-part=open]").click();
    await page.locator("[data-part^=tick]").first().click();
    await page.click("[data-part=picked]");
    await page.click("[data-part=packed]");
    await page.fill("#f-carrier", "PostNord");
    await page.fill("#f-tracking", page === pages[0] ? "111" : "222");
    await atRest(page);
  }
  const answers = pages.map((page) => page.waitForResponse((r) => r.url().endsWith("/ship")));
  await Promise.all(pages.map((page) => page.locator("[data-part=ship]").dispatchEvent("click")));
  const status = (await Promise.all(answers)).map((r) => r.status());
  const late = pages[status.indexOf(409)];
  assert.ok(late, `one is refused: ${status}`);
  for (const page of pages) await text(page, `Order ${n} is shipped.`);
  await late.getByText(`Order ${n}. Not shipped. Ask the office before you ship this order.`).waitFor();
  assert.equal((await world.ordered(n)).shipments.length, 1);
});

test("an order that changed since it was shown is not shipped, and is picked again", async ({ world, open, place }) => {
  const page = await open();
  const n = await opened(page, place);
  await packed(page);
  await page.fill("#f-carrier", "PostNord");
  await page.fill("#f-tracking", "1");
  // As if the change were not here yet.
  await page.route("**/ship", (route) => route.continue({ postData: route.request().postData().replace(/"version":"[^"]*"/, '"version":"older"') }), { times: 1 });
  await page.click("[data-part=ship]");
  await text(page, "Something about this order changed");
  await page.waitForSelector("#scan");
  assert.equal((await world.ordered(n)).shipments.length, 0);
});
