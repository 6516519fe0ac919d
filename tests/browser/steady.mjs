// SPDX-License-Identifier: MIT
//
// steady.mjs - waits until what a test is about to touch or measure stands still,
// and keeps what was shown for a moment only.  Nothing here depends on how fast
// the machine is.

import { waitFor } from "./servers.mjs";

// A module of the page itself.
export const module = (page, name) => page.evaluateHandle((name) => import(document.querySelector("script").src.replace("main.js", name)), name);

// The card or the view of order `n`, as a selector.
const partOf = (n) => `#main > [data-key="${n}"], #main > [data-key="ship${n}"]`;

// Order `n` shows with all that comes of itself (its lines; once it is accepted,
// its address), so that it is not drawn anew under a finger or a key.
export const complete = (page, n) => waitFor(`all of order ${n} on the screen`, () => page.evaluate(async ({ n, where }) => {
  const here = () => document.querySelector(where);
  if (!here()) return false;   // nor does the server know it, perhaps
  const o = await (await fetch(`/api/v1/orders/${n}`)).json();
  return o.lines_known && (o.state !== "accepted" || !!o.ship_to) && here()?.dataset.sign.includes(`"updated_at":"${o.updated_at}"`);
}, { n, where: partOf(n) }));

const knowsTop = (page) => page.evaluate(() => document.documentElement.style.getPropertyValue("--top") === `${document.getElementById("top").offsetHeight}px`);

// Leaves the order that is open.  The browser goes back some time after the click.
export async function goBack(page) {
  await page.click("[data-part=back]");
  await page.locator("[data-part=back]").waitFor({ state: "detached" });
}

// As a phone's own Back does, pressed `times` before the page hears of it.  Where
// that leaves the page, the test fails.
export const systemBack = (page, times = 1) => page.evaluate((times) => new Promise((heard) => {
  addEventListener("popstate", () => heard(), { once: true });
  history.go(-times);
}), times);

// The browser has told the page how high what stands above the views is.
export const topKnown = (page) => waitFor("the height of what is above", () => knowsTop(page));

// Nothing moves, nor is anything shielded from a finger.  paused: its clock stands
// still, and goes on in steps until it is so.
export const atRest = (page, { paused } = {}) => waitFor("a page at rest", async () => {
  if (paused) await page.clock.runFor(20);
  return await knowsTop(page) && !await page.locator(".calm, .moved").count();
});

// Stops the page's clock (which was installed), in its next second.
export async function pause(page) {
  // The sound comes when it comes, and the head is drawn anew for it.
  await waitFor("the sound", async () => (await page.locator("#bell").innerText()) === "♪");
  await waitFor("a clock that stands still", async () => {
    const at = await page.evaluate(() => Date.now() + 1000);
    try { await page.clock.pauseAt(new Date(at)); } catch (e) {
      if (!String(e).includes("to the past")) throw e;   // more than a second has gone by
      return false;
    }
    return true;
  });
}

// `ms` of the page's own time: what it had to do until then, it has done.
export const lapse = (page, ms) => page.evaluate((ms) => new Promise((done) => setTimeout(done, ms)), ms);

// From now on keeps what the card or the view of order `n` says.  Resolves with a
// function that resolves with the texts, each as often as it came anew.
export async function said(page, n) {
  await page.waitForSelector(partOf(n));
  const list = await page.evaluateHandle((where) => {
    const texts = [], look = () => {
      const text = document.querySelector(where)?.innerText ?? "";
      if (text !== texts.at(-1)) texts.push(text);
    };
    look();
    new MutationObserver(look).observe(document.getElementById("main"), { childList: true, subtree: true, characterData: true });
    return texts;
  }, partOf(n));
  return () => list.jsonValue();
}
