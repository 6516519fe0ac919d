// deliveries.js - the feature `deliveries`: what suppliers send to the shop is
// counted by scans, and received by a press.
//
// The same press sends the same key again until an answer has come.
import { addTexts, t } from "./texts.js";
import { button, h } from "./dom.js";
import { actsFor, call, newKey } from "./api.js";
import { isItem, plain } from "./codes.js";
import { sure } from "./dialogs.js";
import { fullName, lineItem } from "./parts.js";
import { who } from "./people.js";
import { result } from "./results.js";
import { buzz, tick } from "./sound.js";
import { draw, ui } from "./ui.js";
import { openView } from "./views.js";

addTexts({
  en: { dMenu: "Deliveries", dNone: "No delivery waits.", dOne: "Delivery {number}", dPieces: "{n} piece announced|{n} pieces announced", dGoes: "Being received…", dScan: "Scan what came", dCounted: "{what}: {n} of {of}",
    dWrong: "{code} is not in this delivery", dNoEan: "No EAN: to be received in Centra", dCount: "How many {what} came", dGo: "Receive {n} of {of}", dNothing: "Nothing is counted yet.", dOver: "More came than was announced. Receive it all?",
    dShort: "{n} piece is missing, and stays announced. Receive what came?|{n} pieces are missing, and stay announced. Receive what came?", dYes: "Receive", dDone: "Delivery {number} is received.", dRest: "Delivery {number} is received. {n} piece stays announced.|Delivery {number} is received. {n} pieces stay announced.",
    dFirst: "Delivery {number} was received with your earlier count: {what}. Tell the office.",
    dLater: "Delivery {number}: kept. Centra is told by itself.", dLost: "Delivery {number}: no reply. Press again.", dGone: "Delivery {number} was received already.", dUnsure: "Delivery {number}: ask the office whether it is received.", dAll: "All deliveries" },
  sv: { dMenu: "Leveranser", dNone: "Ingen leverans väntar.", dOne: "Leverans {number}", dPieces: "{n} vara aviserad|{n} varor aviserade", dGoes: "Tas emot…", dScan: "Skanna det som kom", dCounted: "{what}: {n} av {of}",
    dWrong: "{code} finns inte i leveransen", dNoEan: "Ingen EAN: tas emot i Centra", dCount: "Hur många {what} kom", dGo: "Ta emot {n} av {of}", dNothing: "Inget är räknat än.", dOver: "Det kom fler än aviserat. Ta emot alla?",
    dShort: "{n} vara saknas och förblir aviserad. Ta emot det som kom?|{n} varor saknas och förblir aviserade. Ta emot det som kom?", dYes: "Ta emot", dDone: "Leverans {number} är mottagen.", dRest: "Leverans {number} är mottagen. {n} vara förblir aviserad.|Leverans {number} är mottagen. {n} varor förblir aviserade.",
    dFirst: "Leverans {number} togs emot med er tidigare räkning: {what}. Säg till kontoret.",
    dLater: "Leverans {number}: sparad. Centra får veta av sig självt.", dLost: "Leverans {number}: inget svar. Tryck igen.", dGone: "Leverans {number} är redan mottagen.", dUnsure: "Leverans {number}: fråga kontoret om den är mottagen.", dAll: "Alla leveranser" },
});

const NAME = "deliveries", MOST = 99999;
// {by, list, one, got: {ean: n}, note, busy, sent, key, lost: [{body, key}]}
// lost: what was sent without an answer; one of them may be booked.
let w = {};

const self = () => JSON.stringify(actsFor());
const fresh = () => ({ by: self(), list: null, one: null, got: {}, note: null, busy: false });
const mine = () => { if (w.by !== self()) w = fresh(); return w; };
const items = () => w.one.items.filter((l) => l.ean);
const units = () => items().reduce((n, l) => n + (w.got[l.ean] || 0), 0);

function say(good, text) { w.note = { good, text }; (good ? tick : buzz)(); draw(); }

// Reads `path` and hands its body to take(); says why it cannot be read.
async function read(path, take) {
  const x = Object.assign(w, { busy: true, note: null });
  draw();
  const r = await call("GET", `/api/v1/deliveries${path}`);
  if (x !== w) return;
  w.busy = false;
  if (r.status === 200) { take(r.body); draw(); } else say(false, t(r.status ? "failed" : "offlineNow"));
}

const all = () => { w = fresh(); read("", (b) => { w.list = b.deliveries; }); };
const openOne = (d) => read(`/${d.id}`, (b) => { Object.assign(w, { one: b, got: {} }); scrollTo(0, 0); });

const fieldOf = (l) => document.getElementById(`came-${w.one.items.indexOf(l)}`);
const typed = (l, text) => { w.got[l.ean] = Math.min(Number(text.replace(/\D/g, "")) || 0, MOST); };
// The field shows it, too, also if it has the focus.
function put(l, n) { w.got[l.ean] = n; if (fieldOf(l)) fieldOf(l).value = n; }

export function scanned(code) {
  mine();
  if (!w.one || w.busy) { buzz(); return undefined; }
  for (const x of items()) if (fieldOf(x)) typed(x, fieldOf(x).value);   // no event has told it yet
  const l = items().find((x) => isItem(code, x)), before = l && w.got[l.ean];
  if (!l) { say(false, t("dWrong", { code: plain(code) })); return undefined; }
  put(l, Math.min(before + 1, MOST));
  say(w.got[l.ean] <= l.quantity, t("dCounted", { what: fullName(l), n: w.got[l.ean], of: l.quantity }));
  return () => { put(l, before); w.note = null; draw(); };
}

