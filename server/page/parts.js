// parts.js - parts that several views draw: times, an address, a line of an order.
import { h } from "./dom.js";
import { t } from "./texts.js";
import { fromFeatures } from "./extras.js";

export function leftText(ms) {
  if (ms === Infinity) return t("noDeadline");
  if (ms <= 0) return t("past");
  const s = Math.ceil(ms / 1000), m = Math.floor(s / 60);
  if (m < 10) return t("left", { t: `${m}:${String(s % 60).padStart(2, "0")}` });
  if (m < 60) return t("leftM", { m });
  return t("leftH", { h: Math.floor(m / 60), m: m % 60 });
}

export const state = (kind, key, values) => h("p", { class: `state ${kind}` }, t(key, values));

export const heading = (n, more = "") => h("h2", { class: `number${more}` }, t("order", { n }));

export const untilText = (key, until) => t(key, { s: Math.max(0, Math.ceil((until - performance.now()) / 1000)) });

export function leftClass(ms) {
  return ms <= 0 ? "left past" : ms < 120000 ? "left now" : ms < 600000 ? "left soon" : "left";
}

export const lineName = (l) => [l.product, l.variant].filter(Boolean).join(", ") || l.sku || "?";
// The name with the size.
export const fullName = (l) => [lineName(l), l.size].filter(Boolean).join(", ");

// An address on several lines.
export function addressText(a) {
  const name = [a.first_name, a.last_name].filter(Boolean).join(" ");
  const town = [a.zip, a.city].filter(Boolean).join(" ");
  return [a.company, name, a.attention, a.address1, a.address2, town, a.state, a.country].filter(Boolean).join("\n");
}

// All that may be printed on the goods.
export const lineCodes = (l) => [...new Set([l.sku, l.ean, l.upc])].filter(Boolean);

export function lineItem(l, picked) {
  return h("li", { class: picked ? "picked" : "", "data-line": String(l.line_id) },
    h("span", { class: "qty" }, `${l.quantity}×`, fromFeatures("picture", l)),
    h("span", { class: "grow" }, h("strong", {}, lineName(l)),
      h("span", { class: "row soft" }, l.size ? h("span", { class: "size" }, l.size) : null, lineCodes(l).map((c) => h("span", {}, c)), fromFeatures("facts", l))));
}

// Who acted, as the server writes it ("Anna on Till"; without a list of names the
// device alone), in the language of the page.
export function byText(by) {
  const [, who, device] = /^(.+?) on (.+)$/.exec(by) ?? [];
  return device ? t("byOn", { who, device }) : by;
}

// The time of day; of another day than today, with its date.
export function clock(iso) {
  const d = new Date(iso), today = d.toDateString() === new Date().toDateString();
  return d.toLocaleString([], { timeStyle: "short", dateStyle: today ? undefined : "short" });
}

export function age(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  return s < 90 ? `${s} s` : `${Math.round(s / 60)} min`;
}
