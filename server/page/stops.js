// stops.js - an order that must not be shipped any more.
import { button, h } from "./dom.js";
import { t } from "./texts.js";
import { post } from "./api.js";
import { ask, dismiss } from "./dialogs.js";
import { ENDED } from "./lists.js";
import { orders, put } from "./live.js";
import { who } from "./people.js";
import { result } from "./results.js";
import * as sound from "./sound.js";
import { ui } from "./ui.js";

const shown = new Set();   // numbers of the orders whose *stop* was shown

// Shows *stop* if it is new.  Returns true if it did.
export function stopIfNew(o) {
  if (!o.stop) shown.delete(o.number);
  if (!o.stop || shown.has(o.number)) return false;
  stop(o);
  return true;
}

// Shows *stop* over everything until a person confirms it.
async function stop(o) {
  shown.add(o.number);
  if (ui.open === o.number) ui.open = 0;
  sound.ring();
  if (ENDED.includes(o.state)) result("bad", t(o.state, { n: o.number }), o.number);
  await ask("stop-title", t("stopTitle"), (close) => [h("p", { class: "number" }, t(["cancelled", "taken"].includes(o.state) ? o.state : "stopOther", { n: o.number })), h("p", {}, t("stopText")),
    button("big wide", async (e) => {
      const button = e.target, me = await who();
      if (!me) return;
      button.disabled = true;
      const r = await post(o.number, "stopped", me);
      button.disabled = false;
      if (r.status !== 200) { button.textContent = t("tryAgain"); return; }   // until it is confirmed, nothing else
      close();
      put(r.body);
    }, t("stopSeen"), { id: "stopped" })], { class: "stop", firm: true, "data-stop": String(o.number) });
}

// Another tablet confirmed it: no need to ask here too.
export function closeStops() {
  for (const box of document.querySelectorAll("dialog[data-stop]")) {
    const o = orders.get(Number(box.dataset.stop));
    if (!o || !o.stop) dismiss(box);
  }
}