// True if what was counted is to be received, after questions about what differs.
async function agreed() {
  const short = items().reduce((n, l) => n + Math.max(0, l.quantity - (w.got[l.ean] || 0)), 0);
  if (items().some((l) => (w.got[l.ean] || 0) > l.quantity) && !(await sure(t("dOver"), t("dYes")))) return false;
  return !short || sure(t("dShort", { n: short }), t("dYes"));
}

// What is booked of delivery `x.one` instead of `body`, as a text: an answer was
// lost, and then the count changed.  "": another device was first.
async function booked(x, body) {
  const of = (items, ean) => items.find((i) => i.ean === ean)?.quantity ?? 0;
  for (const l of x.lost ?? []) {
    const r = await call("POST", `/api/v1/deliveries/${x.one.id}/receive`, l.body, l.key), is = r.body?.items;
    if (![200, 202].includes(r.status)) continue;
    return x.one.items.filter((i) => i.ean && of(is, i.ean) !== of(body.items, i.ean))
      .map((i) => t("lineNow", { what: fullName(i), to: of(is, i.ean), from: of(body.items, i.ean) })).join("; ");
  }
  return "";
}

async function send() {
  if (!units()) { say(false, t("dNothing")); return; }
  const x = w, { id, number } = w.one, me = (await agreed()) && (await who());
  if (!me || x !== w || w.busy) return;
  const body = { for: actsFor(), ...me, items: items().filter((l) => w.got[l.ean]).map((l) => ({ ean: l.ean, quantity: w.got[l.ean] })) };
  if (w.sent !== JSON.stringify(body)) Object.assign(w, { sent: JSON.stringify(body), key: newKey() });
  Object.assign(w, { busy: true, note: null });
  draw();
  const r = await call("POST", `/api/v1/deliveries/${id}/receive`, body, w.key), code = r.body?.code, rest = r.body?.rest;
  x.busy = false;
  if (x !== w) return;
  if (r.status === 200 || r.status === 202) {
    result(r.status === 200 ? "good" : "warn", t(r.status === 202 ? "dLater" : rest ? "dRest" : "dDone", { number, n: rest?.units }));
    tick();
    all();
  } else if (!r.status || r.status >= 500 || r.status === 429) {
    w.lost = [...(w.lost ?? []), { body, key: w.key }];
    say(false, t("dLost", { number }));
  } else if (["received", "gone"].includes(code)) {
    const what = await booked(x, body);
    result("bad", t(what ? "dFirst" : "dGone", { number, what }));
    all();
  } else if (code === "unsure") {
    result("bad", t("dUnsure", { number }));
    all();
  }
  else { w.sent = ""; say(false, `${t("failed")} ${r.body?.detail ?? ""}`); }
}

const noteBox = () => (w.note ? h("p", { class: `state ${w.note.good ? "good" : "bad"}`, role: "alert" }, w.note.text) : null);

function line(l, i) {
  const n = w.got[l.ean] || 0, id = `came-${i}`, item = lineItem(l, n >= l.quantity && n > 0);
  if (!l.ean) { item.querySelector(".grow").append(h("span", { class: "soft" }, t("dNoEan"))); return item; }
  const input = h("input", { id, "data-part": id, type: "text", inputMode: "numeric", size: 4, maxLength: 5, autocomplete: "off", value: String(n), "aria-label": t("dCount", { what: fullName(l) }),
    onchange: () => { typed(l, input.value); w.note = null; draw(); } });
  input.style.width = "5em";
  item.append(input);
  return item;
}

const delivery = () => [
  h("div", { class: "scanbox" }, h("label", { htmlFor: "scan" }, t("dScan")),
    h("input", { id: "scan", autofocus: true, autocomplete: "off", enterKeyHint: "done", "data-part": "scan", "data-scan": "" }), noteBox()),
  h("ul", { class: "lines" }, w.one.items.map(line)),
  button("go big wide", send, t("dGo", { n: units(), of: items().reduce((n, l) => n + l.quantity, 0) }), { disabled: w.busy, "data-part": "receive" }),
  button("wide", all, t("dAll"), { "data-part": "all" })];

const list = () => [noteBox(), w.list && !w.list.length ? h("p", { class: "empty" }, t("dNone")) : null,
  h("ul", { class: "lines" }, (w.list ?? []).map((d) => h("li", {}, h("span", { class: "grow" }, h("strong", {}, t("dOne", d)),
    h("span", { class: "row soft" }, [d.supplier, t("dPieces", { n: d.units }), d.expected].filter(Boolean).map((x) => h("span", {}, x)))),
  d.receiving ? h("span", { class: "soft" }, t("dGoes")) : button("", () => openOne(d), t("open"), { "data-part": `open${d.id}`, "aria-label": `${t("open")}: ${t("dOne", d)}` }))))];

export const view = () => ({ key: NAME, sign: JSON.stringify(mine()), make: () => h("section", { class: "card stack" },
  button("quiet", () => { ui.open = 0; draw(); }, `← ${t("back")}`, { "data-part": "back" }),
  h("h2", {}, w.one ? t("dOne", w.one) : t("dMenu")), w.busy ? h("p", { class: "spin" }, "…") : w.one ? delivery() : list()) });

export const menu = (close) => button("big", () => { close(); openView(NAME); all(); }, t("dMenu"), { id: "to-deliveries" });
