// answer.js - offers to answer: the cards, and getting an answer to the server
// exactly once or saying that it did not.
import { button, h } from "./dom.js";
import { t } from "./texts.js";
import { actsFor, newKey, once, post, session } from "./api.js";
import { lineText, linesChanged, shownOf } from "./changes.js";
import { askReason } from "./dialogs.js";
import { featureNames, fromFeatures, load } from "./extras.js";
import { answered } from "./guard.js";
import { deadline, ENDED, isOpen, toAnswer } from "./lists.js";
import { link, now, put } from "./live.js";
import { heading, leftClass, leftText, lineItem, state, untilText } from "./parts.js";
import { who } from "./people.js";
import { holdNotices, result, small } from "./results.js";
import { buzz } from "./sound.js";
import { forBrowser } from "./storage.js";
import { draw } from "./ui.js";

const UNDO_MS = 5000, KEEP_MS = 120000, STAY_MS = 3000, CALM_MS = 1200;
const SAVED = "answer.", COUNTS = "count.";   // as count.js
// number -> {verb, count, body, key, shown, born, at, wait, keep, tried, busy, by}; survives
// a reload.  shown: the order as the card showed it.  born, at: when it was given, by
// the device's clock and the page's; wait, keep: ms until it is sent, and given up.
// by: who gave it, as `self` says; nobody else sends it.
export const pending = new Map();

const self = () => Object.values(actsFor()).join(" ");
const keptFor = (n) => `${SAVED}${self()}.${n}`;
function save(n) { forBrowser.write(keptFor(n), { ...pending.get(n), busy: false, shown: undefined }); }
function drop(n) { pending.delete(n); forBrowser.drop(keptFor(n)); draw(); }

// Reads the answers given before the page was loaded.  One that another device
// gave is not sent, and said so.
export function restore() {
  pending.clear();
  for (const k of forBrowser.keys(SAVED)) {
    const p = forBrowser.read(k, {}), n = Number(k.slice(k.lastIndexOf(".") + 1));
    if (p.by === self() && k === keptFor(n)) {
      pending.set(n, { wait: 0, keep: 0, ...p, busy: false, at: performance.now() - Math.max(0, Date.now() - p.born) });
      continue;
    }
    forBrowser.drop(k);
    if (n && p.verb) result("bad", t("otherSend", { n, shop: p.shop || "–" }));
  }
}

// Orders whose answer has not arrived, as far as is known.
export const waiting = () => [...pending.keys()];
// Forgets them on this page.  Storage keeps them for the device that gave them.
export const forget = () => pending.clear();

// number -> texts: what changed since the answer that the server did not take.
const differs = new Map();

// o: the order as the card shows it.  Only what it shows can have changed.
async function accept(o) {
  const me = await who();
  if (me) begin(o, "accept", { ...me, version: o.lines_known ? o.version : undefined }, 0);
}

async function reject(o) {
  const body = await askReason(t("whyNot"), ["out_of_stock", "damaged", "cannot_find", "too_busy", "other"]);
  const me = body && await who();
  if (!me) return;
  begin(o, "reject", { ...body, ...me }, UNDO_MS);
  if (body.reason === "out_of_stock") askCount(o);
}

// Asks how many are there, if the shop wants it (count.js).  The answer has been
// given, and waits meanwhile: what closes the question changes nothing of it.
async function askCount(o) {
  const p = pending.get(o.number), hold = (ms) => { if (pending.get(o.number) === p && isEarly(p)) delay(o, p, ms); };
  const said = p && isEarly(p) && await fromFeatures("counts", o, deadline(o) - now(), (ms) => hold(ms + UNDO_MS))[0];
  if (!said) return;
  if (said.items) p.count = said;
  if (pending.get(o.number) !== p || p.tried) keepCount(o.number, p); else delay(o, p, UNDO_MS);
}

// The answer is sent in `ms`.
function delay(o, p, ms) {
  const gone = performance.now() - p.at;
  Object.assign(p, { wait: gone + ms, keep: gone + keepMs(o, ms) });
  save(o.number);
  draw();
  setTimeout(pump, ms + 10);
}

