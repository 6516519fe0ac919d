// SPDX-License-Identifier: MIT
//
// How every view looks: to a screen reader, to a thumb, in both languages.

import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { cardOf, root } from "./servers.mjs";
import { startDay, walk } from "./scenes.mjs";
import { atRest, complete } from "./steady.mjs";
import { test } from "./test.mjs";

const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const files = readdirSync(join(root, "server/page")).filter((f) => !/\.[ch]$/.test(f)).map((f) => join(root, "server/page", f));
const nameOf = (f) => basename(f, ".js");
// The modules that a page loads only when it needs them, as sw.js lists them.
const extras = /const EXTRAS = `([^`]*)`/.exec(readFileSync(join(root, "server/page/sw.js"), "utf8"))[1].split(/\s+/);
const isExtra = (f) => f.endsWith(".js") && extras.includes(nameOf(f));

async function violations(page) {
  if (!(await page.evaluate(() => typeof window.axe === "object"))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 160)} ${n.failureSummary}`));
}

// What does not fit, or is too small for a thumb.
const misfits = (page) => page.evaluate(() => {
  const wrong = [];
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`the page is ${document.documentElement.scrollWidth} wide`);
  for (const el of document.querySelectorAll("button, input, h2, p, li, dd, .left")) {
    const box = el.getBoundingClientRect();
    if (!box.width || el.closest("#print, .unseen")) continue;
    if (el.scrollWidth > el.clientWidth + 1 && el.id !== "who") wrong.push(`cut: ${el.outerHTML.slice(0, 120)}`);
    if (box.left < -1 || box.right > innerWidth + 1) wrong.push(`off the screen: ${el.outerHTML.slice(0, 120)}`);
    if (el.matches("button, input") && (box.height < 44 || box.width < 44)) wrong.push(`small: ${el.outerHTML.slice(0, 120)}`);
  }
  return wrong;
});

for (const how of [{ size: "phone", scheme: "dark", locale: "sv-SE" }, { size: "tablet", scheme: "light", locale: "en-GB" }]) {
  test(`every view fits and has no violation of WCAG 2.2 AA: ${how.size}, ${how.scheme}, ${how.locale}`, { world: false }, async ({ browser }) => {
    const day = await startDay(), wrong = [], seen = [];
    try {
      await walk(browser, day, how, async (page, name) => {
        seen.push(name);
        await page.waitForFunction(() => document.getAnimations().every((a) => a.effect.getTiming().iterations === Infinity || a.playState !== "running"));
        for (const v of [...await violations(page), ...await misfits(page)]) wrong.push(`${name}: ${v}`);
        for (const e of page.errors.filter((e) => !e.startsWith("Failed to load resource"))) wrong.push(`${name}: ${e}`);
      }, true);
    } finally { await day.world.stop(); }
    assert.ok(seen.length >= 22, `${seen.length} views`);
    assert.deepEqual(wrong, []);
  });
}

// The texts of a module that brings its own.
const textsOf = (f) => Function(`return ${/^addTexts\((\{[^]*?^\})\);$/m.exec(readFileSync(f, "utf8"))?.[1] ?? "{ en: {}, sv: {} }"}`)();

