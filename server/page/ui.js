// ui.js - the state of this screen, and the request to draw it again.

// tab: the tab; open: the number of the open order, or the name of the feature whose
// view is open (0: none); touched: when
// somebody last touched the screen, in ms; locked: only the question who it is
// shows.
export const ui = { tab: "toAnswer", open: 0, touched: Date.now(), locked: false };

let painter = () => {};

// Draws the page again.  views.js does it; modules that it imports call this.  A
// field that is replaced as it is drawn may tell that it has changed: that is drawn
// after it.
let drawing = false;
export function draw() {
  if (drawing) { setTimeout(draw); return; }
  drawing = true;
  try { painter(); } finally { drawing = false; }
}
export const drawnBy = (f) => { painter = f; };

// Calls `f` every `ms` while a device is signed in.
const timers = new Set();
export const every = (ms, f) => timers.add(setInterval(f, ms));
export function endTimers() {
  for (const timer of timers) clearInterval(timer);
  timers.clear();
}
