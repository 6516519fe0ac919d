// ui.js - the state of this screen, and the request to draw it again.

// tab, open: the tab and the number of the open order (0: none); touched: when
// somebody last touched the screen, in ms; locked: only the question who it is
// shows.
export const ui = { tab: "toAnswer", open: 0, touched: Date.now(), locked: false };

let painter = () => {};

// Draws the page again.  views.js does it; modules that it imports call this.
export const draw = () => painter();
export const drawnBy = (f) => { painter = f; };

// For `ms` at least, nothing in `el` (the views) can be pressed: it has come, or
// moved, under a finger.
const shielded = new WeakMap();   // element -> {until, timer}
export function shield(ms, el = document.querySelector("main")) {
  const had = shielded.get(el), until = Math.max(had?.until ?? 0, performance.now() + ms);
  clearTimeout(had?.timer);
  el.classList.add("moved");
  shielded.set(el, { until, timer: setTimeout(() => el.classList.remove("moved"), until - performance.now()) });
}

// Calls `f` every `ms` while a device is signed in.
const timers = new Set();
export const every = (ms, f) => timers.add(setInterval(f, ms));
export function endTimers() {
  for (const timer of timers) clearInterval(timer);
  timers.clear();
}