test("both languages have the same texts, and the page has no other", { world: false }, async () => {
  globalThis.document ??= { documentElement: {} };
  globalThis.navigator ??= {};
  // Node 18 takes a .js for the older kind of module.
  const { texts } = await import(`data:text/javascript,${encodeURIComponent(readFileSync(join(root, "server/page/texts.js"), "utf8"))}`);
  const own = files.filter(isExtra).map(textsOf), holes = (s) => (s.match(/\{\w+\}/g) ?? []).sort(), all = {};
  for (const { en, sv } of [texts, ...own]) {
    assert.deepEqual(Object.keys(sv).sort(), Object.keys(en).sort());
    for (const k of Object.keys(en)) {
      assert.deepEqual(holes(sv[k]), holes(en[k]), k);
      assert.ok(!(k in all), `${k} is there twice`);
      all[k] = en[k];
    }
  }
  // In a module's own code, not in its texts.
  const code = files.filter((f) => f.endsWith(".js")).map((f) => readFileSync(f, "utf8").replace(/^(export const texts = |addTexts\()\{[^]*?^\}\)?;$/m, "")).join("\n");
  for (const [, k] of code.matchAll(/\bt\("(\w+)"/g)) assert.ok(k in all, `t("${k}") is no text`);
  for (const k of Object.keys(all)) assert.match(code, new RegExp(`\\b${k}\\b`), `${k} is never used`);
});

// Phrases that a shop manager asked for; and those that must not come back.
test("the page says it as a shop manager would", { world: false }, async () => {
  globalThis.document ??= { documentElement: {} };
  globalThis.navigator ??= {};
  const { t, texts } = await import(`data:text/javascript,${encodeURIComponent(readFileSync(join(root, "server/page/texts.js"), "utf8"))}`);
  const { en, sv } = texts, all = (lang) => Object.values(lang).join("\n");
  for (const [text, part] of [[en.acceptSure, "If you accept, you must ship it"], [en.captureFailed, "KEEP THE PARCEL HERE"], [en.refused, "Not yours: another shop may have it. Do not ship."],
    [en.shipNow, "Confirm shipment"], [en.found, "Solved, we can ship it"], [en.leftH, "left"], [en.leftM, "left"], [en.left, "left"], [en.doubt, "Ask the office before you ship"],
    [sv.toAnswer, "Att besvara"], [sv.noneToShip, "Ordrar"], [sv.cant, "Kan inte skicka"], [sv.accepted, "Ni fick order {n}"], [sv.problemCard, "Invänta besked från kontoret"],
    [sv.problem, "Kan inte skicka den längre"], [sv.lost2, "Gick till annan butik"], [sv.shipNow, "Bekräfta leverans"], [sv.captureFailed, "BEHÅLL PAKETET"],
    [sv.note, "Kommentar (valfritt)"], [sv.lost, "Försvunnen"], [sv.left, "kvar"], [sv.leftH, "kvar"], [sv.leftM, "kvar"]]) assert.ok(text.includes(part), `${text}: not ${part}`);
  assert.doesNotMatch(all(en), /HAND OVER|taken back|[Rr]ejected|[Tt]ook it back|Ship it$|cannot be undone/m);
  assert.doesNotMatch(all(sv), /LÄMNA INTE|togs tillbaka|nekad|avbruten|Borta|Vänta på kontoret|Alla order$/m);
  // One word for one event, wherever it is said.
  for (const k of ["cancelled", "cancelledShort"]) { assert.match(en[k], /[Cc]ancelled/); assert.match(sv[k], /[Aa]nnullerad/); }
  assert.equal(t("pieces", { n: 1 }), "1 piece");
  assert.equal(t("pieces", { n: 2 }), "2 pieces");
  // Of one order the word is for one.
  for (const k of ["shipped", "missed", "cancelledShort"]) assert.match(sv[k].split("|")[0], /ad( i tid)?$/, k);
  assert.equal(t("remaining", { n: 1 }), "1 piece left to ship.");
});

for (const locale of ["sv-SE", "en-GB"]) {
  test(`on a phone of 360 x 740 a city is not cut, and tabs have two lines at most: ${locale}`, async ({ open, place }) => {
    const page = await open({ size: "small", locale }), n = await place({ expires_in: 8000, city: "Kristianstad" });
    await complete(page, n);
    const rows = (locator) => locator.evaluateAll((all) => all.map((el) => {
      const r = document.createRange();
      r.selectNodeContents(el);
      return new Set([...r.getClientRects()].map((b) => b.top)).size;
    }));
    assert.deepEqual(await rows(page.locator("#main .card .soft", { hasText: "Kristianstad" })), [1]);
    const tabs = await rows(page.locator("#tabs button"));
    assert.ok(Math.max(...tabs) <= 2, String(tabs));
  });
}

test("that an accept binds stands above the button", async ({ open, place }) => {
  const page = await open();
  const n = await place();
  await complete(page, n);
  await atRest(page);
  const say = await cardOf(page, n).getByText("If you accept, you must ship it").boundingBox();
  const button = await cardOf(page, n).locator("[data-part=accept]").boundingBox();
  assert.ok(say.y + say.height <= button.y, `${say.y} ${button.y}`);
});

const bytes = (some) => some.reduce((n, f) => n + statSync(f).size, 0);

// It was 120 KiB until the page told in two languages what happened to an order.
test("what each shop loads of the page is under 128 KiB", { world: false }, async () => {
  const size = bytes(files.filter((f) => !isExtra(f)));
  assert.ok(size < 128 * 1024, `${size} bytes`);
});

test("what is loaded only when it is needed is under 32 KiB", { world: false }, async () => {
  const some = files.filter(isExtra), size = bytes(some);
  assert.equal(some.length, extras.length);
  assert.ok(size < 32 * 1024, `${size} bytes`);
});
