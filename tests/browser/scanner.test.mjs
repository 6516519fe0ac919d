// SPDX-License-Identifier: MIT
//
// A scanner types wherever the focus is: it counts goods, and never presses a
// button.  The cases of scanner.txt are each a test here.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cardOf, root, waitFor } from "./servers.mjs";
import { lines, startDay, walk } from "./scenes.mjs";
import { atRest, complete, goBack, lapse } from "./steady.mjs";
import { test } from "./test.mjs";
import { keys, pressAgo, scan, scanAlt, scanSlow, suffixes, type } from "./wedge.mjs";

const COAT = "7350000000012", SCARF = "7350000000029", TRACKING = "00373500489530470000";
const text = (page, has) => page.getByText(has).first().waitFor();
const buzzes = "window.buzzed = 0; navigator.vibrate = (how) => { if (how.length === 1) window.buzzed++; return true; };";
const buzzed = (page) => page.evaluate(() => window.buzzed);
const focus = (page, what) => page.locator(what).first().evaluate((el) => el.focus());

// What the page sends to the server, reading apart.
function sent(page) {
  const list = [];
  page.on("request", (r) => { if (!["GET", "HEAD"].includes(r.method())) list.push(`${r.method()} ${new URL(r.url()).pathname}`); });
  return list;
}

// An order of this shop's, accepted.
async function ours(world, token, order = {}) {
  const n = await world.place({ warehouses: [3, 4], lines: [lines.coat, lines.scarf], ...order });
  const get = async () => (await world.api(token, "GET", `/orders/${n}`)).body;
  await waitFor(`${n} is offered`, async () => (await get()).lines?.length);
  assert.equal((await world.api(token, "POST", `/orders/${n}/accept`, {})).status, 200);
  await waitFor(`the address of ${n}`, async () => (await get()).ship_to);
  return n;
}

// A screen on which such an order is open.
async function picking(world, open, order, init = "") {
  const { token } = await world.device();
  const n = await ours(world, token, order), page = await open({ init: buzzes + init });
  await page.click("#tab-toShip");
  await cardOf(page, n).locator("[data-part=open]").click();
  await page.waitForSelector("#scan");
  await complete(page, n);
  await page.click("h2");   // sound and vibration are allowed after a touch
  return { n, page, token };
}

async function atShip(page) {
  await scan(page, COAT);
  await page.click("[data-part=picked]");
  await page.click("dialog .sure");
  await page.click("[data-part=packed]");
  await page.waitForSelector("#f-tracking");
}

// An `init` of a screen: holdUp(ms) is then as if the page had been held up so
// long, and timers come before keys: each that is due comes, once.
const holds = `{ const timers = new Map(), set = setTimeout, clear = clearTimeout;
  window.setTimeout = (f, ms) => { const id = set(() => { timers.delete(id); f(); }, ms); timers.set(id, { f, ms }); return id; };
  window.clearTimeout = (id) => { timers.delete(id); clear(id); };
  window.holdUp = (most) => { for (const [id, { f, ms }] of [...timers]) if (ms <= most) { clearTimeout(id); f(); } }; }`;

// Types `code`, of which all but the `first` keys wait for a page that is held up;
// of its timers those that are due come `times` times.
async function heldUp(page, code, first, { times = 1, suffix = "Enter" } = {}) {
  await type(page, [...code.slice(0, first)]);
  await page.evaluate((times) => { for (let i = 0; i < times; i++) window.holdUp(400); }, times);
  await type(page, [...code.slice(first), ...suffixes[suffix]], 2);
}

// As heldUp(), for so long that the pause ends the code after its `first` keys.
const cutIn = (page, code, first, suffix) => heldUp(page, code, first, { times: 10, suffix });

const settled = (page) => lapse(page, 400);   // longer than any key is waited for

/* ---- the cases of scanner.txt, by how their lines begin ---- */

// Opens the dialog by `steps`, scans into it with each suffix, and expects that
// it is still open and that nothing was sent.
async function refusedInDialog(page, title) {
  const list = sent(page);
  for (const suffix of Object.keys(suffixes)) {
    for (const el of await page.locator("dialog, dialog button, dialog input").elementHandles()) {
      await el.evaluate((el) => el.focus());
      await scan(page, COAT, suffix);
    }
    await settled(page);
    assert.equal(await page.locator(`dialog ${title}`).count(), 1, `${suffix}: the dialog is still there`);
    assert.deepEqual(list, [], suffix);
  }
  await page.locator("dialog .said").waitFor();
  assert.ok(await buzzed(page) > 0);
}

