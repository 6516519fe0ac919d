// SPDX-License-Identifier: MIT
//
// screenshots.mjs - every view, on phone and tablet, light and dark, in English
// and Swedish, into build/screenshots.  usage: screenshots.mjs [FILTER]

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { build, startBrowser } from "./servers.mjs";
import { startDay, walk } from "./scenes.mjs";

const dir = join(build, "screenshots"), filter = process.argv[2] ?? "";
mkdirSync(dir, { recursive: true });
const browser = await startBrowser();
let n = 0;
for (const [size, scheme, locale] of [["phone", "light", "en-GB"], ["phone", "dark", "sv-SE"], ["tablet", "light", "sv-SE"], ["tablet", "dark", "en-GB"]]) {
  if (!`${size}-${scheme}`.includes(filter)) continue;
  const day = await startDay();
  try {
    await walk(browser, day, { size, scheme, locale }, async (page, name) => {
      await page.waitForTimeout(120);   // what moves has settled
      await page.screenshot({ path: join(dir, `${size}-${scheme}-${name}.png`) });
      n++;
    }, true);
  } finally { await day.world.stop(); }
}
await browser.close();
console.log(`${n} screenshots in ${dir}`);
