// ship.js - orders that are ours: pick, pack, ship.
import { button, h } from "./dom.js";
import { t } from "./texts.js";
import { newKey, post, session } from "./api.js";
import { addressChanged, lineText, linesChanged, shownOf } from "./changes.js";
import { isItem, isOrder, plain } from "./codes.js";
import { askReason, sure } from "./dialogs.js";
import { featureNames, load } from "./extras.js";
import { shield } from "./guard.js";
import { hasProblem } from "./lists.js";
import { link, orders, put } from "./live.js";
import { addressText, byText, fullName, heading, lineItem, state } from "./parts.js";
import { who } from "./people.js";
import { noticeOf, noticeSign, result, small, viewClosed } from "./results.js";
import { forBrowser, forTab } from "./storage.js";
import { buzz, ring, tick } from "./sound.js";
import { timeline } from "./timeline.js";
import { draw, ui } from "./ui.js";

// id -> {step, got: {line_id: n}, form, shown, changes, key, sent, version, busy,
// bare}; for this tab.  shown: the order as it was when its changes were last
// told; changes: texts that a person has not yet confirmed; bare: a person said
// that it goes without a tracking number.
const work = new Map(forTab.read("work", []).map(([id, w]) => [id, { ...w, busy: false }]));
const TRACKING_MAX = 128;
const CHANGED_MS = 1200;   // what changed cannot be confirmed before
let scanNote = null;   // {good, text}: what the last scan did

function keepWork() { forTab.write("work", [...work]); }
function save() { keepWork(); draw(); }

// What remains after a part was shipped is picked anew.
const idOf = (o) => `${o.number}/${(o.shipments || []).filter((s) => s.shipped_at).length}`;

function workOf(o) {
  const id = idOf(o);
  if (!work.has(id)) work.set(id, { step: "pick", got: {}, form: { packages: "1", ...forBrowser.read("carrier", {}) } });
  return work.get(id);
}

function go(w, step) { w.step = step; scanNote = null; save(); scrollTo(0, 0); }

const toDo = (o) => o.lines.filter((l) => l.quantity > 0);
const total = (o) => toDo(o).reduce((n, l) => n + l.quantity, 0);
const picked = (o, w) => toDo(o).map((l) => ({ ...l, quantity: Math.min(w.got[l.line_id] || 0, l.quantity) })).filter((l) => l.quantity);
const got = (o, w) => picked(o, w).reduce((n, l) => n + l.quantity, 0);
const bySystem = () => session.me.ship_with === "order_api";
const busyStage = (s) => bySystem() || (s && ["asked", "created", "captured"].includes(s.stage));

/* ---- an order that changes meanwhile ---- */

// Compares `o` with what was picked of it here; returns true if something that a
// person has to know is different.  Lines of a parcel that is under way are not
// in the order any more: then nothing is compared.
function changedSince(o, w) {
  const is = shownOf(o), was = w.shown;
  if (!is || busyStage(o.shipment) || o.shipment?.stage === "capture_failed") return false;
  w.shown = { lines: is.lines, address: is.address || was?.address || 0 };
  if (!was) return false;
  const lines = linesChanged(was, is), news = [];
  for (const l of lines) {
    const out = (w.got[l.line_id] || 0) - l.to;
    if (out > 0) w.got[l.line_id] = l.to;
    news.push(out > 0 ? t("takeOut", { k: out, what: lineText(l) }) : lineText(l));
  }
  if (lines.length) w.step = "pick";
  if (addressChanged(was, is)) news.push(t("addressChanged"));
  w.changes = [...(w.changes || []), ...news];
  return news.length > 0;
}

// Called with each order that comes.  One that changed while it is picked,
// packed or at ship here goes back to picking, rings, and says what to take out.
export function follow(o) {
  const w = work.get(idOf(o));
  if (!w || o.state !== "accepted" || o.shipped) return;
  const had = JSON.stringify(w.shown);
  if (changedSince(o, w)) {
    scanNote = null;
    ring();
    if (ui.open === o.number) { scrollTo(0, 0); shield(CHANGED_MS); }
    else result("bad", t("changed", { n: o.number }), o.number);
  }
  if (JSON.stringify(w.shown) !== had) keepWork();
}

