// sound.js - rings for new orders, buzzes for a wrong item.

let ctx = null, changed = () => {};

// True while sound can be heard.
export const ready = () => ctx?.state === "running";

// `f` is called when that changes.
export const whenChanged = (f) => { changed = f; };

// Browsers allow sound only after a touch, and take it away again (a call, a
// lock screen): called at every touch.  The first tells that it works.
export async function unlock() {
  if (ready()) return;
  try {
    if (!ctx) {
      ctx = new AudioContext();
      ctx.onstatechange = () => changed();
      await ctx.resume();
      tick();
    } else await ctx.resume();
  } catch { /* no sound: ready() says so */ }
  changed();
}

function tone(freq, at, length, type = "sine", loud = 0.4) {
  const osc = ctx.createOscillator(), gain = ctx.createGain();
  osc.type = type;
  osc.frequency.value = freq;
  gain.gain.setValueAtTime(0, ctx.currentTime + at);
  gain.gain.linearRampToValueAtTime(loud, ctx.currentTime + at + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.001, ctx.currentTime + at + length);
  osc.connect(gain).connect(ctx.destination);
  osc.start(ctx.currentTime + at);
  osc.stop(ctx.currentTime + at + length);
}

function shake(how) { if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(how); }

export function ring() {
  document.documentElement.dataset.rang = String(Number(document.documentElement.dataset.rang || 0) + 1);
  shake([200, 100, 200]);
  if (!ready()) return;
  [0, 0.25, 0.9, 1.15].forEach((at, i) => tone(i % 2 ? 1175 : 880, at, 0.4));
}

export function buzz() {
  shake([400]);
  if (ready()) tone(140, 0, 0.5, "square", 0.3);
}

export function tick() {
  if (ready()) tone(1400, 0, 0.12);
}
