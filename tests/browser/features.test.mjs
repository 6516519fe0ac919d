// SPDX-License-Identifier: MIT
//
// Modules of the page that only some shops have, by the features that
// /api/v1/me names.

import assert from "node:assert/strict";
import { waitFor } from "./servers.mjs";
import { test } from "./test.mjs";
import { scan } from "./wedge.mjs";

// A feature of its own: a button in the menu, and a view that shows what was
// scanned.
const DEMO = (v) => `
import { button, h } from "./dom.js?v=${v}";
import { addTexts, t } from "./texts.js?v=${v}";
import { openView } from "./views.js?v=${v}";
import { draw } from "./ui.js?v=${v}";
addTexts({ en: { demo: "Demonstrate" }, sv: { demo: "Demonstrera" } });
let code = "nothing";
export const view = () => ({ key: "demo", sign: code, make: () => h("section", { class: "card" }, h("h2", {}, t("demo")), h("p", { id: "seen" }, code)) });
export const menu = (close) => button("big", () => { close(); openView("demo"); }, t("demo"), { id: "to-demo" });
export function scanned(c) { const was = code; code = c; draw(); return () => { code = was; draw(); }; }
`;

// Gives the page's shop the feature `demo`; its module cannot be loaded the first
// `failing` times.
async function withDemo(page, failing = 0) {
  const asked = { n: 0 };
  await page.route("**/api/v1/me", async (route) => {
    const r = await route.fetch(), body = await r.json();
    await route.fulfill({ response: r, json: { ...body, features: [...body.features, "demo"] } });
  });
  await page.route("**/page/demo.js*", (route) => {
    if (++asked.n <= failing) return route.abort();
    return route.fulfill({ contentType: "text/javascript", body: DEMO(new URL(route.request().url()).searchParams.get("v")) });
  });
  await page.reload();
  await page.waitForSelector("#tab-toAnswer");
  return asked;
}

async function openDemo(page) {
  await waitFor("the menu has it", async () => {
    await page.click("#menu");
    if (await page.locator("#to-demo").count()) return true;
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    return false;
  }, 90000);
  await page.click("#to-demo");
  await page.waitForSelector("#seen");
}

test("a shop without a feature loads none of its files", async ({ world, open }) => {
  const page = await open(), { token } = await world.device();
  assert.deepEqual((await world.api(token, "GET", "/me")).body.features, []);
  const loaded = await page.evaluate(() => performance.getEntriesByType("resource").map((e) => new URL(e.name).pathname));
  assert.ok(loaded.includes("/page/extras.js"));
  assert.ok(!loaded.includes("/page/story.js") && !loaded.includes("/page/print.js"), loaded.join());
});

test("a feature's module has a button in the menu and a view, gets what is scanned there, and Back closes it", async ({ open }) => {
  const page = await open();
  await withDemo(page);
  await openDemo(page);
  assert.equal(await page.locator("#seen").innerText(), "nothing");
  await scan(page, "7350000000012");
  await page.getByText("7350000000012").waitFor();
  await page.goBack();
  await page.locator("#seen").waitFor({ state: "detached" });
  await scan(page, "7350000000029");
  await page.getByText("7350000000029 is no order to ship").waitFor();
});

test("a module that could not be loaded is loaded later", async ({ open }) => {
  const page = await open({ init: "{ const real = setInterval; window.setInterval = (f, ms) => real(f, ms === 60000 ? 300 : ms); }" });
  const asked = await withDemo(page, 2);
  await openDemo(page);
  assert.equal(asked.n, 3);
});

test("what happened is told again after its words could not be loaded", async ({ open, place, world }) => {
  // The service worker's own requests cannot be made to fail.
  const page = await open({ init: "Object.defineProperty(Navigator.prototype, 'serviceWorker', { get: () => undefined });" }), n = await place();
  let failing = true;
  await page.route("**/page/story.js*", (route) => (failing ? route.abort() : route.continue()));
  await waitFor("it is offered", async () => page.locator(`#main [data-key="${n}"]`).count());
  await world.control(`/orders/${n}/cancel`, {});
  await page.click("#tab-done");
  const card = page.locator(`#main [data-key="${n}"]`), tap = () => card.locator("[data-part=story]").click();
  await tap();
  await card.getByText("That did not work").waitFor();
  failing = false;
  await tap();
  await tap();
  await card.getByText("Cancelled").last().waitFor();
  await card.locator(".story li").first().waitFor();
});
