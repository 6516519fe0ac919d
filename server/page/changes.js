// changes.js - what is different in an order since a person last looked.
import { t } from "./texts.js";
import { addressText, fullName } from "./parts.js";

// A digest: it tells texts apart and does not reveal them.
const digest = (text) => [...text].reduce((n, c) => (Math.imul(n, 31) + c.codePointAt(0)) | 0, 7);

// What is kept of an order to compare it later: {lines, address}; of the address
// only a digest, since browsers keep none.  null while its lines are not known.
export function shownOf(o) {
  return o.lines_known ? { lines: o.lines.filter((l) => l.quantity > 0).map((l) => ({ line_id: l.line_id, quantity: l.quantity, name: fullName(l) })),
    address: o.ship_to ? digest(addressText(o.ship_to)) : 0 } : null;
}

// The lines that differ: [{line_id, name, from, to}], quantities; 0: not there.
export function linesChanged(was, is) {
  const all = new Map(was.lines.map((l) => [l.line_id, { line_id: l.line_id, name: l.name, from: l.quantity, to: 0 }]));
  for (const l of is.lines) all.set(l.line_id, { line_id: l.line_id, name: l.name, from: all.get(l.line_id)?.from ?? 0, to: l.quantity });
  return [...all.values()].filter((l) => l.from !== l.to);
}

export const addressChanged = (was, is) => !!was.address && !!is.address && was.address !== is.address;

// The change of one line, in words.
export function lineText({ name, from, to }) {
  if (!to) return t("lineGone", { what: name });
  return from ? t("lineNow", { what: name, from, to }) : t("lineNew", { what: name, k: to });
}
