// ship.js - orders that are ours: pick, pack, ship.
import { h } from "./dom.js";
import { t } from "./texts.js";
import { newKey, post, session } from "./api.js";
import { askReason, sure } from "./dialogs.js";
import { hasProblem } from "./lists.js";
import { link, put } from "./live.js";
import { lineItem, lineName } from "./parts.js";
import { who } from "./people.js";
import { addressText, printOrder } from "./print.js";
import { noticeOf, noticeSign, result, small } from "./results.js";
import { forBrowser, forTab } from "./storage.js";
import { buzz, tick } from "./sound.js";
import { draw } from "./ui.js";

// id -> {step, got: {line_id: n}, form, key, sent, busy, bare}; for this tab.
// bare: a person said that it goes without a tracking number.
const work = new Map(forTab.read("work", []).map(([id, w]) => [id, { ...w, busy: false }]));
let scanNote = null;

function keepWork() { forTab.write("work", [...work]); }
function save() { keepWork(); draw(); }

function workOf(o) {
  // What remains after a part was shipped is picked anew.
  const id = `${o.number}/${(o.shipments || []).filter((s) => s.shipped_at).length}`;
  if (!work.has(id)) work.set(id, { step: "pick", got: {}, form: { packages: "1", ...forBrowser.read("carrier", {}) } });
  return work.get(id);
}

function go(w, step) { w.step = step; scanNote = null; save(); scrollTo(0, 0); }

const toDo = (o) => o.lines.filter((l) => l.quantity > 0);
const total = (o) => toDo(o).reduce((n, l) => n + l.quantity, 0);
const picked = (o, w) => toDo(o).map((l) => ({ ...l, quantity: Math.min(w.got[l.line_id] || 0, l.quantity) })).filter((l) => l.quantity);
const got = (o, w) => picked(o, w).reduce((n, l) => n + l.quantity, 0);
const busyStage = (s) => s && ["asked", "created", "captured"].includes(s.stage);

/* ---- pick ---- */

function scan(o, w, code) {
  code = code.trim();
  if (!code) return;
  const same = toDo(o).filter((l) => [l.ean, l.sku].some((c) => c && c.toLowerCase() === code.toLowerCase()));
  const line = same.find((l) => (w.got[l.line_id] || 0) < l.quantity);
  if (line) {
    w.got[line.line_id] = (w.got[line.line_id] || 0) + 1;
    scanNote = { good: true, text: t("scanned", { what: [lineName(line), line.size].filter(Boolean).join(", "), n: w.got[line.line_id], of: line.quantity }) };
    tick();
  } else {
    scanNote = { good: false, text: t(same.length ? "tooMany" : "wrongScan", { code, what: same[0] ? [lineName(same[0]), same[0].size].filter(Boolean).join(", ") : code }) };
    buzz();
  }
  save();
  showLine(line || same[0]);
}

// Scrolls the line to where it can be seen, below the field and its note.
function showLine(l) {
  const item = l && document.querySelector(`#main [data-line="${l.line_id}"]`);
  if (!item) return;
  item.style.scrollMarginTop = `${document.querySelector(".scanbox").offsetHeight + 8}px`;
  item.scrollIntoView({ block: "nearest" });
}

// A scanner writes to the field, whatever was pressed last.
export function toScan(e) {
  if (e.key.length === 1 && e.key > " " && !e.ctrlKey && !e.target.matches("input, dialog *")) document.getElementById("scan")?.focus();
}