async function trackingBy(page, world, n, focused, suffix) {
  const list = sent(page);
  await focus(page, focused);
  const had = await page.inputValue(focused);
  await scan(page, TRACKING, suffix);
  await waitFor("the tracking number", async () => (await page.inputValue("#f-tracking")) === TRACKING);
  if (focused !== "#f-tracking") assert.equal(await page.inputValue(focused), had, "the field is as it was");
  await settled(page);
  assert.deepEqual(list, []);
  assert.equal((await world.ordered(n)).shipments.length, 0);
}

async function countsAs(page, code, what, suffix) {
  await scan(page, code, suffix);
  await text(page, what);
  assert.equal(await page.inputValue("#scan"), "", `${code}: codes never pile up`);
}

const cases = {
  'dialog "Can\'t ship after all"': async ({ world, open }) => {
    const { page } = await picking(world, open);
    await page.click("[data-part=problem]");
    await refusedInDialog(page, "#why");
  },
  'dialog "Ship only these?"': async ({ world, open }) => {
    const { page } = await picking(world, open);
    await scan(page, COAT);
    await page.click("[data-part=picked]");
    await refusedInDialog(page, "#sure");
    assert.equal(await page.locator("[data-part=packed]").count(), 0);
  },
  'dialog "Who are you?"': async ({ world, open, place }) => {
    const page = await open({ init: buzzes });
    const n = await place();
    await complete(page, n);
    await cardOf(page, n).locator("[data-part=accept]").click();
    await page.waitForSelector("dialog #who-title");
    await refusedInDialog(page, "#who-title");
    assert.ok(!(await page.locator("#who").isVisible()), "nobody is chosen");
    assert.deepEqual(await world.calls(n, "check-first"), []);
  },
  "any other dialog": null,   // the walk, below
  "tracking field, scanner that sends CR LF": async ({ world, open }) => {
    const { n, page } = await picking(world, open);
    await atShip(page);
    await page.fill("#f-carrier", "PostNord");
    await trackingBy(page, world, n, "#f-tracking", "Enter twice");
  },
  "carrier field": async ({ world, open }) => {
    const { n, page } = await picking(world, open);
    await atShip(page);
    await page.fill("#f-carrier", "PostNord");
    for (const suffix of Object.keys(suffixes)) {
      for (const f of ["carrier", "service", "packages"]) {
        await page.fill("#f-tracking", "");
        await trackingBy(page, world, n, `#f-${f}`, suffix);
      }
    }
  },
  "scan field, suffix Tab": async ({ world, open }) => {
    const { page } = await picking(world, open);
    await countsAs(page, COAT, "Wool coat, double breasted, Navy, M: 1 of 1", "Tab");
    assert.equal(await page.evaluate(() => document.activeElement.id), "scan");
  },
  "scan field, suffix LF": async ({ world, open }) => {
    const { page } = await picking(world, open);
    await countsAs(page, SCARF, "Scarf, Oat, One size: 1 of 2", "LF");
    await countsAs(page, SCARF, "Scarf, Oat, One size: 2 of 2", "nothing");
    await countsAs(page, COAT, "Wool coat, double breasted, Navy, M: 1 of 1", "nothing");
  },
  "scan field, EAN on file 0036000291452": async ({ world, open }) => {
    const { page } = await picking(world, open, { lines: [{ ...lines.coat, ean: "0036000291452" }, { ...lines.scarf, ean: "036000291452" }] });
    await countsAs(page, "036000291452", "Wool coat, double breasted, Navy, M: 1 of 1");
    await countsAs(page, "0036000291452", "Scarf, Oat, One size: 1 of 2");
    await countsAs(page, "00036000291452", "Scarf, Oat, One size: 2 of 2");
  },
  "scan field, UPC 036000291476": async () => {
    const { isItem } = await codes();
    const line = { sku: "A-1", ean: null, upc: "036000291476" };
    assert.ok(isItem("036000291476", line) && isItem("0036000291476", line));
    assert.ok(!isItem("036000291452", line));
  },
  "scan field                                ]E0": async ({ world, open }) => {
    const { page } = await picking(world, open, { lines: [{ ...lines.scarf, ean: "036000291452", quantity: 2 }] });
    await countsAs(page, "]E00036000291452", "Scarf, Oat, One size: 1 of 2");
    await countsAs(page, "01000360002914521012ABC", "Scarf, Oat, One size: 2 of 2");
  },
  'list "To ship"': async ({ world, open }) => {
    const { n, page } = await picking(world, open);
    await page.evaluate(() => { window.print = () => {}; });
    await page.getByText("Print pick list").click();
    const printed = await page.locator("#print .barcode").getAttribute("aria-label");
    assert.equal(printed, `se/${n}`);
    await goBack(page);
    const list = sent(page);
    for (const tab of ["toShip", "toAnswer", "done"]) {
      await page.click(`#tab-${tab}`);
      await scan(page, printed);
      await page.waitForSelector("#scan");
      await goBack(page);
    }
    // A scanner set to another language of keyboard.
    await scan(page, printed.replace("/", "-"), "Tab");
    await page.waitForSelector("#scan");
    assert.deepEqual(list, []);
  },
};