const changesBox = (o, w) => h("div", { class: "state bad stack", role: "alert" },
  h("strong", {}, t("changedTitle")), h("ul", {}, w.changes.map((x) => h("li", {}, x))),
  button("wide", () => { w.changes = []; viewClosed(o.number, true); save(); }, t("changeSeen"), { "data-part": "changed" }));

/* ---- pick ---- */

const note = (good, text) => { scanNote = { good, text }; (good ? tick : buzz)(); };

function count(o, w, code) {
  const same = toDo(o).filter((l) => isItem(code, l));
  const line = same.find((l) => (w.got[l.line_id] || 0) < l.quantity);
  if (line) {
    w.got[line.line_id] = (w.got[line.line_id] || 0) + 1;
    note(true, t("scanned", { what: fullName(line), n: w.got[line.line_id], of: line.quantity }));
  } else note(false, t(same.length ? "tooMany" : "wrongScan", { code: plain(code), what: same[0] ? fullName(same[0]) : code }));
  return line || same[0];
}

function track(o, w, code) {
  const number = plain(code).replace(/[^ -~]/g, "").slice(0, TRACKING_MAX);
  if (o.lines.some((l) => isItem(code, l)) || [...orders.values()].some((x) => isOrder(code, x))) note(false, t("notTracking", { code: number }));
  else {
    w.form.tracking = document.getElementById("f-tracking").value = number;
    note(true, t("tracked", { t: number }));
  }
}

// A scanner read `code` while order `o` is open.  Returns a function that takes
// back what that did.
export function scanned(o, code) {
  const w = workOf(o), before = { got: { ...w.got }, form: { ...w.form } };
  if (w.busy || isStopped(o)) { buzz(); return result("warn", t("scanNotNow")); }
  let line = null;
  if (w.step === "pick") line = count(o, w, code);
  else if (w.step === "ship") track(o, w, code);
  else note(false, t("scanPack", { code: plain(code) }));
  save();
  showLine(line);
  return () => {
    Object.assign(w, before);
    const field = document.getElementById("f-tracking");
    if (field) field.value = w.form.tracking ?? "";
  };
}

// Scrolls the line to where it can be seen, below the field and its note.
function showLine(l) {
  const item = l && document.querySelector(`#main [data-line="${l.line_id}"]`);
  if (!item) return;
  item.style.scrollMarginTop = `${document.querySelector(".scanbox").offsetHeight + 8}px`;
  item.scrollIntoView({ block: "nearest" });
}

const scanSays = () => (scanNote ? h("p", { class: `state ${scanNote.good ? "good" : "bad"}`, role: "alert" }, scanNote.text) : null);

function pickStep(o, w) {
  if (o.lines_known && !total(o) && !o.shipment) return [state("bad", "nothingLeft")];
  return [
    h("div", { class: "scanbox" }, h("label", { htmlFor: "scan" }, t("scan")),
      h("input", { id: "scan", autofocus: true, autocomplete: "off", enterKeyHint: "done", "data-part": "scan", "data-scan": "" }),
      scanSays()),
    h("ul", { class: "lines" }, toDo(o).map((l) => {
      const n = w.got[l.line_id] || 0, item = lineItem(l, n >= l.quantity);
      item.append(h("button", { "data-part": `tick${l.line_id}`, "aria-pressed": String(n >= l.quantity),
        "aria-label": `${l.product || l.sku}: ${n} / ${l.quantity}`,
        onclick: () => { scanNote = null; w.got[l.line_id] = n >= l.quantity ? 0 : n + 1; save(); } }, n >= l.quantity ? "✓" : `${n}/${l.quantity}`));
      return item;
    })),
    w.changes?.length ? null : button("go big wide", async () => {
      const n = got(o, w), of = total(o);
      if (!n) { buzz(); scanNote = { good: false, text: t("pickNothing") }; draw(); return; }
      if (n < of && !(await sure(t("partialSure", { n, of }), t("partial")))) return;
      if (!w.changes?.length) go(w, "pack");
    }, t(got(o, w) >= total(o) ? "pickDone" : "pickedOf", { n: got(o, w), of: total(o) }), { "data-part": "picked" })];
}

/* ---- pack, ship ---- */