// Leaves the saved count of an answer, which has gone, to count.js.
function keepCount(n, { count, body }) {
  if (count) forBrowser.write(COUNTS + newKey(), { n, born: Date.now(), body: { ...count, staff: body.staff, for: body.for } });
}

// How long an answer is kept that waits `undo` ms: to the deadline, unless that had
// passed when it was pressed.
function keepMs(o, undo) {
  const left = deadline(o) - now();
  return Math.min(KEEP_MS, left > 0 ? Math.max(left, undo + 1000) : 10000);
}

function begin(o, verb, body, undo) {
  if (pending.has(o.number)) return;
  answered();
  holdNotices(CALM_MS);
  differs.delete(o.number);
  pending.set(o.number, { verb, body: { ...body, for: actsFor() }, key: newKey(), shown: shownOf(o), born: Date.now(), at: performance.now(), wait: undo, tried: false, busy: false, by: self(), shop: session.me.shop.name,
    keep: keepMs(o, undo) });
  save(o.number);
  draw();
  if (!undo && link.up) send(o.number);
  else setTimeout(pump, undo + 10);
}

const isEarly = (p) => performance.now() < p.at + p.wait;

// Sends what can be sent, and forgets what another tab undid or sent.  Called each second, and when the connection comes back.
export function pump() {
  if (!session.me) return;
  if (forBrowser.keys(COUNTS).length) load("count").then((m) => m.sendCounts(), () => {});
  for (const [n, p] of pending) {
    if (p.busy) continue;
    if (!forBrowser.read(keptFor(n))) drop(n);
    else if (Math.max(performance.now() - p.at, Date.now() - p.born) > p.keep) {   // the page's stops in sleep
      drop(n);
      keepCount(n, p);
      result("bad", t(p.tried ? "unsureSend" : "droppedSend", { n }), n);
    } else if (!isEarly(p) && link.up) send(n);
  }
}

async function send(n) {
  const p = pending.get(n);
  if (!p || p.busy) return;
  p.tried = true;
  save(n);
  const asked = post(n, p.verb, p.body, p.key, once);
  p.busy = true;
  draw();
  const r = await asked;
  if (pending.get(n) !== p) return;   // signed out meanwhile
  if ([0, 429, 503].includes(r.status)) {
    p.busy = false;
    p.wait = performance.now() - p.at + (r.retryAfter || 2) * 1000;
    draw();
    return;
  }
  const body = r.body || {};
  if (body.code === "changed" && body.order) askAgain(p, body.order);
  drop(n);
  keepCount(n, p);
  if (r.status === 200 || r.status === 202) { put(body); return; }
  if (body.order) put(body.order);
  if (body.code === "changed" && body.order) return;     // the card says so, and why
  if (body.code === "refused") { result("bad", `${t("order", { n })}. ${t("refused")}`, n, t("centraSays", { why: body.detail })); return; }
  if (body.code === "misdirected") { result("bad", t("otherSend", { n, shop: p.shop }), n); return; }
  const known = [...ENDED, "answered", "changed"].includes(body.code) ? body.code : r.status === 404 ? "rejected" : "failed";
  result("bad", t(known, { n }), n, body.detail);
}

// The order differs from the card: the card says how, and the person decides
// anew.
function askAgain(p, o) {
  const is = shownOf(o), lines = p.shown && is ? linesChanged(p.shown, is) : [];
  differs.set(o.number, lines.length ? lines.map(lineText) : [t("otherChanged")]);
  buzz();
}

/* ---- showing ---- */

// number -> {o, until}: an offer that has just ended stays in its place, so that
// the list does not move under a finger.
const leaving = new Map();

// An order changed from `had` to `o`.
export function watchEnd(o, had) {
  if (isOpen(o)) leaving.delete(o.number);
  else if (had && isOpen(had)) {
    leaving.set(o.number, { o: { ...o, expires_at: had.expires_at }, until: performance.now() + STAY_MS });
    holdNotices(STAY_MS + 10);
    setTimeout(draw, STAY_MS + 10);
  }
}

