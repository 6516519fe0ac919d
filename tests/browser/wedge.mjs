// SPDX-License-Identifier: MIT
//
// wedge.mjs - a keyboard-wedge scanner: keys that the browser takes for real
// ones, sent without a pause, to whatever has the focus.

const sessions = new WeakMap();

async function session(page) {
  if (!sessions.has(page)) sessions.set(page, await page.context().newCDPSession(page));
  return sessions.get(page);
}

const named = {
  Enter: { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13, text: "\r" },
  Tab: { key: "Tab", code: "Tab", windowsVirtualKeyCode: 9 },
  LF: { key: "j", code: "KeyJ", windowsVirtualKeyCode: 74, modifiers: 2 },
  GS: { key: "]", code: "BracketRight", windowsVirtualKeyCode: 221, modifiers: 2 },
};

function keyOf(c) {
  if (named[c]) return named[c];
  const upper = c.toUpperCase();
  return { key: c, text: c, code: /[0-9]/.test(c) ? `Digit${c}` : /[A-Z]/.test(upper) ? `Key${upper}` : "", windowsVirtualKeyCode: upper.charCodeAt(0) };
}

// The ways in which scanners end a code.
export const suffixes = { Enter: ["Enter"], "Enter twice": ["Enter", "Enter"], Tab: ["Tab"], LF: ["LF"], nothing: [] };

// Types `keys`: characters, and names of keys.
async function type(page, keys) {
  const cdp = await session(page);
  await Promise.all(keys.flatMap((k) => {
    const key = keyOf(k);
    return [cdp.send("Input.dispatchKeyEvent", { type: key.text ? "keyDown" : "rawKeyDown", ...key }),
      cdp.send("Input.dispatchKeyEvent", { type: "keyUp", ...key, text: undefined })];
  }));
}

// Scans `code` (in which \u001d is GS), ended by the named suffix.
export const scan = (page, code, suffix = "Enter") => type(page, [...[...code].map((c) => (c === "\u001d" ? "GS" : c)), ...suffixes[suffix]]);
