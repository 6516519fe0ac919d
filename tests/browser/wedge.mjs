// SPDX-License-Identifier: MIT
//
// wedge.mjs - a keyboard-wedge scanner: keys that the browser takes for real
// ones, sent without a pause, to whatever has the focus.  Each says when it was
// pressed, as a keyboard's does: how long it took to arrive is not a scanner's
// pause.

import assert from "node:assert/strict";

const KEY_MS = 2;                // between two keys of a scanner
const sessions = new WeakMap();   // page -> its session
const pressed = new WeakMap();    // page -> when its last key was pressed, in ms

async function session(page) {
  if (!sessions.has(page)) sessions.set(page, await page.context().newCDPSession(page));
  return sessions.get(page);
}

// When a key is pressed that comes `ms` after the last, or now.
function when(page, ms) {
  const last = pressed.get(page), at = ms === undefined || last === undefined ? Math.max(Date.now(), (last ?? 0) + KEY_MS) : last + ms;
  pressed.set(page, at);
  return at / 1000;
}

const named = {
  Enter: { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13, text: "\r" },
  Tab: { key: "Tab", code: "Tab", windowsVirtualKeyCode: 9 },
  LF: { key: "j", code: "KeyJ", windowsVirtualKeyCode: 74, modifiers: 2 },
  Dead: { key: "Dead", code: "Equal", windowsVirtualKeyCode: 187 },
  Unidentified: { key: "Unidentified", windowsVirtualKeyCode: 229 },
  GS: { key: "]", code: "BracketRight", windowsVirtualKeyCode: 221, modifiers: 2 },
};

function keyOf(c) {
  if (named[c]) return named[c];
  const upper = c.toUpperCase();
  return { key: c, text: c, code: /[0-9]/.test(c) ? `Digit${c}` : /[A-Z]/.test(upper) ? `Key${upper}` : "", windowsVirtualKeyCode: upper.charCodeAt(0) };
}

// The ways in which scanners end a code.
export const suffixes = { Enter: ["Enter"], "Enter twice": ["Enter", "Enter"], Tab: ["Tab"], LF: ["LF"], nothing: [] };

// Types `keys`: characters, and names of keys.  The first comes `gap` ms after the
// last that was typed on this page, or, without a gap, now.
export async function type(page, keys, gap) {
  const cdp = await session(page);
  await Promise.all(keys.flatMap((k, i) => {
    const key = keyOf(k), timestamp = when(page, i ? KEY_MS : gap);
    return [cdp.send("Input.dispatchKeyEvent", { type: key.text ? "keyDown" : "rawKeyDown", timestamp, ...key }),
      cdp.send("Input.dispatchKeyEvent", { type: "keyUp", timestamp, ...key, text: undefined })];
  }));
  await new Promise((done) => setTimeout(done, pressed.get(page) - Date.now()));   // until the last is pressed
}

// Presses `key` (a character, or a name) `ago` ms ago, and holds it for `ms`: the
// page hears of it only now.
export async function pressAgo(page, key, ago, ms) {
  const cdp = await session(page), at = Date.now() - ago, k = keyOf(key);
  await cdp.send("Input.dispatchKeyEvent", { type: k.text ? "keyDown" : "rawKeyDown", timestamp: at / 1000, ...k });
  await cdp.send("Input.dispatchKeyEvent", { type: "keyUp", timestamp: (at + ms) / 1000, ...k, text: undefined });
}

// Taps on `x`, `y` `ago` ms ago: the page hears of it only now.
export async function tapAgo(page, [x, y], ago) {
  const cdp = await session(page), timestamp = (Date.now() - ago) / 1000;
  for (const type of ["mousePressed", "mouseReleased"]) await cdp.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1, timestamp });
}

// Types names of keys, and characters.
export const keys = (page, ...all) => type(page, all);

// Scans `code` as a scanner that is set to Alt codes: each character is its number
// on the keypad, while Alt is held down.
export async function scanAlt(page, code) {
  const cdp = await session(page), sent = [], send = (type, key) => sent.push(cdp.send("Input.dispatchKeyEvent", { type, timestamp: when(page, type === "keyUp" ? 0 : KEY_MS), ...key }));
  const alt = { key: "Alt", code: "AltLeft", windowsVirtualKeyCode: 18 };
  when(page);
  for (const c of code) {
    send("rawKeyDown", { ...alt, modifiers: 1 });
    for (const d of `0${c.charCodeAt(0)}`) {
      const key = { key: d, code: `Numpad${d}`, modifiers: 1, windowsVirtualKeyCode: 96 + Number(d), location: 3, isKeypad: true };
      send("rawKeyDown", key);
      send("keyUp", key);
    }
    send("keyUp", alt);
  }
  await Promise.all(sent);
  await type(page, ["Enter"]);
}

// Scans `code` with `ms()` between two keys, as a slow scanner does: so far apart
// they are pressed, and at least so far apart they arrive.
export async function scanSlow(page, code, ms, suffix = "Enter") {
  let gap;
  for (const k of [...code, ...suffixes[suffix]]) {
    await type(page, [k], gap);
    gap = ms();
    await new Promise((done) => setTimeout(done, gap));
  }
}

// Scans `code` (in which \u001d is GS), ended by the named suffix.
export const scan = (page, code, suffix = "Enter") => type(page, [...[...code].map((c) => (c === "\u001d" ? "GS" : c)), ...suffixes[suffix]]);

// Scans `code` on each element of the view or dialog that can have the focus, with
// each suffix: nothing that writes is sent, and what is open stays open.
export async function pressesNothing(page, code, where) {
  const sent = [], on = (r) => { if (!["GET", "HEAD"].includes(r.method())) sent.push(`${r.method()} ${r.url()}`); };
  const shown = () => page.evaluate(() => [document.querySelectorAll("dialog").length, document.querySelector("#main h2")?.innerText]);
  const had = await shown(), all = `${where} :is(button, input, select, summary):not([disabled])`;
  page.on("request", on);
  for (const suffix of Object.keys(suffixes)) {
    for (let i = 0; i < await page.locator(all).count(); i++) {
      await page.locator(all).nth(i).evaluate((el) => el.focus());
      await scan(page, code, suffix);
      await page.waitForTimeout(400);   // longer than any key is waited for
      assert.deepEqual([sent, await shown()], [[], had], `${suffix}, element ${i} of ${where}`);
    }
  }
  page.off("request", on);
}