// The cards of the tab, as keep() takes them.
export function cards() {
  for (const [n, l] of leaving) if (performance.now() >= l.until) leaving.delete(n);
  const ended = [...leaving.values()].map((l) => l.o);
  return [...toAnswer(), ...ended].sort((a, b) => deadline(a) - deadline(b) || a.number - b.number)
    .map((o) => (leaving.has(o.number) ? endedCard(o) : card(o)));
}

// The card's present height, in CSS, so that its replacement moves nothing.
const asHigh = (n) => `${document.querySelector(`#main > [data-key="${n}"]`)?.getBoundingClientRect().height ?? 0}px`;

function card(o) {
  const p = pending.get(o.number), made = openCard(o);
  const waits = p || ["accepting", "rejecting"].includes(o.state);
  return { ...made, make: () => { const el = made.make(); if (waits) el.style.minHeight = asHigh(o.number); return el; } };
}

// A shop that said no itself is told so, not warned.
const endedCard = (o) => ({ key: o.number, sign: `ended ${o.state} ${o.answer}`, make: () => {
  const no = o.state === "rejected" && o.answer === "reject";
  const el = h("article", { class: "card", "aria-label": t("order", { n: o.number }) },
    heading(o.number),
    h("p", { class: `state ${o.state === "accepted" ? "good" : no ? "" : "bad"}` }, t(no ? "rejectedBy" : o.state, { n: o.number })));
  el.style.minHeight = asHigh(o.number);
  return el;
} });

const countdown = (key, until) => h("p", { class: "state warn", "data-until": until, "data-text": key }, untilText(key, until));

function actions(o) {
  const p = pending.get(o.number);
  const undo = p && isEarly(p) && !p.tried && p.verb === "reject";
  if (undo) {
    return [countdown("rejectIn", p.at + p.wait),
      button("wide", () => drop(o.number), t("undo"), { "data-part": "undo" }),
      p.body.reason === "out_of_stock" && !p.count && fromFeatures("countButton", o, deadline(o) - now(), () => askCount(o))].flat();
  }
  if (p && !p.busy && (p.tried || !link.up)) return [countdown(link.up ? "busySend" : "waitingSend", p.at + p.keep)];
  if (o.state === "accepting" || p?.verb === "accept") return [state("spin", p ? "asking" : "askingLong")];
  if (o.state === "rejecting" || p) return [state("spin", "rejecting")];
  const n = o.number;
  return [
    differs.has(n) ? h("div", { class: "state bad", role: "alert" }, h("p", {}, t("decideAgain")), h("ul", {}, differs.get(n).map((x) => h("li", {}, x)))) : null,
    o.state === "refused" ? h("div", { class: "state bad" }, h("p", {}, t("refused")), small(o.refusal && t("centraSays", { why: o.refusal }))) : null,
    deadline(o) <= now() ? state("warn", "pastNote") : null,
    h("p", { class: "soft" }, t("acceptSure")),
    h("div", { class: "actions" },
      button("go big", () => accept(o), t(o.state === "refused" ? "tryAgain" : "accept"), { "data-part": "accept" }),
      button("no big", () => reject(o), t("cant"), { "data-part": "reject" }))];
}

function openCard(o) {
  const p = pending.get(o.number), past = deadline(o) <= now();
  const sign = JSON.stringify([o, p && [p.verb, p.busy, p.tried, isEarly(p), p.wait, p.count], link.up, past, differs.get(o.number), featureNames()]);
  return { key: o.number, sign, make: () => h("article", { class: "card", "aria-label": t("order", { n: o.number }) },
    h("div", { class: "row" },
      heading(o.number, " grow"),
      h("span", { class: leftClass(deadline(o) - now()), "data-deadline": String(deadline(o)) }, leftText(deadline(o) - now()))),
    o.city ? h("p", { class: "soft grow" }, t("to", { city: o.city })) : null,
    o.lines_known ? h("ul", { class: "lines" }, o.lines.map((l) => lineItem(l))) : h("p", { class: "soft spin" }, t("loadingLines")),
    actions(o)) };
}
