// SPDX-License-Identifier: MIT
//
// A screen that was away while the store or its shop changed shows exactly the
// shop's list within seconds.

import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cardOf, waitFor } from "./servers.mjs";
import { test } from "./test.mjs";

const moveAmsterdam = (world, warehouses) => writeFileSync(world.file,
  readFileSync(world.file, "utf8").replace(/(Kalverstraat\nwarehouses = ).*/, `$1${warehouses}`));

const shows = (page, n) => cardOf(page, n).waitFor();
const hides = (page, n) => waitFor(`order ${n} to be gone`, async () => !await cardOf(page, n).count());

test("after a restart with another warehouse a screen shows that one's orders, and no other", async ({ world, open, place }) => {
  const page = await open();
  const [mine, moved] = [await place({ warehouses: [3], expires_in: 600 }), await place({ warehouses: [4], expires_in: 600 })];
  await shows(page, mine);
  await world.kill();
  writeFileSync(world.file, readFileSync(world.file, "utf8").replace(/(Mitte\nwarehouses = ).*/, "$15"));
  moveAmsterdam(world, 4);
  await world.again();
  await shows(page, moved);
  await hides(page, mine);
});

test("after a reload that took a warehouse away while it was away a screen shows no orders of it", async ({ world, open, place }) => {
  const page = await open();
  const n = await place({ warehouses: [3], expires_in: 600 });
  await shows(page, n);
  await page.context().setOffline(true);
  await page.getByText("What you see is").first().waitFor();
  moveAmsterdam(world, 9);
  process.kill(world.server.child.pid, "SIGHUP");
  await waitFor("the reload", () => world.server.log.join("").includes("config reloaded"));
  await page.context().setOffline(false);
  await hides(page, n);
});

test("after a backup was restored a screen that signs in again shows what the backup has", async ({ world, open, place }) => {
  const page = await open();
  const kept = await place({ warehouses: [3], expires_in: 600 });
  await shows(page, kept);
  const copy = join(world.dir, "copy.mdb");
  await world.cli("backup", copy);
  const lost = await place({ warehouses: [3], expires_in: 600 });
  await shows(page, lost);
  await world.control("/hooks", { off: true });
  await world.kill();
  rmSync(join(world.dir, "data"), { recursive: true });
  cpSync(copy, join(world.dir, "data", "data.mdb"), { recursive: true });
  await world.again();
  await page.getByText(/signed out|sign in|login link/i).first().waitFor();
  await page.enrol();
  await shows(page, kept);
  await hides(page, lost);
});