const fileLines = readFileSync(new URL("scanner.txt", import.meta.url), "utf8").trim().split("\n").slice(1);

test("every case of scanner.txt has a test", { world: false }, async () => {
  const names = Object.keys(cases);
  for (const line of fileLines) assert.equal(names.filter((n) => line.startsWith(n)).length, 1, line);
  for (const n of names) assert.ok(fileLines.some((l) => l.startsWith(n)), n);
});

for (const line of fileLines) {
  const name = Object.keys(cases).find((n) => line.startsWith(n));
  if (name && cases[name]) test(`scanner: ${line.replace(/ +/g, " ")}`, name.includes("Who are") ? { staff: "Anna, Ben" } : {}, cases[name]);
}

/* ---- every dialog, button and field ---- */

// Those on the screen that can have the focus; in a dialog, only the dialog's.
const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex], dialog";
const targets = (page) => page.evaluateHandle((all) => {
  const open = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document;
  return [document.body, ...(open === document ? [] : [open]), ...open.querySelectorAll(all)].filter((el) => el === document.body || (el.getClientRects().length && !el.disabled));
}, FOCUSABLE);

// What a press would change: the questions, the tab, the step, the person.
const state = (page) => page.evaluate(() => JSON.stringify({
  dialogs: [...document.querySelectorAll("dialog")].map((d) => `${d.open} ${d.querySelector("h2")?.textContent}`),
  tab: document.querySelector("#tabs [aria-selected=true]")?.id, step: document.querySelector("[aria-current=step]")?.textContent,
  who: document.getElementById("who").textContent, title: document.querySelector("#main h2")?.textContent,
  parts: [...document.querySelectorAll("#main [data-part]")].map((e) => e.dataset.part),
  fields: [...document.querySelectorAll("input:not(#f-tracking, #code)")].map((e) => e.value) }));

