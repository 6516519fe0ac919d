// SPDX-License-Identifier: MIT
//
// scenes.mjs - a shop's day with an order in each state, and a walk through
// every view of the page: for screenshots, and for tests of how each looks.

import { cardOf, enrol, screen, startWorld, waitFor } from "./servers.mjs";
import { complete, goBack } from "./steady.mjs";
import { scan } from "./wedge.mjs";

const coat = { id: 11, product: "Wool coat, double breasted", variant: "Navy", size: "M", sku: "1001-01-M", ean: "7350000000012", quantity: 1 };
const scarf = { id: 12, product: "Scarf", variant: "Oat", size: "One size", sku: "1002-02", ean: "7350000000029", quantity: 2 };
const long = { id: 13, product: "Hand-finished reversible cashmere-blend overshirt jacket", variant: "Midnight forest green melange / undyed",
  size: "XXXL Tall", sku: "COLLAB-2026-AW-REV-000017-GRN-XXXLT", ean: "7350000000036", quantity: 12 };
export const lines = { coat, scarf, long };
const address = { firstName: "Wilhelmina-Charlotta", lastName: "van den Heuvel-Oxenstierna", address1: "Prins Hendrikkade 33, achterhuis, derde verdieping",
  address2: "Tuinzijde", zipCode: "1012 TM", city: "Amsterdam", country: { code: "NL", name: "Netherlands" } };

// Places an order for Amsterdam and has it accepted there.
async function accepted(w, token, order) {
  const n = await w.place({ warehouses: [3, 4], lines: [coat, scarf], shippingAddress: address, ...order });
  await offered(w, token, n);
  const r = await w.api(token, "POST", `/orders/${n}/accept`, { staff: "Anna" });
  if (r.status !== 200) throw new Error(`accept ${n}: ${r.status} ${JSON.stringify(r.body)}`);
  await waitFor(`${n} with its address`, async () => (await w.api(token, "GET", `/orders/${n}`)).body.ship_to);
  return n;
}

const offered = (w, token, n) => waitFor(`${n} is offered`, async () => (await w.api(token, "GET", `/orders/${n}`)).body.lines?.length);

// now: s until the offer ends that has no more than two minutes.
export async function startDay({ now = 118 } = {}) {
  const w = await startWorld({ staff: "Anna, Ben, Charlotte af Ugglas-Wallenberg", settings: "answer_wait = 1s", instance: "call_timeout = 2s" });
  const { token } = await w.device("amsterdam", "Maker of the day");
  const post = (n, verb, body) => w.api(token, "POST", `/orders/${n}/${verb}`, body);
  const parcel = { carrier: "PostNord", service: "Parcel", tracking: "00373500489530470000", packages: 1, staff: "Anna" };
  const day = { world: w };

  // Done.
  day.shipped = await accepted(w, token, {});
  await post(day.shipped, "ship", parcel);
  const no = await w.place({ warehouses: [3, 4], lines: [scarf] });
  await offered(w, token, no);
  await post(no, "reject", { reason: "damaged", staff: "Anna" });
  const lost = await w.place({ warehouses: [3, 4], lines: [coat] });
  await w.control(`/orders/${lost}/accept`, { warehouse: 4 });
  const late = await w.place({ warehouses: [3], lines: [coat] });
  await w.control(`/orders/${late}/expire`, {});
  const off = await w.place({ warehouses: [3], lines: [coat] });
  await w.control(`/orders/${off}/cancel`, {});
  // To ship.
  await w.control("/settings", { capture: "fail" });
  day.unpaid = await accepted(w, token, { city: "Utrecht" });
  await post(day.unpaid, "ship", parcel);
  await w.control("/settings", { capture: "pending" });
  day.paying = await accepted(w, token, { city: "Leiden" });
  await post(day.paying, "ship", parcel);
  await w.control("/settings", { capture: "ok" });
  day.problem = await accepted(w, token, {});
  await post(day.problem, "problem", { reason: "damaged", note: "A button came off", staff: "Ben" });
  day.toShip = await accepted(w, token, { lines: [coat, scarf, long] });
  day.stop = await accepted(w, token, {});
  // To answer: a refusal whose event is lost, one under way, and open ones.
  day.refused = await w.place({ warehouses: [3, 4], lines: [coat], expires_in: 1500, city: "Haarlem" });
  await offered(w, token, day.refused);
  await w.control("/hooks", { off: true });
  await w.control(`/orders/${day.refused}/accept`, { warehouse: 4 });
  await post(day.refused, "accept", { staff: "Anna" });
  await w.control("/hooks", { off: false });
  day.asking = await w.place({ warehouses: [3, 4], lines: [scarf], expires_in: 2400, city: "Delft" });
  await offered(w, token, day.asking);
  await w.control("/faults", { api: "order", kind: "slow", when: "before", ms: 600000, percent: 100, order: day.asking });
  await post(day.asking, "accept", { staff: "Anna" });
  day.long = await w.place({ warehouses: [3], lines: [long, coat], expires_in: 30000, city: "Llanfairpwllgwyngyllgogerychwyrndrobwll-llantysiliogogogoch" });
  day.soon = await w.place({ warehouses: [3], lines: [coat, scarf], expires_in: 460, city: "Amsterdam" });
  day.now = await w.place({ warehouses: [3], lines: [coat], expires_in: now, city: "Den Haag" });
  await offered(w, token, day.now);
  return day;
}

