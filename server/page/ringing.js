// ringing.js - rings for offers that nobody has seen yet.
import { deadline, toAnswer } from "./lists.js";
import { now } from "./live.js";
import * as sound from "./sound.js";
import { ui } from "./ui.js";

const RING_EVERY_MS = 15000;
const seen = new Set();        // numbers of offers that were on a touched screen
let rangAt = 0, rangFor = 0;   // the last ring: when, and the newest order of it

const unseen = () => toAnswer().filter((o) => o.state === "pending" && !seen.has(o.number) && deadline(o) > now());

export function ringIfNew() {
  const fresh = unseen();
  if (!fresh.length) { rangAt = 0; return; }
  const newest = Math.max(...fresh.map((o) => o.number));
  if (Date.now() - rangAt > RING_EVERY_MS || newest > rangFor) { rangAt = Date.now(); rangFor = newest; sound.ring(); }
}

// A person touched the screen, and has seen what it shows.
export function touched() {
  ui.touched = Date.now();
  if (document.hidden || ui.locked || ui.tab !== "toAnswer" || ui.open) return;
  for (const o of toAnswer()) seen.add(o.number);
}