function pickStep(o, w) {
  const field = h("input", { id: "scan", autofocus: true, autocomplete: "off", enterKeyHint: "done", "data-part": "scan",
    onkeydown: (e) => { if (e.key === "Enter") { e.preventDefault(); const code = field.value; field.value = ""; scan(o, w, code); } } });
  return [
    h("div", { class: "scanbox" }, h("label", { htmlFor: "scan" }, t("scan")), field,
      scanNote ? h("p", { class: `state ${scanNote.good ? "good" : "bad"}`, role: "alert" }, scanNote.text) : null),
    h("ul", { class: "lines" }, toDo(o).map((l) => {
      const n = w.got[l.line_id] || 0, item = lineItem(l, n >= l.quantity);
      item.append(h("button", { "data-part": `tick${l.line_id}`, "aria-pressed": String(n >= l.quantity),
        "aria-label": `${l.product || l.sku}: ${n} / ${l.quantity}`,
        onclick: () => { scanNote = null; w.got[l.line_id] = n >= l.quantity ? 0 : n + 1; save(); } }, n >= l.quantity ? "✓" : `${n}/${l.quantity}`));
      return item;
    })),
    h("button", { class: "go big wide", "data-part": "picked", onclick: async () => {
      const n = got(o, w), of = total(o);
      if (!n) { buzz(); scanNote = { good: false, text: t("pickNothing") }; draw(); return; }
      if (n < of && !(await sure(t("partialSure", { n, of }), t("partial")))) return;
      go(w, "pack");
    } }, t(got(o, w) >= total(o) ? "pickDone" : "pickedOf", { n: got(o, w), of: total(o) }))];
}

/* ---- pack, ship ---- */

const packStep = (o, w) => [
  h("ul", { class: "lines" }, picked(o, w).map((l) => lineItem(l))),
  h("button", { class: "wide", onclick: () => printOrder({ ...o, lines: picked(o, w) }, session.me.shop.name, true) }, t("printSlip")),
  h("button", { class: "go big wide", autofocus: true, "data-part": "packed", onclick: () => go(w, "ship") }, t("packed"))];

function field(w, name, props = {}) {
  const input = h("input", { id: `f-${name}`, value: w.form[name] || "", autocomplete: "off", "data-part": name,
    oninput: () => { w.form[name] = input.value; keepWork(); }, ...props });
  return [h("label", { htmlFor: `f-${name}` }, t(name)), input];
}

const shipStep = (o, w) => h("form", { class: "stack", onsubmit: (e) => { e.preventDefault(); ship(o, w); } },
  field(w, "carrier", { required: true, maxLength: 64, autofocus: !w.form.carrier }), field(w, "service", { maxLength: 64 }),
  // A scanner ends with Enter: that alone must not ship.
  field(w, "tracking", { maxLength: 128, autofocus: !!w.form.carrier, onkeydown: (e) => { if (e.key === "Enter") { e.preventDefault(); document.querySelector("[data-part=ship]").focus(); } } }), field(w, "packages", { type: "number", min: 1, max: 99, inputMode: "numeric", required: true }),
  h("button", { class: "go big wide", type: "submit", disabled: !!w.busy, "data-part": "ship" }, t("shipNow")));

// `again`: the payment only, of what was asked for before.
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
  // Pressed again after no answer came, the same goes with the same key.
  if (w.sent !== JSON.stringify(ask)) Object.assign(w, { sent: JSON.stringify(ask), version: o.version, key: newKey() });
  w.busy = true;
  save();
  const r = await post(o.number, "ship", { ...ask, version: w.version }, w.key), body = r.body || {};
  if (body.code === "changed") w.step = "pick";
  // Whatever leaves in doubt whether it was taken is sent again as the same parcel.
  if (r.status && r.status < 500 && ![408, 429].includes(r.status)) w.sent = "";
  if (r.status === 200 || r.status === 202) {
    forBrowser.write("carrier", { carrier: f.carrier, service: f.service });
    put(body);
  } else if (body.order) put(body.order);
  if (!r.status) result("bad", t("noAnswer", { n: o.number }), o.number);
  else if (r.status > 299 && body.code !== "capture_failed") result("bad", t({ in_doubt: "in_doubt", changed: "changed" }[body.code] || "shipFailed", { n: o.number }), o.number, body.detail);
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
    h("p", {}, p.solved ? t("solvedBy", { by: p.solved.by }) : t("problemCard", { why: t(p.reason) })),
    h("p", { class: "small" }, [p.solved && t(p.reason), p.note, t("reported", { by: p.by })].filter(Boolean).join(" · ")));
}

