// results.js - what became of what was pressed.  A notice stands above the list; of
// the order that is open it stands in the order's own view, and in no other.
import { button, h, $ } from "./dom.js";
import { t } from "./texts.js";
import { session } from "./api.js";
import { draw, ui } from "./ui.js";

const GOOD_MS = 10000;
let heldUntil = 0;          // until then no notice moves the list
const inView = new Map();   // number of the open order -> {kind, text, small}

// The server's or Centra's own words: small, for those who open them.
export const small = (words) => (words ? h("details", {}, h("summary", {}, t("details")), h("p", { class: "soft" }, words)) : null);

const body = (r, close) => [h("span", { class: "grow" }, h("span", {}, r.text), small(r.small)),
  button("quiet", close, "×", { "aria-label": t("close") })];

// For `ms` notices wait: they would move the list under a finger.
export const holdNotices = (ms) => { heldUntil = Math.max(heldUntil, performance.now() + ms); };

// Shows `text` until it is closed, if it is "bad"; else for 10 s.  A newer notice of order
// `n` (0: of no order) replaces the older ones.  words: see small().  Returns a
// function that takes a notice of no order away.
export function result(kind, text, n = 0, words = "") {
  const r = { kind, text, small: words };
  if (n && n === ui.open) {
    inView.set(n, r);
    if (kind !== "bad") setTimeout(() => { if (inView.get(n) === r) { inView.delete(n); draw(); } }, GOOD_MS);
    draw();
    return undefined;
  }
  const wait = !ui.open && ui.tab === "toAnswer" ? heldUntil - performance.now() : 0;
  if (wait <= 0) return show(r, n);
  // If the order was opened meanwhile, a good result is not shown.
  const timer = setTimeout(() => { if (session.me && (kind === "bad" || !n || n !== ui.open)) away = result(kind, text, n, words); }, wait);
  let away = () => clearTimeout(timer);
  return () => away?.();
}

function show(r, n) {
  const { kind, text } = r, box = h("div", { class: `state ${kind} row`, "data-n": String(n) }, body(r, () => box.remove()));
  for (const old of document.querySelectorAll(`#results [data-n="${n}"]`)) if (n || old.dataset.text === text) old.remove();
  box.dataset.text = text;
  box.notice = r;
  $("results").append(box);
  if (kind !== "bad") setTimeout(() => box.remove(), GOOD_MS);
  return () => box.remove();
}

// The notice for the view of order `n`, and what tells it from another.
export const noticeSign = (n) => inView.get(n)?.text;
export function noticeOf(n) {
  const r = inView.get(n);
  return r && h("div", { class: `state ${r.kind} row`, role: "alert" }, body(r, () => { inView.delete(n); draw(); }));
}

// The view of order `n` opens: what a notice says of it, the view says now.
export function viewOpened(n) {
  for (const box of document.querySelectorAll(`#results [data-n="${n}"]`)) {
    if (box.notice.kind === "bad") inView.set(n, box.notice);
    box.remove();
  }
}

// The view of order `n` has closed.  `read`: by a person, who has seen it.
export function viewClosed(n, read) {
  const r = inView.get(n);
  inView.delete(n);
  if (r && !read) result(r.kind, r.text, n, r.small);
}
