// SPDX-License-Identifier: MIT
//
// What happened to an order, as its view tells it: by tap, in the language of the
// device, from facts.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cardOf, root, waitFor } from "./servers.mjs";
import { lines } from "./scenes.mjs";
import { complete, lapse, module } from "./steady.mjs";
import { test } from "./test.mjs";
import { scan } from "./wedge.mjs";

const COAT = "7350000000012";
const source = (file) => readFileSync(join(root, file), "utf8");
const story = "[data-part=story]";

// An order that the shop has accepted.
async function accepted(world, token, order = {}) {
  const n = await world.place({ warehouses: [3, 4], lines: [lines.coat, lines.scarf], ...order });
  const get = async () => (await world.api(token, "GET", `/orders/${n}`)).body;
  await waitFor(`${n} is offered`, async () => (await get()).lines?.length);
  assert.equal((await world.api(token, "POST", `/orders/${n}/accept`, { staff: "Anna" })).status, 200);
  await waitFor(`the address of ${n}`, async () => (await get()).ship_to);
  return n;
}

// Asks for the reading of timelines.
function reads(page) {
  const list = [];
  page.on("request", (r) => { if (/\/api\/v1\/orders\/\d+$/.test(r.url())) list.push(r.url()); });
  return list;
}

const told = async (page) => (await page.locator(".story li span").allInnerTexts());

// Opens the view of order `n`; none of its timeline is read yet.
async function view(page, n) {
  await page.click("#tab-toShip");
  await cardOf(page, n).locator("[data-part=open]").click();
  await page.waitForSelector("#scan");
  await complete(page, n);
}

async function openStory(page) {
  await page.click(story);
  await page.locator(".story li").first().waitFor();
}

test("what happened to an order is closed, and read only when it is tapped open", async ({ world, open }) => {
  const { token } = await world.device();
  const n = await accepted(world, token), page = await open();
  await page.click("#tab-toShip");
  await cardOf(page, n).locator("[data-part=open]").click();
  await page.waitForSelector("#scan");
  await complete(page, n);
  const list = reads(page);
  assert.equal(await page.locator(".story[open]").count(), 0);
  assert.deepEqual(list, []);
  await openStory(page);
  assert.equal(list.length, 1);
  // Closed again, and left and opened again, it is closed.
  await page.click(story);
  assert.equal(await page.locator(".story[open]").count(), 0);
  await openStory(page);
  await page.click("#tab-toShip");
  await cardOf(page, n).locator("[data-part=open]").click();
  await page.waitForSelector("#scan");
  assert.equal(await page.locator(".story[open]").count(), 0);
});

test("a tap that opens or closes it counts, though the order is drawn anew in that moment", async ({ world, open }) => {
  const { token } = await world.device();
  const n = await accepted(world, token), page = await open();
  await view(page, n);
  const live = await module(page, "live.js"), ui = await module(page, "ui.js");
  for (const is of [1, 0, 1]) {
    await page.locator(story).evaluate((el, { live, ui, n }) => {
      el.click();
      const o = live.orders.get(n);
      live.orders.set(n, { ...o, version: `${o.version}+` });
      ui.draw();
    }, { live, ui, n });
    await lapse(page, 100);
    assert.equal(await page.locator(".story[open]").count(), is);
    if (is) await page.locator(".story li").first().waitFor();
  }
});

