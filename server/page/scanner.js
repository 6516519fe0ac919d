// scanner.js - the one handler of keys, which tells a scanner from a person.
//
// A scanner types a few ms between two keys and ends with Enter, Tab, LF
// (Ctrl+J) or nothing.  Its keys reach no button, field or dialog: the code goes
// to the function that was given to listen().  A person's keys work as ever,
// but Enter in a field submits nothing.
//
// The first keys of a burst may be a person's: they go into the field that has
// the focus, and are taken out again once it is a burst.  Enter and Space press a
// button once it is certain that no burst begins with them: at keyup, if it was
// held for longer than a scanner does, else after a pause in which the page was
// not held up.
//
// Where the page is held up, the pause may end a code while its keys wait.  Their
// time stamps say so: the code then goes on, and is given to the function again,
// whole.

import { GS } from "./codes.js";

const GAP_MS = 50;      // at most, between two keys of a scanner
const CHAIN_MS = 300;   // keys with longer gaps have nothing to do with each other
const PART_MS = 45;     // a seventh of a pause
const AFTER_MS = 500;   // an Enter so soon after a code is still its suffix
const SURE = 6;         // so many keys a gap apart are no person's
const SHORT = 4;        // enough where nobody types text: no field, or the scan field

export const UNREAD = "\ufffd";   // in a code: what the key types is not known

let take = () => {};
// The keys so far, how many of the last are a gap apart, and whether that is sure
// to be a scanner.  One long gap in a code does not cut it: the keys before it
// are taken along.
let text = "", fast = 0, sure = false;
// When the last key came, and when the last code ended: times of events, which are
// right however busy the page is.
let last = -Infinity, ended = -Infinity;
let before = new Map();   // id of a field -> its value before the keys
let timer = 0;   // the pause
let held = null, focused = 0;   // {el, key, at}: a press that waits; when the focus last moved
// What the pause ended: {text, fast, sure, before, again, taken}; taken: it was
// given to the function.  null: another key has come since.
let cut = null;
let again = false;   // the keys so far begin with what was taken
let alt = "";   // digits typed while Alt is held: the number of a character
const swallowed = new Set();               // keys that are down and reached nobody

const PRESSED = "button, summary, a[href], [role=button], input[type=checkbox], input[type=radio]";
const isField = (el) => !!el?.matches?.("textarea, select, input:not([type=checkbox], [type=radio])");
const scanField = () => document.querySelector("[data-scan]");

// The character that a key types; "" for other keys.
function charOf(e) {
  if (["Dead", "Unidentified", "Process"].includes(e.key)) return UNREAD;
  if (e.ctrlKey && !e.altKey && e.key === "]") return GS;   // as scanners type it
  if ((e.ctrlKey || e.altKey || e.metaKey) && !e.getModifierState("AltGraph")) return "";
  return e.key.length === 1 ? e.key : "";
}

const keyOf = (e) => e.code || e.key;
const isLF = (e) => e.ctrlKey && ["j", "m"].includes(e.key.toLowerCase());
const isSuffix = (e) => e.key === "Enter" || e.key === "Tab" || isLF(e);

function stop(e) {
  e.preventDefault();
  e.stopImmediatePropagation();
  swallowed.add(keyOf(e));
}

// Each field gets back what it had before the burst.
function restore() {
  for (const [id, value] of before) {
    const el = document.getElementById(id);   // it may have been drawn anew
    if (!el || el.value === value) continue;
    el.value = value;
    el.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function forget() {
  clearTimeout(timer);
  text = "";
  fast = 0;
  sure = again = false;
  before = new Map();
}

function end() {
  const code = text, longer = again;
  restore();
  forget();
  ended = last;
  const field = scanField();
  if (field) field.value = "";
  if (code.trim()) take(code, longer);
}

// True where a person types text that is no code.
const isProse = (el) => isField(el) && el !== scanField();

// After a pause: a scanner's keys are a code without a suffix.
function paused() {
  const el = document.activeElement;
  cut = null;
  if (sure || (isField(el) ? !isProse(el) && fast >= SHORT : text.length >= SHORT)) end(); else forget();
}

// A pause is seven parts: while the page is held up, and keys wait, one goes by.
// So half a code is seldom taken, for which the page would buzz.
function quiet(more) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (more) { quiet(more - 1); return; }
    const had = { text, fast, sure, before, again };
    paused();
    cut = { ...had, taken: ended === last };
  }, PART_MS);
}

// A key came that was pressed at `at`: if that was before the pause was over, what
// the pause ended goes on.
function goOn(at) {
  if (!cut || at - last > CHAIN_MS) return;
  ({ text, fast, before } = cut);
  again = cut.again || cut.taken;
  sure = cut.sure || again;
}