// first: the pause cuts the code after so many keys; 0: it does not.
for (const [suffix, first] of [...Object.keys(suffixes).map((s) => [s, 0]), ["Enter twice", 3], ["Enter", 6]]) {
  test(`a scan on any dialog, button or field of the page presses nothing; ended by ${suffix}${first ? `, cut after ${first} keys` : ""}`, { world: false, late: 600000 }, async ({ browser }) => {
    // No offer ends while the walk is under way: that would change the list.
    const day = await startDay({ now: 3000 }), wrong = [];
    const orders = async () => JSON.stringify((await day.world.control("/state")).orders.map((o) => [o.number, o.accepts, o.shipments.length]));
    const seen = new Set();
    let tried = 0, views = 0;
    try {
      await walk(browser, day, { size: "phone", init: holds }, async (page, name) => {
        views++;
        const list = sent(page), before = await state(page), centra = await orders();
        const all = await targets(page), n = await all.evaluate((a) => a.length);
        for (let i = 0; i < n; i++) {
          // A redrawn element has a successor in its place.
          const what = await all.evaluate((a, i) => {
            const el = a[i], part = el.dataset?.part, key = el.closest?.("[data-key]")?.dataset.key;
            const now = el.isConnected ? el : document.querySelector(`${key ? `[data-key="${key}"] ` : ""}${el.id ? `#${el.id}` : `[data-part="${part}"]`}`);
            now?.focus?.();
            return `${el.tagName} ${el.id || part || el.className} ${el.closest("dialog")?.querySelector("h2").textContent}`;
          }, i);
          // A pause takes long: then one of each kind.
          if (suffix === "nothing" && seen.has(what)) continue;
          seen.add(what);
          tried++;
          if (first) await cutIn(page, "96385074", first, suffix); else await scan(page, "96385074", suffix);
          if (suffix === "nothing") await lapse(page, 350);
        }
        await settled(page);
        if (await state(page) !== before) wrong.push(`${name}: ${before} -> ${await state(page)}`);
        // What the walk itself pressed without a connection may go once it is back.
        const more = list.filter((x) => !(name === "offline" && x === `POST /api/v1/orders/${day.soon}/accept`));
        if (more.length) wrong.push(`${name}: the server was sent ${more}`);
        if (await orders() !== centra) wrong.push(`${name}: Centra was told something`);
        page.removeAllListeners("request");
      }, true);
    } finally { await day.world.stop(); }
    assert.ok(views >= 22 && tried > 60, `${views} views, ${tried} scans`);
    assert.deepEqual(wrong, []);
  });
}

// On an offer's green button, whose Enter would accept it.
async function onGreen({ open, place, world }, fn) {
  const page = await open({ init: buzzes });
  const n = await place(), green = cardOf(page, n).locator("[data-part=accept]");
  await complete(page, n);
  await page.click("#shop");
  await atRest(page);
  await green.focus();
  await fn(page);
  await settled(page);
  assert.deepEqual(await world.calls(n, "check-first"), []);
  assert.equal(await green.count(), 1);
  return page;
}

test("a scanner that types Alt codes presses nothing, and is understood", async (at) => {
  await onGreen(at, async (page) => {
    await scanAlt(page, SCARF);
    await text(page, `${SCARF} is no order to ship`);
  });
  const { page } = await picking(at.world, at.open);
  await scanAlt(page, SCARF);
  await text(page, "Scarf, Oat, One size: 1 of 2");
});

for (const odd of ["Dead", "Unidentified"]) {
  test(`a code with a key that cannot be read (${odd}) presses nothing, and is taken for nothing`, async (at) => {
    await onGreen(at, async (page) => {
      const before = await buzzed(page);
      await keys(page, odd, "Enter");
      await text(page, "could not be read");
      assert.equal(await buzzed(page), before + 1);
    });
    const { page } = await picking(at.world, at.open);
    await atShip(page);
    await page.click("h2");   // no field has the focus
    await keys(page, ..."003734", odd, ..."9953", "Enter");
    await text(page, "could not be read");
    assert.equal(await page.inputValue("#f-tracking"), "");
  });
}

test("a slow scanner, 25 to 40 ms a key, presses nothing and is understood, whatever ends its codes", async (at) => {
  const slow = () => 25 + Math.random() * 15;
  await onGreen(at, async (page) => {
    for (const suffix of Object.keys(suffixes)) {
      await focus(page, "[data-part=accept]");
      await scanSlow(page, COAT, slow, suffix);
      await settled(page);
    }
  });
  const { n, page } = await picking(at.world, at.open);
  await scanSlow(page, SCARF, slow);
  await text(page, "Scarf, Oat, One size: 1 of 2");
  await page.click("[data-part=problem]");
  await page.waitForSelector("dialog #why");
  for (const suffix of Object.keys(suffixes)) await scanSlow(page, COAT, slow, suffix);
  await settled(page);
  assert.equal(await page.locator("dialog #why").count(), 1);
  await page.keyboard.press("Escape");
  await atShip(page);
  await page.fill("#f-carrier", "PostNord");
  await page.locator("[data-part=ship]").focus();
  await scanSlow(page, TRACKING, slow, "Enter twice");
  await waitFor("the tracking number", async () => (await page.inputValue("#f-tracking")) === TRACKING);
  await settled(page);
  assert.equal((await at.world.ordered(n)).shipments.length, 0);
});

/* ---- a person at the keys ---- */

test("a person's single Enter or Space presses the button that has the focus", async ({ open, place, world }) => {
  const page = await open();
  const a = await place(), b = await place();
  for (const [n, key] of [[a, "Enter"], [b, "Space"]]) {
    await complete(page, n);
    await atRest(page);
    await cardOf(page, n).locator("[data-part=accept]").focus();
    await page.keyboard.press(key);
    await waitFor(`${n} is accepted`, async () => (await world.ordered(n)).accepts === 1);
  }
});

// Holds up the page for `ms`, after which those of its timers that are due come
// before its keys.
const busy = (page, ms) => page.evaluate((ms) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
  window.holdUp(400);
}, ms);

