// SPDX-License-Identifier: MIT
//
// What the page says of itself is so: sound, light, connection, time, who is
// signed in; and what was answered goes nowhere else.

import assert from "node:assert/strict";
import { beats, call, cardOf, enrol, waitFor } from "./servers.mjs";
import { atRest, complete, lapse, pause, said } from "./steady.mjs";
import { test } from "./test.mjs";

const text = (page, has) => page.getByText(has).first().waitFor();
const bell = (page) => page.locator("#bell").innerText();
const gauge = async (world, name) => Number(new RegExp(`^shipfrom_${name} (\\d+)`, "m").exec((await call(`${world.server.admin}/metrics`, "GET")).body)?.[1]);

/* ---- storage ---- */

const denied = `for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });`;
const full = `Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };`;

for (const [what, init] of [["denied", denied], ["full", full]]) {
  test(`with storage ${what}, an answer is sent and nothing throws`, async ({ world, open, place }) => {
    const page = await open({ init });
    const n = await place();
    await world.control("/faults", { api: "order", kind: "slow", when: "before", ms: 600, count: 1, order: n });
    await complete(page, n);
    const sent = page.waitForRequest((r) => r.url().endsWith(`/${n}/accept`)), texts = await said(page, n);
    await cardOf(page, n).locator("[data-part=accept]").click();
    await sent;
    await text(page, `Order ${n} is yours`);
    assert.ok((await texts()).some((t) => /asking Centra/i.test(t)));
    await page.getByText("To ship (1)").click();
    await cardOf(page, n).locator("[data-part=open]").click();
    await page.waitForSelector("#scan");
    assert.deepEqual(page.errors, []);
  });
}

/* ---- sound and light ---- */

test("the bell shows a note only while sound can be heard, and each touch brings it back", async ({ open }) => {
  const page = await open({ init: `const Real = AudioContext; window.contexts = [];
    window.tones = 0;
    window.AudioContext = class extends Real { constructor() { super(); window.contexts.push(this); }
      createOscillator() { window.tones++; return super.createOscillator(); } };` });
  await waitFor("a note", async () => (await bell(page)) === "♪");
  await waitFor("a tone", () => page.evaluate(() => window.tones));
  assert.equal(await page.evaluate(() => window.tones), 1, "the first touch makes a tone");
  await page.evaluate(() => window.contexts[0].suspend());   // as a call, or a lock screen
  await waitFor("no note", async () => /sound/i.test(await bell(page)));
  await page.click("#shop");
  await waitFor("a note again", async () => (await bell(page)) === "♪");
});

test("where there is no sound the bell says so, and nothing throws", async ({ open }) => {
  const page = await open({ init: "window.AudioContext = class { constructor() { throw new Error('no device'); } };" });
  await page.click("#shop");
  assert.match(await bell(page), /sound/i);
  assert.deepEqual(page.errors, []);
});

test("the screen stays on only while there is a wake lock", async ({ open }) => {
  const page = await open({ init: `window.locks = [];
    Object.defineProperty(navigator, "wakeLock", { value: { request: async () => {
      const lock = { released: false, release: async () => { lock.released = true; } };
      if (window.refuse) throw new DOMException("no", "NotAllowedError");
      window.locks.push(lock);
      return lock; } } });` });
  const label = async () => { await page.click("#menu"); const l = await page.locator("#awake").innerText(); await page.keyboard.press("Escape"); return l; };
  const press = async () => { await page.click("#menu"); await page.click("#awake"); };
  assert.equal(await label(), "Keep the screen on");
  await page.evaluate(() => { window.refuse = true; });
  await press();
  await text(page, "cannot keep the screen on");
  assert.equal(await label(), "Keep the screen on");
  await page.evaluate(() => { window.refuse = false; });
  await press();
  assert.equal(await label(), "Screen stays on");
  await page.evaluate(() => { window.refuse = true; window.locks.at(-1).released = true; });   // hidden
  assert.equal(await label(), "Keep the screen on");
  await page.evaluate(() => { window.refuse = false; document.dispatchEvent(new Event("visibilitychange")); });
  assert.equal(await label(), "Screen stays on");
  await press();
  assert.equal(await label(), "Keep the screen on");
});

