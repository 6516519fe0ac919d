// views.js - draws the page: the tabs, and the list or the order that is open.
import { h, $, keep } from "./dom.js";
import { t } from "./texts.js";
import { session } from "./api.js";
import * as answer from "./answer.js";
import { syncHistory } from "./back.js";
import { drawBar } from "./bar.js";
import { isOrder, plain } from "./codes.js";
import { sayInDialog } from "./dialogs.js";
import { doneCards } from "./done.js";
import { feature } from "./extras.js";
import { toAnswer, toShip } from "./lists.js";
import { link, now, orders } from "./live.js";
import { age, leftClass, leftText, untilText } from "./parts.js";
import { drawLock } from "./people.js";
import { result, viewClosed, viewOpened } from "./results.js";
import { touched } from "./ringing.js";
import { UNREAD } from "./scanner.js";
import * as ship from "./ship.js";
import { buzz, tick } from "./sound.js";
import { closeStops } from "./stops.js";
import { closeTimelines } from "./timeline.js";
import { draw, drawnBy, ui } from "./ui.js";

const STILL_MS = 1200;

function tabs() {
  const counts = { toAnswer: toAnswer().length, toShip: toShip().length };
  keep($("tabs"), ["toAnswer", "toShip", "done"].map((k) => ({ key: k, sign: `${ui.tab === k}${counts[k]}`,
    make: () => h("button", { role: "tab", id: `tab-${k}`, "aria-selected": String(ui.tab === k), "aria-controls": "main",
      tabIndex: ui.tab === k ? 0 : -1, onkeydown: arrow, onclick: () => { ui.tab = k; ui.open = 0; closeTimelines(); touched(); draw(); scrollTo(0, 0); } },
      counts[k] ? `${t(k)} (${counts[k]})` : t(k)) })));
  $("main").setAttribute("role", "tabpanel");
  $("main").setAttribute("aria-labelledby", `tab-${ui.tab}`);
  document.title = counts.toAnswer ? `(${counts.toAnswer}) ${t("toAnswer")}` : "shipfrom";
}

function arrow(e) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
  if (!step) return;
  const all = [...$("tabs").children], next = all[(all.indexOf(e.target) + step + all.length) % all.length];
  next.click();
  $("tabs").querySelector("[aria-selected=true]").focus();
}

const openOrder = () => {
  const o = ui.open && orders.get(ui.open);
  return o && o.state === "accepted" && !o.shipped ? o : null;
};

// While the screen is being touched nothing moves: new cards wait at the end.
function still(items) {
  if (Date.now() - ui.touched > STILL_MS) return items;
  const at = new Map([...$("main").children].map((el, i) => [el.dataset.key, i]));
  const place = (x) => at.get(String(x.key)) ?? Infinity;
  return items.map((x, i) => [x, i]).sort(([a, i], [b, j]) => (place(a) === place(b) ? i - j : place(a) - place(b))).map(([x]) => x);
}

function listCards() {
  if (ui.tab === "toAnswer") return still(answer.cards());
  return ui.tab === "toShip" ? toShip().map((x) => ship.card(x, openView)) : doneCards();
}

function drawAll() {
  if (!session.me) return;
  closeStops();
  if (ui.locked) { drawLock(); return; }
  tabs();
  drawOffline();
  const box = $("main"), o = openOrder(), other = feature(ui.open)?.view();
  if (!o && !other && ui.open) {
    const closed = ui.open;
    ui.open = 0;
    viewClosed(closed, false);
  }
  const items = o ? [ship.view(o, () => { viewClosed(o.number, true); ui.open = 0; draw(); })] : other ? [other] : listCards();
  box.className = o || other ? "" : "cards";
  keep(box, items.length ? items : [{ key: "none", sign: `${ui.tab}${!link.since}`, make: () => h("p", { class: "empty" }, !link.since ? "…" : t({ toAnswer: "noneToAnswer", toShip: "noneToShip", done: "noneDone" }[ui.tab])) }]);
  drawBar();
  syncHistory();
}

// Opens the view of order `n`, or of the feature of that name.
export function openView(n) { closeTimelines(); viewOpened(n); ui.open = n; draw(); scrollTo(0, 0); $("main").querySelector("[autofocus]")?.focus(); }

// At the sign-in page a scanned link goes into its field.
function enrol(code) {
  if ($("code")) { $("code").value = plain(code); tick(); } else buzz();
}

let undo = null;   // takes back what the last code did

// A scanner read `code`, wherever the focus is.  again: the code before was only
// its beginning.
export function takeScan(code, again) {
  ui.touched = Date.now();
  if (again) undo?.();
  undo = null;
  const no = (text) => { buzz(); undo = result("warn", text); };
  if (sayInDialog(t("scanDialog"))) { buzz(); return; }
  if (code.includes(UNREAD)) { no(t("scanUnread")); return; }
  if (!session.me) { enrol(code); return; }
  const o = openOrder(), here = feature(ui.open), wanted = toShip().find((x) => isOrder(code, x)), other = [...orders.values()].find((x) => isOrder(code, x));
  if (o) undo = ship.scanned(o, code);
  else if (here) undo = here.scanned(code);
  else if (wanted) {
    const { tab } = ui;
    undo = () => { viewClosed(wanted.number, false); ui.open = 0; ui.tab = tab; draw(); };
    ui.tab = "toShip";
    tick();
    openView(wanted.number);
  }
  else no(other ? t("scanGone", { n: other.number }) : t("scanList", { code: plain(code) }));
}

function drawOffline() {
  $("offline").hidden = !link.lost;
  $("offline").textContent = !link.lost ? "" : link.since ? t("offline", { age: age(performance.now() - link.since) }) : t("offlineNow");
}

// Brings the times on the page up to date.
export function drawTimes() {
  for (const el of document.querySelectorAll("[data-deadline]")) {
    const ms = Number(el.dataset.deadline) - now(), text = leftText(ms), c = leftClass(ms);
    if (el.textContent !== text) el.textContent = text;
    if (el.className !== c) el.className = c;
  }
  for (const el of document.querySelectorAll("[data-until]")) el.textContent = untilText(el.dataset.text, el.dataset.until);
}

drawnBy(drawAll);
