// results.js - the notices at the foot of the page.
import { h, $ } from "./dom.js";
import { t } from "./texts.js";

// Shows `text` until it is closed; a good one for 10 s.  A newer notice of order
// `n` (0: of no order) replaces the older ones.
export function result(kind, text, n = 0) {
  const box = h("p", { class: `state ${kind} row`, "data-n": String(n) }, h("span", { class: "grow" }, text),
    h("button", { class: "quiet", "aria-label": t("close"), onclick: () => box.remove() }, "×"));
  for (const old of document.querySelectorAll(`#results [data-n="${n}"]`)) if (n || old.firstChild.textContent === text) old.remove();
  $("results").append(box);
  if (kind === "good") setTimeout(() => box.remove(), 10000);
}
