// returns.js - the feature `returns`: a customer gives goods of an online order
// back.  The view shows the order's lines, and nothing of the customer.
//
// A scan opens an order or counts an item; only a press takes goods back.  The
// same press sends the same key again until an answer has come.
import { addTexts, t } from "./texts.js";
import { button, h } from "./dom.js";
import { actsFor, call, newKey, session } from "./api.js";
import { isItem, plain } from "./codes.js";
import { lineItem, fullName } from "./parts.js";
import { who } from "./people.js";
import { result } from "./results.js";
import { buzz, tick } from "./sound.js";
import { draw, ui } from "./ui.js";
import { openView } from "./views.js";

addTexts({
  en: { rMenu: "Return", rTitle: "Goods that a customer gives back", rOrder: "Scan the packing slip, or type the order’s number", rScan: "Scan each item that comes back",
    rNone: "No order {n} is known.", rNothing: "Nothing of order {n} can be given back.", rNotHere: "{code} is no order. Scan the packing slip.", rWrong: "{code} is not in this order", rAll: "No more of {what} can be given back",
    rWhy: "Why?", rChoose: "Choose a reason", rAgain: "Can be sold again", rBroken: "Cannot be sold", rGo: "Take it back", rGoN: "Take back {n} piece|Take back {n} pieces",
    rPick: "Nothing is scanned yet.", rReason: "Choose a reason for each item.", rState: "Say whether it can be sold again.", rDone: "Order {n}: taken back. The office refunds it.",
    rLater: "Order {n}: kept. It is booked by itself.", rLost: "Order {n}: no reply. Press again.", rUnsure: "Order {n}: ask the office what is booked.", rTooMany: "Order {n}: more than what was shipped and not given back. Look again.",
    too_small: "Too small", too_large: "Too large", not_as_expected: "Not as expected", wrong_item: "Wrong item came", changed_mind: "Changed their mind", rOther: "Another order", rAway: "Centra does not answer. Try again." },
  sv: { rMenu: "Retur", rTitle: "Varor som en kund lämnar tillbaka", rOrder: "Skanna följesedeln eller skriv ordernumret", rScan: "Skanna varje vara som lämnas tillbaka",
    rNone: "Ingen order {n} är känd.", rNothing: "Inget i order {n} kan lämnas tillbaka.", rNotHere: "{code} är ingen order. Skanna följesedeln.", rWrong: "{code} finns inte i ordern", rAll: "Fler av {what} kan inte lämnas tillbaka",
    rWhy: "Varför?", rChoose: "Välj en orsak", rAgain: "Kan säljas igen", rBroken: "Kan inte säljas", rGo: "Ta tillbaka", rGoN: "Ta tillbaka {n} vara|Ta tillbaka {n} varor",
    rPick: "Inget är skannat än.", rReason: "Välj en orsak för varje vara.", rState: "Ange om den kan säljas igen.", rDone: "Order {n}: tillbakatagen. Kontoret betalar tillbaka.",
    rLater: "Order {n}: sparad. Den bokas av sig självt.", rLost: "Order {n}: inget svar. Tryck igen.", rUnsure: "Order {n}: fråga kontoret vad som är bokat.", rTooMany: "Order {n}: fler än vad som skickats och inte lämnats tillbaka. Titta igen.",
    too_small: "För liten", too_large: "För stor", not_as_expected: "Inte som väntat", wrong_item: "Fel vara kom", changed_mind: "Ångrade sig", rOther: "En annan order", rAway: "Centra svarar inte. Försök igen." },
});

const NAME = "returns";
const REASONS = ["too_small", "too_large", "not_as_expected", "damaged", "wrong_item", "changed_mind", "other"];
// {by, n, lines, got: {line_id: n}, why: {line_id: reason}, restock, note, busy, sent, key, lost}
// lost: no answer has come, so what was sent may be booked: nothing is added to it.
let w = {};

const self = () => JSON.stringify(actsFor());
const fresh = () => ({ by: self(), n: 0, lines: null, got: {}, why: {}, restock: null, note: null, busy: false });
// Of another device than the one that is signed in nothing is left.
const mine = () => { if (w.by !== self()) w = fresh(); return w; };
const taken = () => w.lines.filter((l) => w.got[l.line_id]);
const units = () => taken().reduce((n, l) => n + w.got[l.line_id], 0);

function say(good, text) { w.note = { good, text }; (good ? tick : buzz)(); draw(); }

// The number of an order, from its barcode (instance/number) or as it is typed; 0: none.
function orderOf(code) {
  const text = plain(code).toLowerCase(), { instance } = session.me;
  if (/^\d{1,10}$/.test(text)) return Number(text);
  const sign = (s) => s.toLowerCase().replace(/[^0-9a-z]/g, "?"), start = sign(`${instance}/`);
  return sign(text).startsWith(start) && /^\d{1,15}$/.test(text.slice(start.length)) ? Number(text.slice(start.length)) : 0;
}

async function read(n) {
  const x = Object.assign(w = fresh(), { busy: true });
  draw();
  const r = await call("GET", `/api/v1/returns?order=${n}`);
  if (x !== w) return;
  w.busy = false;
  const lines = r.status === 200 && r.body.lines.filter((l) => l.returnable > 0);
  if (!lines) say(false, t(r.status === 404 ? "rNone" : r.status === 503 ? "rAway" : r.status ? "failed" : "offlineNow", { n }));
  else if (!lines.length) say(false, t("rNothing", { n }));
  else { Object.assign(w, { n, lines }); tick(); draw(); }
}

