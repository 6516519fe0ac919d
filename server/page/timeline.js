// timeline.js - what happened to an order, for a person who taps it open.
//
// The server sends facts (store/model/journal.def); the words are in texts.js.
// Facts that only the office wants to know are left out.
import { h, $ } from "./dom.js";
import { t } from "./texts.js";
import { call } from "./api.js";
import { byText, clock } from "./parts.js";

// The text of a fact, by its kind, or by its kind and result (of a state: the state).
const WORDS = {
  placed: "hPlaced", cancelled: "cancelledShort", offered: "hOffered", "offered.until": "hUntil", recovered: "hOffered",
  "answered.accept": "hYes", "answered.reject": "hNo", no_reply: "hNoReply", doubt: "doubt", "doubt.ended": "hYours",
  "state.pending": "hAgain", "state.accepted": "hYours", "state.refused": "hNotYours", "state.rejected": "endedShort",
  "state.taken": "lost2", "state.timed_out": "missed", "state.cancelled": "cancelledShort",
  ship_asked: "hAsked", "ship_asked.part": "hAskedPart", ship_failed: "hFailed", "ship_failed.capture_failed": "hUnpaid",
  payment: "hPaying", "payment.captured": "hPaid", shipment_gone: "hGone", shipped: "shipped", "shipped.part": "hPart",
  shipped_here: "shipped", nothing_left: "hNothing",
  problem: "hProblem", for_office: "hOffice", solved: "hSolved", stopped: "hStopped",
};
const QUIET = `changed centra_said unknown_event fetched found sizes_hidden look_failed not_shown settled try reply try_lost
  step step_done step_refused shipment_found missed state.accepting state.rejecting too_large address_removed given_up
  redriven replayed`.split(/\s+/);

// The words of a fact; "": it is left out.
function words(e) {
  const name = `${e.kind}.${e.kind === "state" ? e.to : e.result}`, key = WORDS[name] ?? WORDS[e.kind];
  if (QUIET.includes(name) || QUIET.includes(e.kind) || (name === "state.pending" && !e.from)) return "";
  if (!key) return e.what;   // a kind that is newer than this page
  const text = t(key, { n: 1, by: e.by ? byText(e.by) : "–", until: e.until && clock(e.until), why: t(e.reason || "other") });
  return e.kind === "ship_asked" && e.text ? `${text}: ${e.text}` : text;
}

// number -> {want, busy, list, failed} of each open one.  want: the order that the
// list has to be of; list: null until it is read.
const open = new Map();

// Closes all: another view is opened.
export const closeTimelines = () => open.clear();

function fill(n, box = $(`story${n}`)) {
  const s = open.get(n);
  if (!s || !box) return;
  box.replaceChildren(...(s.list ? [h("ol", {}, s.list.map(({ at, text }) => h("li", {}, h("time", { dateTime: at }, clock(at)), h("span", { class: "grow" }, text))))] :
    [h("p", { class: s.failed ? "" : "spin" }, s.failed ? t("failed") : "…")]));
}

async function read(o) {
  const n = o.number, s = open.get(n);
  s.want = o;
  if (s.busy) return;
  s.busy = true;
  for (let of = null; of !== s.want && open.get(n) === s;) {
    of = s.want;
    const r = await call("GET", `/api/v1/orders/${n}`);
    s.failed = r.status !== 200;
    if (!s.failed) s.list = r.body.timeline.map((e) => ({ at: e.at, text: words(e) })).filter((e) => e.text).filter((e, i, all) => e.text !== all[i - 1]?.text);
  }
  s.busy = false;
  fill(n);
}

// The part of the view of order `o`, closed until it is tapped.
export function timeline(o) {
  const n = o.number, s = open.get(n), box = h("div", { id: `story${n}` });
  // By the time of "toggle" it may have been drawn anew.
  const tap = () => { if (!open.delete(n)) { open.set(n, {}); fill(n, box); read(o); } };
  const el = h("details", { class: "story", open: !!s }, h("summary", { "data-part": "story", onclick: tap }, t("hTitle")), box);
  if (s) {
    fill(n, box);
    if (s.want !== o || s.failed) read(o);
  }
  return el;
}