const print = (o, slip) => load("print").then((m) => m.printOrder(o, session.me.shop.name, slip), () => result("bad", t("failed")));

const packStep = (o, w) => [
  scanSays(),
  h("ul", { class: "lines" }, picked(o, w).map((l) => lineItem(l))),
  h("button", { class: "wide", onclick: () => print({ ...o, lines: picked(o, w) }, true) }, t("printSlip")),
  button("go big wide", () => go(w, "ship"), t("packed"), { "data-part": "packed" })];

function field(w, name, props = {}) {
  const input = h("input", { id: `f-${name}`, value: w.form[name] || "", autocomplete: "off", "data-part": name,
    oninput: () => { w.form[name] = input.value; keepWork(); }, ...props });
  return [h("label", { htmlFor: `f-${name}` }, t(name)), input];
}

// A form for what browsers do with fields; nothing submits it but the button.
function shipStep(o, w) {
  const form = h("form", { class: "stack" },
    scanSays(),
    field(w, "carrier", { required: true, maxLength: 64, autofocus: !w.form.carrier }), field(w, "service", { maxLength: 64 }),
    field(w, "tracking", { maxLength: TRACKING_MAX, autofocus: !!w.form.carrier }), field(w, "packages", { type: "number", min: 1, max: 99, inputMode: "numeric", required: true }),
    button("go big wide", () => { if (form.reportValidity()) ship(o, w); }, t("shipNow"), { type: "button", disabled: !!w.busy, "data-part": "ship" }));
  return [form];
}

// `again`: tries only the payment of that parcel again.
async function ship(o, w, again) {
  const me = await who();
  if (!me || w.busy) return;
  const f = again || w.form, text = (k) => (f[k] || "").trim() || undefined;
  if (!text("tracking") && !again && !w.bare) {
    if (!(await sure(t("noTrackingSure"), t("noTrackingGo")))) return;
    w.bare = true;
  }
  const ask = { carrier: text("carrier"), service: text("service"), tracking: text("tracking"), packages: Number(f.packages) || 1,
    lines: again || got(o, w) >= total(o) ? undefined : picked(o, w).map(({ line_id, quantity }) => ({ line_id, quantity })), ...me };
  // Without an answer, the same press sends the same key and version again.
  if (w.sent !== JSON.stringify(ask)) Object.assign(w, { sent: JSON.stringify(ask), version: o.version, key: newKey() });
  w.busy = true;
  save();
  const r = await post(o.number, "ship", { ...ask, version: w.version }, w.key), body = r.body || {};
  // If it may have arrived, the same parcel is sent again.
  if (r.status && r.status < 500 && ![408, 429].includes(r.status)) w.sent = "";
  if (r.status === 200 || r.status === 202) {
    forBrowser.write("carrier", { carrier: f.carrier, service: f.service });
    put(body);
  } else if (body.order) put(body.order);
  if (body.code === "changed") {
    w.step = "pick";
    if (!w.changes?.length) { w.changes = [t("otherChanged")]; ring(); }
  }
  if (!r.status) result("bad", t("noAnswer", { n: o.number }), o.number);
  // Another device was first.  Its "shipped" does not replace this.
  else if (["answered", "shipped"].includes(body.code)) result("bad", `${t("order", { n: o.number })}. ${t("in_doubt")}`, 0, body.detail);
  else if (r.status > 299 && !["capture_failed", "changed"].includes(body.code)) result("bad", t(body.code === "in_doubt" ? "in_doubt" : "shipFailed"), o.number, body.detail);
  w.busy = false;
  save();
}

async function problem(o) {
  const body = await askReason(t("problem"), ["lost", "damaged", "cannot_find", "other"]);
  const me = body && await who();
  if (!me) return;
  const r = await post(o.number, "problem", { ...body, ...me });
  done(o, r);
}

function done(o, r) {
  if (r.status === 200) put(r.body);
  else result("bad", t(r.status ? "failed" : "noAnswer", { n: o.number }), o.number, r.body?.detail);
}

async function solved(o) {
  const me = await who();
  if (me) done(o, await post(o.number, "solved", me));
}

/* ---- showing ---- */

