// back.js - Back closes what is over the list: a dialog that may be closed, else
// the open order.
//
// While something is open, entries of our own are at the end of the history: one,
// or several below a dialog that has to be answered, since Back may be pressed
// again before the page has heard of it.  Back removes one; we remove the rest
// when nothing is open any more.
import { $ } from "./dom.js";
import { closeTop, isHeld } from "./dialogs.js";
import { viewClosed } from "./results.js";
import { draw, ui } from "./ui.js";

const FIRM = 10;
let leaving = false;   // we asked the browser to go back, and it has not yet

const depth = () => history.state?.above ?? 0;
const open = () => !!ui.open || !!$("dialogs").firstChild;

// Makes the history fit to what is open.
export function syncHistory() {
  if (leaving) return;
  if (!open()) {
    leaving = depth() > 0;
    if (leaving) history.go(-depth());
    return;
  }
  const wanted = isHeld() ? FIRM : 1;
  for (let n = depth() + 1; n <= wanted; n++) history.pushState({ above: n }, "");
}

function onBack() {
  if (leaving) leaving = false;
  else if (!closeTop() && ui.open) {
    viewClosed(ui.open, true);
    ui.open = 0;
    draw();
  }
  syncHistory();
}

export function watchBack() {
  addEventListener("popstate", onBack);
  new MutationObserver(syncHistory).observe($("dialogs"), { childList: true });
  syncHistory();
}