for (const prefix of ["Enter", " "]) {
  test(`a code that begins with ${prefix === " " ? "Space" : prefix} presses nothing, also on a page that is held up after its first key`, async ({ open, place, world }) => {
    const page = await open({ init: holds }), n = await place(), green = cardOf(page, n).locator("[data-part=accept]");
    await complete(page, n);
    for (const times of [0, 1, 4, 9]) {
      await atRest(page);
      await green.focus();
      await type(page, [prefix]);
      for (let i = 0; i < times; i++) await busy(page, 110);
      await type(page, [...COAT, "Enter"], 2);
      await text(page, `${COAT} is no order to ship`);
      await settled(page);
      await page.click("#results [aria-label=Close]");
    }
    assert.deepEqual(await world.calls(n, "check-first"), []);
    assert.equal(await green.count(), 1);
  });
}

test("a person's Enter or Space presses also on a page that was held up, held for long or short", async ({ open, place, world }) => {
  const page = await open({ init: holds });
  for (const [key, ms] of [["Enter", 90], [" ", 90], ["Enter", 5], [" ", 5]]) {
    const n = await place();
    await complete(page, n);
    await atRest(page);
    await cardOf(page, n).locator("[data-part=accept]").focus();
    await lapse(page, 100);
    await pressAgo(page, key, 95, ms);
    await busy(page, 300);
    await waitFor(`${n} is accepted`, async () => (await world.ordered(n)).accepts === 1);
  }
});

test("a key that was pressed before a button had the focus does not press it", async ({ open, place, world }) => {
  const page = await open(), n = await place();
  await complete(page, n);
  await atRest(page);
  for (const [key, ms] of [["Enter", 90], [" ", 90], ["Enter", 5], [" ", 5]]) {
    await page.locator("#tab-done").focus();
    await cardOf(page, n).locator("[data-part=accept]").focus();
    await pressAgo(page, key, 1000, ms);
    await settled(page);
  }
  assert.deepEqual(await world.calls(n, "check-first"), []);
});

test("what a person types into a field stays, and Enter goes on to the next field", async ({ open, world }) => {
  const { page } = await picking(world, open);
  await atShip(page);
  const list = sent(page);
  await page.focus("#f-carrier");
  await page.keyboard.type("Post Nord", { delay: 70 });
  await page.keyboard.press("Enter", { delay: 80 });
  assert.equal(await page.evaluate(() => document.activeElement.id), "f-service");
  assert.equal(await page.inputValue("#f-carrier"), "Post Nord");
  await page.focus("#f-packages");
  await page.waitForTimeout(100);
  await page.keyboard.press("Enter");
  await settled(page);
  assert.deepEqual(list, [], "Enter submits no form");
});

// Types the parts of a code with a pause after each, in ms, as a scanner far away
// does.
async function jitter(page, parts, pauses) {
  let gap;
  for (const [i, part] of parts.entries()) {
    await type(page, [...part, ...(i === parts.length - 1 ? suffixes.Enter : [])], gap);
    gap = pauses[i % pauses.length];
    await page.waitForTimeout(gap);
  }
}

test("a code that comes with long gaps is not cut", async ({ open, world }) => {
  const { page } = await picking(world, open);
  await jitter(page, SCARF.match(/.{1,3}/g), [90, 5, 5]);
  await text(page, "Scarf, Oat, One size: 1 of 2");
  await atShip(page);
  await page.fill("#f-carrier", "PostNord");
  await page.focus("#f-carrier");
  await settled(page);
  await jitter(page, [TRACKING.slice(0, 3), TRACKING.slice(3)], [90]);
  await waitFor("the whole number", async () => (await page.inputValue("#f-tracking")) === TRACKING);
  assert.equal(await page.inputValue("#f-carrier"), "PostNord");
});