test("an accepted and shipped order tells its story in Swedish, in plain words, each with its time", { staff: "Anna, Ben" }, async ({ world, open }) => {
  const { token } = await world.device("amsterdam", "Kassan");
  const n = await accepted(world, token), page = await open({ locale: "sv-SE" });
  const ship = await world.api(token, "POST", `/orders/${n}/ship`, { carrier: "PostNord", service: "Paket", tracking: "00373", packages: 1, staff: "Ben" });
  assert.ok(ship.status < 300);
  await page.click("#tab-done");
  await cardOf(page, n).locator(story).click();
  await page.locator(".story li").first().waitFor();
  const list = await told(page);
  assert.equal(list[0], "Kunden beställde");
  assert.match(list[1], /^Ni fick frågan, svar senast \d\d:\d\d$/);
  assert.deepEqual(list.slice(2), ["Anna på Kassan sa ja", "Centra: ordern är er", "Ben på Kassan bekräftade leveransen: PostNord Paket, 00373", "Skickad"]);
  for (const at of await page.locator(".story time").allInnerTexts()) assert.match(at, /^\d\d:\d\d$/);
  const english = /\b(the|order was|offered|accepted|rejected|shipped|says|said|status|look|try|asking|fetched|update|shipment|warehouse|on)\b/i;
  assert.doesNotMatch(await page.locator(".story").innerText(), english);
});

test("who said no or reported a problem, and why, is told in Swedish", async ({ world, open }) => {
  const { token } = await world.device("amsterdam", "Kassan");
  const n = await accepted(world, token), page = await open({ locale: "sv-SE" });
  await view(page, n);
  await openStory(page);
  assert.equal((await world.api(token, "POST", `/orders/${n}/problem`, { reason: "lost" })).status, 200);
  // It is open while it comes.
  await waitFor("the problem", async () => (await told(page)).at(-1) === "Kassan anmälde ett problem: Försvunnen");
  assert.equal((await world.api(token, "POST", `/orders/${n}/solved`, {})).status, 200);
  await waitFor("its end", async () => (await told(page)).at(-1) === "Kassan löste problemet");
  const no = await world.place({ warehouses: [3, 4], lines: [lines.coat] });
  await waitFor(`${no} is offered`, async () => (await world.api(token, "GET", `/orders/${no}`)).body.lines?.length);
  assert.equal((await world.api(token, "POST", `/orders/${no}/reject`, { reason: "damaged" })).status, 200);
  await page.click("#tab-done");
  await cardOf(page, no).locator(story).click();
  await waitFor("the no", async () => (await told(page)).includes("Kassan sa nej: Skadad"));
});

test("a scan while the story is open, or its heading has the focus, counts, and the story stays", async ({ world, open }) => {
  const { token } = await world.device();
  const n = await accepted(world, token), page = await open();
  await view(page, n);
  await openStory(page);
  assert.ok(await page.evaluate(() => document.activeElement.matches("summary")));
  // Drawn anew it is never empty: the page would be shorter, and jump.
  await page.evaluate(() => {
    window.empty = 0;
    new MutationObserver(() => { if (document.querySelector(".story[open]") && !document.querySelector(".story li")) window.empty++; })
      .observe(document.getElementById("main"), { childList: true, subtree: true });
  });
  await scan(page, COAT);
  await page.getByText("Wool coat, double breasted, Navy, M: 1 of 1").waitFor();
  assert.equal(await page.locator(".story[open] li").count() > 0, true);
  await page.locator(story).focus();
  await scan(page, "7350000000029", "Enter twice");
  await page.getByText("Scarf, Oat, One size: 1 of 2").waitFor();
  assert.equal(await page.locator(".story[open] li").count() > 0, true);
  assert.equal(await page.evaluate(() => window.empty), 0);
});

test("a story that cannot be read says so, and is read when it is opened again", async ({ world, open }) => {
  const { token } = await world.device();
  const n = await accepted(world, token), page = await open();
  await view(page, n);
  await page.route(/\/api\/v1\/orders\/\d+$/, (r) => r.fulfill({ status: 503, body: "{}" }));
  await page.click(story);
  await page.locator(".story").getByText("That did not work").waitFor();
  await page.unroute(/\/api\/v1\/orders\/\d+$/);
  await page.click(story);
  await openStory(page);
});