const click = (page, text) => page.click(text);
const tab = (page, name) => click(page, `#tab-${name}`);
const close = (page) => page.keyboard.press("Escape");

// Date.now() stands still while window.frozen is set.
const freezes = "{ const now = Date.now; Date.now = () => window.frozen || now(); }";

// Calls at(name) with each view on the screen, however long that takes.  `last`
// also shows those after which the day is no longer as it was.
export async function walk(browser, day, how, at, last = false) {
  const w = day.world, page = await screen(browser, w, { ...how, signIn: false, init: freezes + (how.init ?? "") });
  await page.goto(`${w.url}/`);
  await page.waitForSelector("#main h1");
  await at(page, "not-signed-in");
  const { link } = await w.device("amsterdam", "Counter");
  await page.goto(link);
  await page.waitForSelector("#signin");
  await at(page, "login");
  await enrol(page, link);
  for (const n of [day.refused, day.asking, day.long, day.soon, day.now]) await complete(page, n);
  await at(page, "to-answer");
  await cardOf(page, day.soon).locator("[data-part=reject]").click();
  await page.waitForSelector("dialog");
  await at(page, "reject-reasons");
  await page.click("dialog [data-part=damaged]");
  await page.getByText("Charlotte af").waitFor();
  await at(page, "who");
  await page.getByText("Charlotte af").click();
  await page.evaluate(() => { window.frozen = Date.now(); });   // else it is sent in 5 s
  await cardOf(page, day.soon).locator("[data-part=undo]").waitFor();
  await at(page, "undo");
  await cardOf(page, day.soon).locator("[data-part=undo]").click();
  await cardOf(page, day.soon).locator("[data-part=accept]").waitFor();
  await page.evaluate(() => { window.frozen = 0; });
  await click(page, "#menu");
  await at(page, "menu");
  await click(page, "#signout");
  await page.waitForSelector("dialog #sure");
  await at(page, "sign-out-sure");
  await close(page);
  await tab(page, "toShip");
  for (const n of [day.unpaid, day.paying, day.problem, day.toShip]) await complete(page, n);
  await at(page, "to-ship");
  for (const [name, n] of [["unpaid", day.unpaid], ["paying", day.paying], ["problem", day.problem]]) {
    await cardOf(page, n).locator("[data-part=open]").click();
    await at(page, `order-${name}`);
    await page.click("[data-part=story]");
    await page.locator(".story li").first().waitFor();
    await at(page, `order-${name}-happened`);
    await goBack(page);
  }
  await cardOf(page, day.toShip).locator("[data-part=open]").click();
  await scan(page, "7350000000012");
  await at(page, "pick");
  await scan(page, "9999999999999");
  await page.getByText("9999999999999").waitFor();
  await at(page, "wrong-scan");
  await page.click("[data-part=picked]");
  await page.waitForSelector("dialog #sure");
  await at(page, "partial-sure");
  await page.click("dialog .sure");
  await page.waitForSelector("[data-part=packed]");
  await at(page, "pack");
  await page.click("[data-part=packed]");
  await page.waitForSelector("#f-tracking");
  await at(page, "ship");
  await page.click("[data-part=problem]");
  await page.waitForSelector("dialog");
  await at(page, "problem-reasons");
  await close(page);
  await goBack(page);
  await tab(page, "done");
  await cardOf(page, day.shipped).waitFor();
  await at(page, "done");
  await cardOf(page, day.shipped).locator("[data-part=story]").click();
  await cardOf(page, day.shipped).locator("li").first().waitFor();
  await at(page, "done-happened");
  await tab(page, "toAnswer");
  await page.context().setOffline(true);
  await page.waitForSelector("#offline:not([hidden])");
  await cardOf(page, day.soon).locator("[data-part=accept]").click();
  await at(page, "offline");
  const accepted = page.waitForResponse(/accept$/);
  await page.context().setOffline(false);
  await accepted;
  // The calls that hang may have opened the circuit breaker: up to half a minute, and a call.
  await waitFor("Centra has said yes", async () => (await w.ordered(day.soon)).accepts, 120000);
  if (last) {
    await page.waitForSelector("#offline", { state: "hidden" });
    await cardOf(page, day.soon).waitFor({ state: "detached" });   // it stays in its place for 3 s
    await w.control(`/orders/${day.stop}/cancel`, {});
    await page.waitForSelector("dialog.stop");
    await at(page, "stop");
    const confirm = async () => {
      await page.click("#stopped");
      await page.waitForSelector("dialog.stop", { state: "detached" });
    };
    await confirm();
    for (const n of [day.refused, day.long, day.now, day.soon, day.asking]) await w.control(`/orders/${n}/cancel`, {});
    await confirm();   // of what was accepted without a connection
    await page.waitForSelector(".empty");
    await at(page, "empty");
  }
  await page.context().close();
}