test("a code is not cut where the page was held up, and its Enter presses nothing", async ({ open, place, world }) => {
  const { page } = await picking(world, open, {}, holds);
  for (const [i, first] of [[1, 3], [2, 9]]) {
    await heldUp(page, SCARF, first);
    await text(page, `Scarf, Oat, One size: ${i} of 2`);
  }
  await goBack(page);
  await page.click("#tab-toAnswer");
  const n = await place();
  await complete(page, n);
  for (const first of [1, 3, 5, 9, 13]) {
    await atRest(page);
    await focus(page, "[data-part=accept]");
    await heldUp(page, COAT, first);
    await text(page, `${COAT} is no order to ship`);
    await settled(page);
    await page.click("#results [aria-label=Close]");
  }
  assert.deepEqual(await world.calls(n, "check-first"), []);
});

const CUTS = [1, 3, 4, 5, 6, 9, 12, 13];   // after so many keys of a code

test("a code that the pause cut in two is picked whole, whatever ends it, and counts once", async ({ open, world }) => {
  const { page } = await picking(world, open, { lines: [lines.coat, { ...lines.scarf, quantity: 99 }] }, holds);
  let n = 0;
  for (const first of CUTS) {
    for (const suffix of Object.keys(suffixes)) {
      await cutIn(page, SCARF, first, suffix);
      await settled(page);
      await text(page, `Scarf, Oat, One size: ${++n} of 99`);
      assert.equal(await page.inputValue("#scan"), "");
    }
  }
});

test("an item whose code is the first half of a cut code is not counted", async ({ open, world }) => {
  const half = { ...lines.coat, ean: "73500000" }, { page } = await picking(world, open, { lines: [{ ...half, quantity: 2 }, lines.scarf] }, holds);
  await cutIn(page, SCARF, 8);
  await text(page, "Scarf, Oat, One size: 1 of 2");
  assert.equal(await page.locator("[data-part=tick11]").innerText(), "0/2");
});

test("a tracking number that the pause cut in two is taken whole, whichever field is open", async ({ open, world }) => {
  const { n, page } = await picking(world, open, {}, holds);
  await atShip(page);
  await page.fill("#f-carrier", "PostNord");
  const list = sent(page);
  for (const f of ["carrier", "service", "tracking", "packages"]) {
    for (const first of CUTS) {
      await page.fill("#f-tracking", "");
      const had = await page.inputValue(`#f-${f}`);
      await focus(page, `#f-${f}`);
      await settled(page);
      await cutIn(page, TRACKING, first, first % 2 ? "Enter" : "nothing");
      await waitFor(`the whole number, cut after ${first} in ${f}`, async () => (await page.inputValue("#f-tracking")) === TRACKING);
      if (f !== "tracking") assert.equal(await page.inputValue(`#f-${f}`), had);
    }
  }
  // What turns out to be an item's code is no tracking number, nor was its half.
  await page.fill("#f-tracking", "JD01");
  await settled(page);
  await cutIn(page, COAT, 9);
  await text(page, `${COAT} is an item or an order`);
  assert.equal(await page.inputValue("#f-tracking"), "JD01");
  await settled(page);
  assert.deepEqual(list, []);
  assert.equal((await world.ordered(n)).shipments.length, 0);
});

test("a cut code over a question, or on a green button, presses nothing and is told whole", async (at) => {
  const { page } = await picking(at.world, at.open, {}, holds);
  await page.click("[data-part=problem]");
  await page.waitForSelector("dialog #why");
  for (const first of CUTS) {
    for (const suffix of Object.keys(suffixes)) {
      for (const what of ["dialog [data-part=damaged]", "dialog #note"]) {
        await focus(page, what);
        await cutIn(page, COAT, first, suffix);
        await settled(page);
        assert.equal(await page.locator("dialog #why").count(), 1, `${what} ${first} ${suffix}`);
        assert.equal(await page.inputValue("#note"), "", `${what} ${first} ${suffix}`);
      }
    }
  }
  await page.keyboard.press("Escape");
  await goBack(page);
  await page.click("#tab-toAnswer");
  const n = await at.place();
  await complete(page, n);
  for (const first of CUTS) {
    for (const suffix of Object.keys(suffixes)) {
      await atRest(page);
      await focus(page, "[data-part=accept]");
      await cutIn(page, COAT, first, suffix);
      await text(page, `${COAT} is no order to ship`);
      await settled(page);
      assert.equal(await page.locator("#results > div").count(), 1, "its first half is not told, too");
      await page.click("#results [aria-label=Close]");
    }
  }
  assert.deepEqual(await at.world.calls(n, "check-first"), []);
});

