// guard.js - a second tap presses nothing else.
//
// After a green button was pressed, no other green one can be for a moment: a
// list or a step may have changed under the finger.
const ANSWER_MS = 1200, STEP_MS = 600;
let until = 0, timer = 0;

// Makes green buttons do nothing for `ms`.
function calm(ms) {
  until = Math.max(until, Date.now() + ms);
  document.documentElement.classList.add("calm");
  clearTimeout(timer);
  timer = setTimeout(() => document.documentElement.classList.remove("calm"), until - Date.now());
}

// An answer was given.
export const answered = () => calm(ANSWER_MS);

export function guard() {
  addEventListener("click", (e) => {
    if (!e.target.closest?.("button.go")) return;
    if (Date.now() < until) { e.preventDefault(); e.stopImmediatePropagation(); } else calm(STEP_MS);
  }, true);
}