/* ---- the connection ---- */

test("connected is who hears the server, whatever the browser thinks of its network", async ({ open, place }) => {
  const page = await open({ init: "Object.defineProperty(navigator, 'onLine', { get: () => false });" });
  const n = await place();
  await cardOf(page, n).waitFor();
  const asked = page.waitForResponse(/\/me$/);
  await page.evaluate(() => dispatchEvent(new Event("offline")));
  await asked;   // the page, of the server
  await lapse(page, 300);
  assert.ok(!(await page.locator("#offline").isVisible()));
});

test("a stream that brings nothing for 40 s is no connection", async ({ open, place }) => {
  const page = await open({ signIn: false, init: `const Real = EventSource; window.deaf = false;
    window.EventSource = class extends Real {
      addEventListener(name, f) { super.addEventListener(name, (e) => { if (!window.deaf) f(e); }); } };` });
  await page.clock.install();
  await page.enrol();
  const n = await place();
  await complete(page, n);
  await pause(page);
  await page.evaluate(() => { window.deaf = true; });
  await page.clock.runFor(30000);
  assert.ok(!(await page.locator("#offline").isVisible()));
  await page.clock.runFor(20000);
  await text(page, "What you see is");
  await page.evaluate(() => { window.deaf = false; });
  await page.clock.runFor(45000);
  await page.clock.resume();
  await page.waitForSelector("#offline", { state: "hidden" });
});

/* ---- time ---- */

const minutes = async (page, n) => { const [, m, s] = /(\d+):(\d\d)/.exec(await cardOf(page, n).innerText()); return Number(m) + Number(s) / 60; };

// Waits until the card shows the minutes that are left by the server's clock, which
// is `ms` ahead; resolves with what it shows.
async function trueMinutes(page, n, ms = 0) {
  const ends = Date.parse(await page.evaluate(async (n) => (await (await fetch(`/api/v1/orders/${n}`)).json()).expires_at, n));
  return waitFor(`the time that is left, ${ms} ms ahead`, async () => {
    const shows = await minutes(page, n);
    return Math.abs(shows - (ends - Date.now() - ms) / 60000) < 0.05 && shows;
  });
}

for (const [how, hours] of [["ahead", 3], ["behind", -3]]) {
  test(`a tablet whose clock is ${how} counts by the server's`, async ({ open, place }) => {
    const page = await open({ init: `const now = Date.now; Date.now = () => now() + ${hours} * 3600000 + (window.jump || 0);` });
    const n = await place({ expires_in: 300 });
    await cardOf(page, n).waitFor();
    const left = await trueMinutes(page, n);
    await page.evaluate(() => { window.jump = -40 * 60000; });   // set while the page is open
    await waitFor("a second less", async () => (await minutes(page, n)) !== left);
    const then = await trueMinutes(page, n);
    assert.ok(then < left, `${left}, then ${then}`);
  });
}

test("the countdown follows each beat, forward and back", async ({ open, place }) => {
  const page = await open({ init: beats });
  const n = await place({ expires_in: 300 });
  await cardOf(page, n).waitFor();
  for (const ms of [60000, -60000, 0]) {
    await page.evaluate((ms) => window.beat(ms), ms);
    await trueMinutes(page, n, ms);
  }
});

/* ---- tabs ---- */

test("seven tabs share one stream, and another takes over when the listening one is closed", async ({ world, open, place }) => {
  const first = await open();
  const tabs = [first];
  for (let i = 0; i < 6; i++) { const tab = await first.context().newPage(); await tab.goto(world.url); tabs.push(tab); }
  for (const tab of tabs) await tab.waitForSelector("#offline", { state: "hidden" });
  assert.equal(await gauge(world, "streams"), 1);
  const n = await place();
  for (const tab of tabs) await cardOf(tab, n).waitFor();
  await tabs.shift().close();
  const later = await place();
  for (const tab of tabs) await cardOf(tab, later).waitFor();
  await waitFor("one stream", async () => (await gauge(world, "streams")) === 1);   // the closed one's end is heard of
  await world.kill();
  for (const tab of tabs) await text(tab, "No connection");
  await world.again();
  for (const tab of tabs) await tab.waitForSelector("#offline", { state: "hidden", timeout: 60000 });
});