function count(l, more) {
  if (w.lost) { say(false, t("rLost", w)); return; }
  const n = (w.got[l.line_id] || 0) + more;
  w.got[l.line_id] = n > l.returnable ? 0 : n;
  w.why[l.line_id] ||= Object.values(w.why).at(-1);
  w.note = null;
  draw();
}

export function scanned(code) {
  mine();
  if (w.busy) { buzz(); return undefined; }
  if (!w.lines) {
    const n = orderOf(code);
    if (n) read(n); else say(false, t("rNotHere", { code: plain(code) }));
    return undefined;
  }
  const same = w.lines.filter((l) => isItem(code, l)), l = same.find((x) => (w.got[x.line_id] || 0) < x.returnable), before = { ...w.got };
  if (w.lost) { say(false, t("rLost", w)); return undefined; }
  if (l) { count(l, 1); tick(); return () => { w.got = before; draw(); }; }
  if (same.length) say(false, t("rAll", { what: fullName(same[0]) }));
  else say(false, t("rWrong", { code: plain(code) }));
  return undefined;
}

async function send() {
  const missing = !units() ? "rPick" : taken().some((l) => !w.why[l.line_id]) ? "rReason" : w.restock === null ? "rState" : "";
  if (missing) { say(false, t(missing)); return; }
  const x = w, me = await who();
  if (!me || x !== w || w.busy) return;
  const { n } = w, body = w.lost ? JSON.parse(w.sent) : { order: n, restock: w.restock, for: actsFor(), ...me,
    lines: taken().map((l) => ({ line_id: l.line_id, quantity: w.got[l.line_id], reason: w.why[l.line_id] })) };
  if (w.sent !== JSON.stringify(body)) Object.assign(w, { sent: JSON.stringify(body), key: newKey() });
  Object.assign(w, { busy: true, note: null });
  draw();
  const r = await call("POST", "/api/v1/returns", body, w.key), code = r.body?.code;
  x.busy = false;
  if (x !== w) return;
  if (r.status === 200 || r.status === 202) {
    w = fresh();
    result(r.status === 200 ? "good" : "warn", t(r.status === 200 ? "rDone" : "rLater", { n }));
    tick();
  } else if (!r.status || r.status >= 500 || r.status === 429) { w.lost = true; say(false, t("rLost", { n })); }
  else {
    Object.assign(w, { sent: "", lost: false });
    if (code === "unsure") { w = fresh(); result("bad", t("rUnsure", { n })); }
    else say(false, code === "too_many" || code === "not_shipped" ? t("rTooMany", { n }) : `${t("failed")} ${r.body?.detail ?? ""}`);
  }
  draw();
}

const noteBox = () => (w.note ? h("p", { class: `state ${w.note.good ? "good" : "bad"}`, role: "alert" }, w.note.text) : null);

const scanField = (text) => h("div", { class: "scanbox" }, h("label", { htmlFor: "scan" }, t(text)),
  h("input", { id: "scan", autofocus: true, autocomplete: "off", enterKeyHint: "done", "data-part": "scan", "data-scan": "" }), noteBox());

function line(l) {
  const n = w.got[l.line_id] || 0, item = lineItem({ ...l, quantity: l.returnable }, n > 0);
  item.append(button("", () => count(l, 1), `${n}/${l.returnable}`, { "data-part": `take${l.line_id}`, "aria-label": `${fullName(l)}: ${n} / ${l.returnable}` }));
  return item;
}

function reason(l) {
  const id = `why-${l.line_id}`, pick = h("select", { id, "data-part": id, oninput: () => { w.why[l.line_id] = pick.value; draw(); } },
    h("option", { value: "" }, t("rChoose")), REASONS.map((x) => h("option", { value: x, selected: w.why[l.line_id] === x }, t(x))));
  return [h("label", { htmlFor: id }, `${t("rWhy")} ${fullName(l)}`), pick];
}

const again = (yes, text) => button("grow", () => { w.restock = yes; w.note = null; draw(); }, `${w.restock === yes ? "✓ " : ""}${t(text)}`, { "aria-pressed": String(w.restock === yes), "data-part": text });

const order = () => [scanField("rScan"),
  h("ul", { class: "lines" }, w.lines.map(line)), ...taken().flatMap(reason),
  units() ? h("div", { class: "actions" }, again(true, "rAgain"), again(false, "rBroken")) : null,
  button("go big wide", send, units() ? t("rGoN", { n: units() }) : t("rGo"), { disabled: w.busy, "data-part": "give-back" }),
  button("wide", () => { w = fresh(); draw(); }, t("rOther"), { "data-part": "other-order" })];

export const view = () => ({ key: NAME, sign: JSON.stringify(mine()), make: () => h("section", { class: "card stack" },
  button("quiet", () => { ui.open = 0; draw(); }, `← ${t("back")}`, { "data-part": "back" }),
  h("h2", {}, w.lines ? `${t("rMenu")}: ${t("order", { n: w.n })}` : t("rTitle")),
  w.busy ? h("p", { class: "spin" }, "…") : w.lines ? order() : scanField("rOrder")) });

export const menu = (close) => button("big", () => { close(); mine(); openView(NAME); }, t("rMenu"), { id: "to-returns" });
