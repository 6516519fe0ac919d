// guard.js - a second tap presses nothing else, nor does one on what came under
// the finger.  What counts is when it was made: a page that is held up hears of a
// tap late.

const ANSWER_MS = 1200, STEP_MS = 600;
let until = 0, timer = 0;

// Makes green buttons do nothing for `ms`: a list or a step may have changed.
function calm(ms) {
  until = Math.max(until, performance.now() + ms);
  document.documentElement.classList.add("calm");
  clearTimeout(timer);
  timer = setTimeout(() => document.documentElement.classList.remove("calm"), until - performance.now());
}

// An answer was given.
export const answered = () => calm(ANSWER_MS);

// For `ms` at least, no finger presses a button in `el` (the views): it has come, or
// moved.
const shielded = new WeakMap();   // element -> {until, timer}
export function shield(ms, el = document.querySelector("main")) {
  const had = shielded.get(el), until = Math.max(had?.until ?? 0, performance.now() + ms);
  clearTimeout(had?.timer);
  el.classList.add("moved");
  shielded.set(el, { until, timer: setTimeout(() => el.classList.remove("moved"), until - performance.now()) });
}

function isShielded(el, at) {
  for (; el && el.id !== "top"; el = el.parentElement) if (at < shielded.get(el)?.until) return true;
  return false;
}

export function guard() {
  addEventListener("click", (e) => {
    const el = e.target.closest?.("button"), at = e.timeStamp, go = el?.matches(".go");
    if ((go && at < until) || (e.detail && isShielded(el, at))) { e.preventDefault(); e.stopImmediatePropagation(); } else if (go) calm(STEP_MS);
  }, true);
}