function status(o) {
  const s = o.shipment;
  if (hasProblem(o)) return problemBox(o);
  if (o.on_hold && o.ship_to) return h("p", { class: "state bad" }, t("onHold"));
  if (!s) return null;
  if (s.stage === "capture_failed") return h("p", { class: "state bad", role: "alert" }, t("captureFailed"));
  if (s.stage === "failed") return h("div", { class: "state bad", role: "alert" }, h("p", {}, t("shipFailed")), small(s.error || t("unknownFail")));
  if (s.shipped_at) return h("p", { class: "state warn" }, t("remaining", { n: total(o) }));
  if (s.capture === "pending") return h("p", { class: "state warn" }, t("capturePending"));
  return h("p", { class: "state spin" }, t("shipping"));
}

const doubt = (o) => (o.doubt ? h("p", { class: "state bad" }, t("doubt")) : null);

export function card(o, open) {
  const n = o.lines.reduce((a, l) => a + l.quantity, 0);
  return { key: o.number, sign: JSON.stringify([o, link.up]), make: () => h("article", { class: `card${hasProblem(o) || o.doubt ? " bad" : ""}`, "aria-label": t("order", { n: o.number }) },
    h("div", { class: "row" }, h("span", { class: "grow" }, h("h2", { class: "number" }, t("order", { n: o.number })),
      h("span", { class: "soft" }, [o.city && t("to", { city: o.city }), n && t("pieces", { n })].filter(Boolean).join(" · ")))),
    doubt(o), o.problem?.solved ? problemBox(o) : null, status(o), h("button", { class: "go big wide", "data-part": "open", onclick: () => open(o.number) }, t("open"))) };
}

export function view(o, back) {
  const w = workOf(o), steps = ["pick", "pack", "ship"], s = o.shipment;
  const body = () => {
    if (busyStage(s)) return [status(o)];
    if (hasProblem(o)) return [status(o), h("button", { class: "wide", "data-part": "found", onclick: () => solved(o) }, t("found"))];
    if (o.on_hold && o.ship_to) return [status(o)];
    const again = s?.stage === "capture_failed" &&
      h("button", { class: "big wide", disabled: !!w.busy, "data-part": "again", onclick: () => ship(o, w, s) }, t("captureAgain"));
    return [status(o), again, { pick: pickStep, pack: packStep, ship: shipStep }[w.step](o, w)].flat();
  };
  return { key: `ship${o.number}`, sign: JSON.stringify([o, w.step, w.got, w.busy, link.up, scanNote, noticeSign(o.number)]), make: () => h("section", { class: "card stack" },
    h("button", { class: "quiet", "data-part": "back", onclick: back }, `← ${t("back")}`),
    h("h2", { class: "number" }, t("order", { n: o.number })),
    h("ol", { class: "steps" }, steps.map((x) => h("li", { "aria-current": x === (busyStage(s) ? "ship" : w.step) ? "step" : null }, t(x)))),
    noticeOf(o.number), doubt(o), o.problem?.solved ? problemBox(o) : null, body(),
    h("h3", {}, t("address")), o.ship_to ? h("address", {}, addressText(o.ship_to)) : h("p", { class: "soft" }, t("noAddress")),
    h("div", { class: "actions" },
      w.step !== "pick" && !busyStage(s) ? h("button", { onclick: () => go(w, steps[steps.indexOf(w.step) - 1]) }, `← ${t(steps[steps.indexOf(w.step) - 1])}`) : null,
      h("button", { onclick: () => printOrder(o, session.me.shop.name, false) }, t("printPick")),
      hasProblem(o) || busyStage(s) ? null : h("button", { class: "no", "data-part": "problem", onclick: () => problem(o) }, t("problem")))) };
}