// What was reported, by whom, and who has solved it.
function problemBox(o) {
  const p = o.problem;
  return h("div", { class: `state ${p.solved ? "good" : "bad"}` },
    h("p", {}, p.solved ? t("solvedBy", { by: byText(p.solved.by) }) : t("problemCard", { why: t(p.reason) })),
    h("p", { class: "small" }, [p.solved && t(p.reason), p.note, t("reported", { by: byText(p.by) })].filter(Boolean).join(" · ")));
}

function status(o) {
  const s = o.shipment;
  if (hasProblem(o)) return problemBox(o);
  if (o.on_hold && o.ship_to) return state("bad", "onHold");
  if (s?.stage === "capture_failed") return h("p", { class: "state bad", role: "alert" }, t("captureFailed"));
  if (bySystem()) return state("warn", "systemShips");
  if (!s) return null;
  if (s.stage === "failed") return h("div", { class: "state bad", role: "alert" }, h("p", {}, t("shipFailed")), small(s.error));
  if (s.shipped_at) return h("p", { class: "state warn" }, `${t("hPart")}. ${t("remaining", { n: total(o) })}`);
  if (s.capture === "pending") return state("warn", "capturePending");
  return state("spin", "shipping");
}

const doubt = (o) => (o.doubt ? state("bad", "doubt") : null);

export function card(o, open) {
  const n = o.lines.reduce((a, l) => a + l.quantity, 0);
  return { key: o.number, sign: JSON.stringify([o, link.up]), make: () => h("article", { class: `card${hasProblem(o) || o.doubt ? " bad" : ""}`, "aria-label": t("order", { n: o.number }) },
    h("div", { class: "row" }, h("span", { class: "grow" }, heading(o.number),
      h("span", { class: "soft" }, [o.city && t("to", { city: o.city }), n && t("pieces", { n })].filter(Boolean).join(" · ")))),
    doubt(o), o.problem?.solved ? problemBox(o) : null, status(o), button("go big wide", () => open(o.number), t("open"), { "data-part": "open" })) };
}

// True if nothing is picked or shipped now: the body says why.
const isStopped = (o) => busyStage(o.shipment) || hasProblem(o) || (o.on_hold && o.ship_to);

export function view(o, back) {
  const w = workOf(o), steps = ["pick", "pack", "ship"], prev = steps[steps.indexOf(w.step) - 1], s = o.shipment;
  changedSince(o, w);   // as it is first shown
  load("print").catch(() => {});   // a browser prints only what follows a press at once
  const body = () => {
    if (busyStage(s) && !(bySystem() && hasProblem(o))) return [status(o)];
    if (hasProblem(o)) return [status(o), button("wide", () => solved(o), t("found"), { "data-part": "found" })];
    if (o.on_hold && o.ship_to) return [status(o)];
    const again = s?.stage === "capture_failed" &&
      button("big wide", () => ship(o, w, s), t("captureAgain"), { disabled: !!w.busy, "data-part": "again" });
    if (w.step === "ship" && w.changes?.length) return [status(o), again];   // first what changed
    return [status(o), again, { pick: pickStep, pack: packStep, ship: shipStep }[w.step](o, w)].flat();
  };
  return { key: `ship${o.number}`, sign: JSON.stringify([o, w.step, w.got, w.busy, link.up, scanNote, noticeSign(o.number), w.changes, featureNames()]), make: () => h("section", { class: "card stack" },
    button("quiet", back, `← ${t("back")}`, { "data-part": "back" }),
    heading(o.number),
    h("ol", { class: "steps" }, steps.map((x) => h("li", { "aria-current": x === (busyStage(s) ? "ship" : w.step) ? "step" : null }, t(x)))),
    w.changes?.length ? changesBox(o, w) : noticeOf(o.number), doubt(o), o.problem?.solved ? problemBox(o) : null, body(),
    h("h3", {}, t("address")), o.ship_to ? h("address", {}, addressText(o.ship_to)) : h("p", { class: "soft" }, t("noAddress")),
    h("div", { class: "actions" },
      prev && !busyStage(s) ? h("button", { onclick: () => go(w, prev) }, `← ${t(prev)}`) : null,
      h("button", { onclick: () => print(o, false) }, t("printPick")),
      hasProblem(o) || (busyStage(s) && !bySystem()) ? null : button("no", () => problem(o), t("problem"), { "data-part": "problem" })), timeline(o)) };
}
