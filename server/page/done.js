// done.js - the tab of what was done today: figures, and what became of each order.
import { h } from "./dom.js";
import { t } from "./texts.js";
import { call, session } from "./api.js";
import { finished } from "./lists.js";
import { now } from "./live.js";
import { age, clock, heading } from "./parts.js";
import { timeline } from "./timeline.js";

let report = null;   // the server's, of today

export async function loadReport() {
  const r = await call("GET", "/api/v1/report?since=today");
  if (r.status === 200) report = r.body;
}

// At midnight, where the shop is, a new day begins.
export async function turnDay() {
  const me = session.me;
  if (now() < Date.parse(me.day.ends)) return;
  report = null;
  me.day = { begins: me.day.ends, ends: new Date(Date.parse(me.day.ends) + 86400000).toISOString() };
  const r = await call("GET", "/api/v1/me");
  if (r.status === 200 && session.me === me) me.day = r.body.day;
  loadReport();
}

const outcome = (o) => (o.shipped ? "shipped" : { rejected: o.answer === "reject" ? "rejectedBy" : "endedShort", timed_out: "missed", taken: "lost2", cancelled: "cancelledShort" }[o.state] || "done");

export function doneCards() {
  const all = finished(), count = {};
  for (const o of all) count[outcome(o)] = (count[outcome(o)] || 0) + 1;
  if (!all.length) return [];
  const facts = ["shipped", "rejectedBy", "missed", "lost2"].map((k) => [t(k, { n: count[k] || 0 }), count[k] || 0]);
  if (report?.answer_median_s != null) facts.push([t("answerTime"), age(report.answer_median_s * 1000)]);
  return [{ key: "counts", sign: JSON.stringify(facts), make: () => h("section", { "aria-label": t("done") }, h("dl", { class: "facts" }, facts.map(([k, v]) => h("div", {}, h("dt", {}, k), h("dd", {}, String(v)))))) },
    ...all.slice(0, 100).map((o) => ({ key: o.number, sign: JSON.stringify(o), make: () => h("article", { class: "card", "aria-label": t("order", { n: o.number }) },
      h("div", { class: "row" }, heading(o.number, " grow"), h("strong", {}, t(outcome(o), { n: 1 }))),
      h("p", { class: "soft" }, [o.shipment?.tracking && t("tracked", { t: o.shipment.tracking }), clock(o.updated_at)].filter(Boolean).join(" · ")), timeline(o)) }))];
}