function character(e, c) {
  goOn(e.timeStamp);
  cut = null;
  if (e.timeStamp - last > CHAIN_MS) paused();
  if (!text) {
    ended = -Infinity;
    // Where a code is awaited a person may type it whatever has the focus.
    if (c !== " " && !isField(document.activeElement) && !document.querySelector("dialog[open]")) scanField()?.focus();
  }
  const el = document.activeElement;
  if (isField(el) && !before.has(el.id)) before.set(el.id, el.value);
  fast = text && e.timeStamp - last <= GAP_MS ? fast + 1 : 1;
  text += c;
  last = e.timeStamp;
  quiet(6);
  if (fast >= SURE && !sure) { sure = true; restore(); }
  if (sure || c === GS) stop(e);
  else if (c === " " && !isField(el)) { if (text === " ") press(e, el); else stop(e); }
}

function suffix(e) {
  const el = document.activeElement, gap = e.timeStamp - last;
  if (!cut?.taken) goOn(e.timeStamp);   // else the code was whole
  cut = null;
  if (text && gap <= (sure || !isField(el) ? CHAIN_MS : GAP_MS)) {
    // A few keys that a person typed fast stay in the field.
    const few = isField(el) && !sure && fast < SHORT;
    if (few && e.key === "Tab" && isProse(el)) { forget(); return; }
    stop(e);
    last = e.timeStamp;
    if (!few) end();
    else if (isProse(el)) forget();
    else typed(el);
    return;
  }
  paused();
  if (e.timeStamp - ended < (e.key === "Tab" ? CHAIN_MS : AFTER_MS) || (!isField(el) && gap <= CHAIN_MS)) { stop(e); return; }
  if (e.key !== "Enter" || el?.matches?.("textarea, select")) return;
  if (isField(el)) { stop(e); if (!e.repeat) typed(el); } else press(e, el);
}

// A person pressed Enter in a field: the scan field's code is taken, any other
// goes on to the next field.
function typed(el) {
  forget();
  if (el.matches("[data-scan]")) {
    const code = el.value;
    el.value = "";
    if (code.trim()) take(code);
    return;
  }
  const all = [...(el.closest("form")?.querySelectorAll("input, textarea") ?? [])], next = all[all.indexOf(el) + 1];
  if (next) next.focus(); else el.blur();
}

// Enter or Space on a button: a person's, if no other key follows at once.  It was
// meant for what had the focus then.
function press(e, el) {
  stop(e);
  if (!e.repeat && e.timeStamp >= focused && el?.matches?.(PRESSED)) held = { el, key: keyOf(e), at: e.timeStamp };
}

// Presses after `parts` pauses, unless another key comes.  One that is late begins
// them anew: the page was held up, and keys may wait.
function release(h, parts) {
  if (h !== held) return;
  if (!parts) {
    held = null;
    if (h.el.isConnected && h.el === document.activeElement) { forget(); h.el.click(); }
    return;
  }
  const due = performance.now() + 2 * PART_MS;
  setTimeout(() => release(h, performance.now() > due ? 7 : parts - 1), PART_MS);
}

function keydown(e) {
  if (!e.repeat) held = null;   // another key at once: not a person's press
  // A keyboard on the screen tells a field alone what it types.
  if (e.isComposing || (e.keyCode === 229 && isField(document.activeElement)) || ["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock"].includes(e.key)) return;
  if (e.altKey && !e.ctrlKey && /^\d$/.test(e.key)) {
    if (e.timeStamp - last > CHAIN_MS) cut = null;
    alt += e.key;
    last = e.timeStamp;
    return;
  }
  const c = charOf(e);
  if (c && !e.repeat) character(e, c);
  else if (isSuffix(e)) suffix(e);
  else if (!c) paused();   // a person edits
  else if (c === " " && !isField(document.activeElement)) stop(e);   // a Space held down
}

function keyup(e) {
  if (e.key === "Alt" && alt) {
    const c = String.fromCharCode(alt % 256);
    alt = "";
    character(e, c);
  }
  if (held?.key === keyOf(e)) release(held, e.timeStamp - held.at > GAP_MS ? 0 : 7);
  if (!swallowed.delete(keyOf(e))) return;
  e.preventDefault();
  e.stopImmediatePropagation();
}

// From now on codes go to `f(code, again)`, from wherever they are typed.  again:
// the code before was only the beginning of this one.
export function listen(f) {
  take = f;
  addEventListener("keydown", keydown, true);
  addEventListener("keyup", keyup, true);
  addEventListener("focusin", (e) => { focused = e.timeStamp; }, true);
  addEventListener("submit", (e) => e.preventDefault(), true);
}