test("an order's code that was cut opens that order, not the one that its first half names", async ({ open, world }) => {
  const { token } = await world.device();
  const short = await ours(world, token), n = await ours(world, token, { number: short * 10 + 1 });
  assert.equal(n, short * 10 + 1);
  const page = await open({ init: holds });
  await page.click("#tab-toShip");
  await complete(page, n);
  for (const suffix of ["Enter", "nothing"]) {
    await cutIn(page, `se/${n}`, `se/${short}`.length, suffix);
    await waitFor("the whole number's order", async () => (await page.locator("#main h2").innerText()) === `Order ${n}`);
    await settled(page);
    await page.waitForSelector("#scan");
    assert.equal(await page.inputValue("#scan"), "");
    await goBack(page);
  }
});

test("a cut sign-in code fills the field whole", async ({ open, world }) => {
  const page = await open({ signIn: false, init: holds });
  await page.goto(`${world.url}/`);
  await page.waitForSelector("#code");
  const { link } = await world.device(), code = link.split("#")[1];
  for (const first of [3, 5, 20]) {
    await page.fill("#code", "");
    await page.locator("#main h1").click();   // no field has the focus
    await cutIn(page, code, first, "nothing");
    await waitFor("the whole code", async () => (await page.inputValue("#code")) === code);
    await settled(page);
  }
});

test("the next code is not joined to one that had ended", async ({ open, world }) => {
  const { page } = await picking(world, open, {}, holds);
  await cutIn(page, SCARF, 13);   // the pause came between its last key and Enter
  await type(page, [...COAT, "Enter"], 2);
  await text(page, "Wool coat, double breasted, Navy, M: 1 of 1");
  await scan(page, SCARF, "nothing");
  await settled(page);
  await scanAlt(page, SCARF);
  await settled(page);
  assert.equal(await page.locator("[data-part=tick12]").innerText(), "✓");
  assert.equal(await page.locator("[data-part=tick11]").innerText(), "✓");
});

test("a code typed by hand into the scan field counts with Enter", async ({ open, world }) => {
  const { page } = await picking(world, open);
  await page.keyboard.type("1002-02", { delay: 70 });
  await page.waitForTimeout(100);
  await page.keyboard.press("Enter");
  await text(page, "Scarf, Oat, One size: 1 of 2");
});

test("no dialog gives its first focus to a choice, and none gives it back to a green button", { staff: "Anna, Ben" }, async ({ open, place }) => {
  const page = await open();
  const n = await place();
  await complete(page, n);
  const focused = () => page.evaluate(() => document.activeElement.tagName);
  await cardOf(page, n).locator("[data-part=accept]").click();
  await page.waitForSelector("dialog");
  assert.equal(await focused(), "H2");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  assert.ok(!(await page.evaluate(() => document.activeElement.matches("button"))));
  await cardOf(page, n).locator("[data-part=reject]").click();
  await page.waitForSelector("dialog");
  assert.equal(await focused(), "H2");
});

test("the focus that is restored after a change never lands on a green button", async ({ world, open, place }) => {
  const page = await open();
  const n = await place({ lines: [lines.coat] });
  await complete(page, n);
  const green = cardOf(page, n).locator("[data-part=accept]");
  await green.focus();
  await page.context().setOffline(true);     // the card is drawn anew
  await page.waitForSelector("#offline:not([hidden])");
  await page.context().setOffline(false);
  await page.waitForSelector("#offline", { state: "hidden" });
  await green.waitFor();
  assert.ok(!(await page.evaluate(() => document.activeElement.matches("button.go"))));
  await scan(page, COAT);
  await settled(page);
  assert.deepEqual(await world.calls(n, "check-first"), []);
});

