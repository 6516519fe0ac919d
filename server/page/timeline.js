// timeline.js - what happened to an order, for a person who taps it open.
// story.js has the words.
import { h, $ } from "./dom.js";
import { t } from "./texts.js";
import { call } from "./api.js";
import { load } from "./extras.js";
import { clock } from "./parts.js";

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
    const [r, story] = await Promise.all([call("GET", `/api/v1/orders/${n}`), load("story").catch(() => null)]);
    s.failed = r.status !== 200 || !story;
    if (!s.failed) s.list = r.body.timeline.map((e) => ({ at: e.at, text: story.words(e) })).filter((e) => e.text).filter((e, i, all) => e.text !== all[i - 1]?.text);
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