test("where the browser gives no lock, each tab listens for itself", async ({ open, place }) => {
  const init = `if (window.LockManager) LockManager.prototype.request = () => Promise.reject(new DOMException("denied", "SecurityError"));`;
  const first = await open({ init }), tab = await first.context().newPage();
  await tab.goto(first.url());
  const n = await place();
  for (const page of [first, tab]) await cardOf(page, n).waitFor();
});

test("a listening tab that falls silent is relieved", async ({ world, open, place }) => {
  const silent = `const Real = EventSource; window.deaf = false;
    window.EventSource = class extends Real {
      addEventListener(name, f) { super.addEventListener(name, (e) => { if (!window.deaf) f(e); }); } };`;
  const first = await open({ init: silent }), tab = await first.context().newPage();
  await tab.clock.install();
  await tab.goto(world.url);
  await tab.waitForSelector("#tab-toAnswer");
  await first.evaluate(() => { window.deaf = true; });
  const n = await place();
  await tab.clock.runFor(50000);
  await cardOf(tab, n).waitFor();
});

/* ---- signed out ---- */

test("a removed device shows in every tab where to sign in, asks nothing more, and takes a pasted link", async ({ world, open, place }) => {
  const page = await open(), tab = await page.context().newPage();
  await tab.goto(world.url);
  const n = await place();
  for (const p of [page, tab]) await cardOf(p, n).waitFor();
  await world.cli("device", "remove", await world.firstDevice());
  for (const p of [page, tab]) await p.waitForSelector("#code");
  const asked = [];
  for (const p of [page, tab]) p.on("request", (r) => asked.push(r.url()));
  await page.click("#main h1");
  await page.keyboard.press("a");
  await lapse(page, 2500);
  assert.deepEqual(asked, []);
  page.errors.splice(0, page.errors.length, ...page.errors.filter((e) => !e.includes("401")));
  assert.deepEqual(page.errors, []);
  await page.fill("#code", "what is this");
  await page.click("#signin");
  await text(page, "not a sign-in link or code");
  await page.fill("#code", `  ${(await world.device()).link} `);
  await page.press("#code", "Enter");   // a scanner's
  assert.equal(await page.locator("#code").count(), 1);
  await page.click("#signin");
  await cardOf(page, n).waitFor();
  await tab.fill("#code", (await world.device()).link.split("#")[1]);   // the code alone
  await tab.click("#signin");
  await cardOf(tab, n).waitFor();
});

test("signing out in one tab signs out all, whatever is open there", { staff: "Anna, Ben" }, async ({ world, open, place }) => {
  const page = await open(), tab = await page.context().newPage();
  await tab.goto(world.url);
  const n = await place();
  await cardOf(tab, n).locator("[data-part=accept]").click();
  await text(tab, "Who are you?");
  await page.click("#menu");
  await page.click("#signout");
  await page.click("dialog .sure");
  for (const p of [page, tab]) await p.waitForSelector("#code");
  assert.equal(await tab.locator("dialog").count(), 0);
  assert.ok(!(await tab.content()).includes(`Order ${n}`));
  assert.deepEqual(page.errors, []);
});

/* ---- answers stay with who gave them ---- */

async function keptOffline(page, n) {
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  await page.context().setOffline(true);
  await text(page, "What you see is");
  await cardOf(page, n).locator("[data-part=accept]").click();
  await cardOf(page, n).getByText("Not yours yet").waitFor();
}

test("an answer kept offline is not sent by a browser that signed in elsewhere, and it says so", async ({ world, open, place }) => {
  const page = await open();
  const n = await place({ warehouses: [3, 4] });
  await keptOffline(page, n);
  const berlin = (await world.device("berlin")).link;
  await page.route("**/accept", (route) => route.abort());
  await page.context().setOffline(false);
  await page.goto("about:blank");
  await page.unroute("**/accept");
  await enrol(page, berlin);
  await text(page, `Order ${n}: the answer given here for Amsterdam, Kalverstraat was NOT sent`);
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  await lapse(page, 2500);
  assert.deepEqual(await world.calls(n, "check-first"), []);
});