test("a kind that is newer than the page is told in the server's words", async ({ world, open }) => {
  const { token } = await world.device();
  const n = await accepted(world, token), page = await open({ locale: "sv-SE" });
  await view(page, n);
  await page.route(/\/api\/v1\/orders\/\d+$/, async (r) => {
    const answer = await r.fetch(), body = await answer.json();
    body.timeline.push({ at: body.timeline[0].at, kind: "flown", what: "a drone took it" });
    await r.fulfill({ response: answer, json: body });
  });
  await openStory(page);
  assert.equal((await told(page)).at(-1), "a drone took it");
});

test("how an offer ended is told once, in Swedish", async ({ world, open }) => {
  const { token } = await world.device(), page = await open({ locale: "sv-SE" }), n = {};
  for (const how of ["taken", "late", "off"]) {
    n[how] = await world.place({ warehouses: how === "late" ? [3] : [3, 4], lines: [lines.coat] });
    await waitFor(`${n[how]} is offered`, async () => (await world.api(token, "GET", `/orders/${n[how]}`)).body.lines?.length);
  }
  await world.control(`/orders/${n.taken}/accept`, { warehouse: 4 });
  await world.control(`/orders/${n.late}/expire`, {});
  await world.control(`/orders/${n.off}/cancel`, {});
  await page.click("#tab-done");
  for (const [how, text] of [["taken", "Gick till annan butik"], ["late", "Inte besvarad i tid"], ["off", "Annullerad"]]) {
    const card = cardOf(page, n[how]);
    await card.locator(story).click();
    await card.locator(".story li").first().waitFor();
    const list = await card.locator(".story li span").allInnerTexts();
    assert.equal(list.at(-1), text);
    assert.equal(new Set(list).size, list.length, list.join());
  }
});

// The rows of journal.def: "offered", "offered.until", ...
function facts() {
  const rows = source("store/model/journal.def").split("#endif").at(-1), kinds = {}, all = new Set();
  for (const [, name, kind] of rows.matchAll(/^FACT *\((\w+), *"(\w+)"/gm)) { kinds[name] = kind; all.add(kind); }
  for (const [, name, result] of rows.matchAll(/^RESULT *\((\w+), *"(\w+)"/gm)) all.add(`${kinds[name]}.${result}`);
  for (const [, state] of source("store/model/offer.c").matchAll(/\[STATE_\w+\] = "(\w+)"/g)) all.add(`state.${state}`);
  return all;
}

test("each kind of the journal has words in both languages, or is left out on purpose", { world: false }, async () => {
  const code = source("server/page/story.js"), all = facts();
  const words = Function(`return {${/const WORDS = \{([^}]*)\}/.exec(code)[1]}}`)();
  const quiet = /const QUIET = `([^`]*)`/.exec(code)[1].split(/\s+/);
  const { texts } = await import(`data:text/javascript,${encodeURIComponent(`globalThis.document ??= { documentElement: {} }; globalThis.navigator ??= {};${source("server/page/texts.js")}`)}`);
  const own = Function(`return ${/^addTexts\((\{[^]*?^\})\);$/m.exec(code)[1]}`)();
  assert.ok(all.size > 60 && all.has("state.taken") && all.has("answered.reject"), [...all].join());
  for (const [kind, key] of Object.entries(words)) {
    assert.ok(all.has(kind), `${kind} is no row of journal.def`);
    for (const lang of ["sv", "en"]) assert.ok(own[lang][key] ?? texts[lang][key], `${kind}: ${key} is no text`);
  }
  for (const kind of quiet) assert.ok(all.has(kind), `${kind} is no row of journal.def`);
  // "text" is an entry of an old journal, kept in English; the others always have an outcome.
  for (const kind of all) if (!["text", "state", "answered"].includes(kind)) assert.ok([kind, kind.split(".")[0]].some((k) => words[k] || quiet.includes(k)), `${kind} has no words`);
  for (const kind of quiet) assert.ok(!words[kind], `${kind} is left out, and has words`);
});
