// ringing.js - rings for offers that nobody has seen yet, and for those whose time
// runs out.
import { $ } from "./dom.js";
import { deadline, toAnswer } from "./lists.js";
import { now } from "./live.js";
import * as sound from "./sound.js";
import { ui } from "./ui.js";

const RING_EVERY_MS = 15000, LAST_MS = 120000;
const seen = new Set();        // numbers of offers that were on a touched screen
const rung = new Map();        // "number deadline" -> the urgency that has rung
let rangAt = -Infinity, rangFor = 0;   // the last ring: when, and the newest order of it

const open = () => toAnswer().filter((o) => o.state === "pending" && deadline(o) > now());
const unseen = () => open().filter((o) => !seen.has(o.number));

// How many of two marks an offer has passed: a quarter of its time is left, two
// minutes are left.
export function urgency(o) {
  const left = deadline(o) - now(), all = deadline(o) - Date.parse(o.offered_at);
  return left > 0 ? (left <= all / 4) + (left <= LAST_MS) : 0;
}

// True if an offer has become more urgent since it was looked at last.
function pressesNow() {
  let is = false;
  for (const o of open()) {
    const key = `${o.number} ${o.expires_at}`, u = urgency(o);
    is ||= u > (rung.get(key) ?? u);
    rung.set(key, Math.max(u, rung.get(key) ?? 0));
  }
  return is;
}

export function ringIfNew() {
  const fresh = unseen(), presses = pressesNow();
  if (!fresh.length) rangAt = -Infinity;
  const newest = Math.max(0, ...fresh.map((o) => o.number));
  if (!presses && (!fresh.length || (performance.now() - rangAt <= RING_EVERY_MS && newest <= rangFor))) return;
  if (fresh.length) { rangAt = performance.now(); rangFor = newest; }
  sound.ring();
}

// True if half of the order's card, or a good part of a long one, is to be seen.
export function onScreen(n) {
  const box = document.querySelector(`#main > [data-key="${n}"]`)?.getBoundingClientRect();
  if (!box || ui.open || ui.locked) return false;
  const shown = Math.min(box.bottom, innerHeight) - Math.max(box.top, $("top").getBoundingClientRect().bottom);
  return shown >= Math.min(box.height / 2, 120);
}

// A person touched the screen, and has seen what it shows.
export function touched() {
  ui.touched = Date.now();
  if (document.hidden || ui.locked || ui.tab !== "toAnswer" || ui.open || document.querySelector("dialog[open]")) return;
  for (const o of toAnswer()) if (onScreen(o.number)) seen.add(o.number);
}