test("a device that is signed out with an answer kept says that it was not sent", async ({ world, open, place }) => {
  const page = await open();
  const n = await place();
  await page.route("**/accept", (route) => route.abort());
  await cardOf(page, n).locator("[data-part=accept]").click();
  await cardOf(page, n).getByText("Not yours yet").waitFor();
  await world.cli("device", "remove", await world.firstDevice());
  await text(page, `Order ${n}: your answer was not sent yet`);
  page.errors.length = 0;
});

test("what a tab sends after the browser was signed in as another device is not done", async ({ world, open, place }) => {
  const page = await open();
  const n = await place({ warehouses: [3, 4] });
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  const tab = await page.context().newPage();
  // The old tab keeps its page, its list and its token against forgery.
  await enrol(tab, (await world.device("berlin")).link);
  const { csrf } = await tab.evaluate(async () => (await fetch("/api/v1/me")).json());
  await page.route("**/accept", (route) => route.continue({ headers: { ...route.request().headers(), "x-csrf-token": csrf } }));
  await cardOf(page, n).locator("[data-part=accept]").click();
  await text(page, `Order ${n}: the answer given here for Amsterdam, Kalverstraat was NOT sent`);
  assert.deepEqual(await world.calls(n, "check-first"), []);
});

test("an answer that is undone in one tab is sent by none", async ({ world, open, place }) => {
  const page = await open(), n = await place();
  await complete(page, n);
  await atRest(page);
  await cardOf(page, n).locator("[data-part=reject]").click();
  await atRest(page);
  await page.click("dialog [data-part=damaged]");
  await cardOf(page, n).locator("[data-part=undo]").waitFor();
  const other = await page.context().newPage();
  await other.goto(`${world.url}/`);
  await cardOf(other, n).locator("[data-part=undo]").waitFor();
  await cardOf(page, n).locator("[data-part=undo]").click();
  await cardOf(other, n).locator("[data-part=accept]").waitFor();
  await lapse(other, 6000);   // longer than it can be undone
  assert.deepEqual(await world.calls(n, "check-first"), []);
});

// An `init`: wall(ms) sets the device's clock by so much.
const walls = `{ const now = Date.now.bind(Date); let by = 0; Date.now = () => now() + by; window.wall = (ms) => { by += ms; }; }`;

test("a device whose clock is set back an hour sends, shows and rings in time", async ({ world, open, place }) => {
  const page = await open({ init: walls }), [a, b] = [await place({ expires_in: 3000 }), await place({ expires_in: 4000 })];
  for (const n of [a, b]) await complete(page, n);
  await atRest(page);
  await cardOf(page, a).locator("[data-part=reject]").click();
  await atRest(page);
  await page.click("dialog [data-part=damaged]");
  await cardOf(page, a).locator("[data-part=undo]").waitFor();
  await page.evaluate(() => window.wall(-3600000));
  await waitFor(`${a} is rejected`, async () => (await world.calls(a, "check-first")).length === 1);
  await waitFor("its card to go", async () => !await cardOf(page, a).count());
  const c = await place();
  await waitFor("a ring", () => page.evaluate(() => Number(document.documentElement.dataset.rang) > 0));
  const rang = () => page.evaluate(() => Number(document.documentElement.dataset.rang));
  await complete(page, c);
  const had = await rang();
  await page.evaluate(() => window.wall(-3600000));
  await waitFor("a ring for the same offers", async () => await rang() > had);
  assert.ok(await cardOf(page, b).count());
});

test("a device whose clock is set forward a minute can still undo", async ({ world, open, place }) => {
  const page = await open({ init: walls }), n = await place({ expires_in: 8000 });
  await complete(page, n);
  await atRest(page);
  await cardOf(page, n).locator("[data-part=reject]").click();
  await atRest(page);
  await page.click("dialog [data-part=damaged]");
  await cardOf(page, n).locator("[data-part=undo]").waitFor();
  await page.evaluate(() => window.wall(60000));
  await lapse(page, 1500);
  await cardOf(page, n).locator("[data-part=undo]").click();
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  await lapse(page, 5000);
  assert.deepEqual(await world.calls(n, "check-first"), []);
});