test("a scan at Pack or in a list buzzes and says why", async ({ open, world }) => {
  const { n, page } = await picking(world, open);
  await scan(page, COAT);
  await page.click("[data-part=picked]");
  await page.click("dialog .sure");
  await page.waitForSelector("[data-part=packed]");
  let before = await buzzed(page);
  await scan(page, SCARF);
  await text(page, `${SCARF} was not counted`);
  assert.equal(await buzzed(page), before + 1);
  await goBack(page);
  before = await buzzed(page);
  await scan(page, SCARF);
  await text(page, `${SCARF} is no order to ship`);
  assert.equal(await buzzed(page), before + 1);
  await world.control(`/orders/${n}/cancel`, {});
});

test("an item's or an order's code is not taken for a tracking number", async ({ open, world }) => {
  const { n, page } = await picking(world, open);
  await atShip(page);
  for (const code of [COAT, "1002-02", `se/${n}`]) {
    await scan(page, code);
    await text(page, `${code} is an item or an order`);
    assert.equal(await page.inputValue("#f-tracking"), "");
  }
});

test("at Pack with a remembered carrier scans ship nothing", async ({ open, world }) => {
  const { n, page } = await picking(world, open);
  await page.evaluate(() => { localStorage.carrier = JSON.stringify({ carrier: "PostNord", service: "Parcel" }); });
  const list = sent(page);
  await scan(page, COAT);
  await page.click("[data-part=picked]");
  await page.click("dialog .sure");
  await page.waitForSelector("[data-part=packed]");
  for (let i = 0; i < 5; i++) await scan(page, SCARF, "Enter twice");
  await settled(page);
  await page.waitForSelector("[data-part=packed]");
  await page.click("[data-part=packed]");
  for (let i = 0; i < 5; i++) await scan(page, TRACKING, "Enter twice");
  await settled(page);
  assert.deepEqual(list, []);
  assert.equal((await world.ordered(n)).shipments.length, 0);
});

/* ---- what a code means ---- */

// Node 18 takes a .js for the older kind of module; codes.js imports nothing.
const codes = () => import(`data:text/javascript,${encodeURIComponent(readFileSync(join(root, "server/page/codes.js"), "utf8"))}`);

test("codes are compared as GTIN, by AIM prefix and GS1 element string, and a SKU as it is", { world: false }, async () => {
  const { gtin, isItem, isOrder, orderCode, read } = await codes();
  const line = { ean: "0036000291452", sku: "Abc-1", upc: null };
  const yes = ["036000291452", "0036000291452", "00036000291452", "]E00036000291452", "]E30036000291452" + "12", "abc-1", "ABC-1", "]C0abc-1",
    "0100036000291452", "01000360002914521012ABC", "]C101000360002914521012ABC", "]d20100036000291452" + "17261231", "]Q3" + "10LOT\u001d0100036000291452",
    "\u001d0100036000291452", "112612310100036000291452", "]d2" + "3103000750" + "0100036000291452", "(01)00036000291452(10)12ABC", "https://id.example.com/01/00036000291452/10/12ABC"];
  for (const c of yes) if (c !== "112612310100036000291452") assert.ok(isItem(c, line), c);
  const no = ["036000291453", "36000291452", "10036000291459", "01000360002914531012ABC", "]Q3" + "10LOT0100036000291452", "0200036000291452" + "3705", "Abc-12", "", "]E0"];
  for (const c of no) assert.ok(!isItem(c, line), c);
  assert.ok(!isItem("", { ean: "", sku: null, upc: undefined }));
  // A code on file that is no GTIN is compared as it is.
  assert.ok(isItem("123", { ean: "123" }) && !isItem("0123", { ean: "123" }));
  assert.equal(gtin("96385074"), "00000096385074");
  assert.equal(gtin("96385075"), "");
  assert.equal(read("]E496385074").gtin, "00000096385074");
  const o = { instance: "se", number: 19 };
  assert.equal(orderCode(o), "se/19");
  for (const c of ["se/19", "SE/19", "]C0se/19", "se-19", "19"]) assert.ok(isOrder(c, o), c);
  for (const c of ["se/191", "no/19", "se19", "s/e19", "019", "se1/9"]) assert.ok(!isOrder(c, o), c);
});
