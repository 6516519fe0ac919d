// SPDX-License-Identifier: MIT
//
// Allocation requests on the page: only the lines that Centra asks this shop
// for, also when the time has passed.

import assert from "node:assert/strict";
import { cardOf, waitFor } from "./servers.mjs";
import { lines } from "./scenes.mjs";
import { test } from "./test.mjs";

const show = (page, has) => page.getByText(has).first().waitFor();

test("of an order that two shops are asked for, a shop sees its own lines only, before and after its accept", { instance: "poll_requests = 200ms" }, async ({ open, world }) => {
  const page = await open();
  const n = await world.place({ warehouses: [], lines: [lines.coat, lines.scarf],
    requests: [{ warehouse: 3, lines: [1] }, { warehouse: 2, lines: [0] }] });
  const card = cardOf(page, n);
  await card.getByText(lines.scarf.product).waitFor();
  assert.equal(await card.getByText(lines.coat.product).count(), 0);
  await card.locator("[data-part=accept]").click();
  await show(page, /To ship \(1\)/);
  await page.click("#tab-toShip");
  await cardOf(page, n).locator("[data-part=open]").click();
  await page.waitForSelector("#scan");
  await page.getByText(lines.scarf.product).first().waitFor();
  assert.equal(await page.getByText(lines.coat.product).count(), 0);
});

test("a request whose time has passed in Centra says so, and can still be accepted", { instance: "poll_requests = 200ms" }, async ({ open, world }) => {
  const page = await open();
  const n = await world.place({ warehouses: [], lines: [lines.scarf], requests: [{ warehouse: 3 }], expires_in: 900 });
  const { token } = await world.device();
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  await world.control(`/orders/${n}/expire`, {});
  await waitFor("late", async () => (await world.api(token, "GET", `/orders/${n}`)).body.late);
  await show(page, "You can still try; Centra decides.");
  assert.equal(await cardOf(page, n).getByText(/min left/).count(), 0);
  await cardOf(page, n).locator("[data-part=accept]").click();
  await show(page, /To ship \(1\)/);
});
