// count.js - the feature `count`: after "Out of stock" the page asks how many of
// each line are there, and the server tells Centra.
//
// Nobody has to answer: each line may be left empty, and all of it skipped.  The
// answer to the offer does not wait for long: the question goes by itself.  Escape,
// Back and that close it, and press nothing: the answer was given before, and its
// card has a button that asks again.
import { addTexts, t } from "./texts.js";
import { button, h } from "./dom.js";
import { actsFor, call, session } from "./api.js";
import { ask, dismiss } from "./dialogs.js";
import { link, now } from "./live.js";
import { fullName } from "./parts.js";
import { result } from "./results.js";
import { forBrowser } from "./storage.js";

const GOES_MS = 60000, LEAST_MS = 120000;   // the offer has to have twice as long
const COUNTS = "count.", DAY_MS = 86400000, PAUSE_S = 5, MOST = 9999;

addTexts({
  en: { howMany: "How many are there?", howManyNote: "Count what lies in the shop now. Leave empty what you have not counted.", none: "None", saveCount: "Save", skip: "Skip",
    countWrong: "Write a whole number", countLost: "The count of order {n} did not reach the server" },
  sv: { howMany: "Hur många finns det?", howManyNote: "Räkna det som finns i butiken nu. Lämna tomt det du inte har räknat.", none: "Inga", saveCount: "Spara", skip: "Hoppa över",
    countWrong: "Skriv ett heltal", countLost: "Räkningen av order {n} nådde inte servern" },
});

const nameOf = (l) => (l.ean ? { ean: l.ean } : { sku: l.sku });
const code = (l) => l.ean || l.sku;

// The lines that can be counted, each code once.
const countable = (o) => o.lines.filter((l, i, all) => code(l) && all.findIndex((x) => code(x) === code(l)) === i);

function field(l, i) {
  const input = h("input", { id: `count-${i}`, class: "grow", inputMode: "numeric", pattern: "[0-9]*", maxLength: 4, autocomplete: "off", "aria-describedby": "count-said" });
  return { l, input, el: h("div", { class: "stack" }, h("label", { htmlFor: input.id }, fullName(l)),
    h("div", { class: "row" }, input, button("", () => { input.value = "0"; }, t("none"), { type: "button", "aria-label": `${t("none")}: ${fullName(l)}` }))) };
}

const isCount = (s) => /^[0-9]{1,4}$/.test(s) && Number(s) <= MOST;

// Asks, and resolves with {items, counted_at}; {}: it was skipped; undefined: it was
// dismissed.  left: ms until the offer ends; hold(ms): the answer waits so long.
export function counts(o, left, hold) {
  const lines = countable(o), ends = now() + left;
  if (!lines.length || left < LEAST_MS) return [];
  let timer;
  // Again with each key, while the offer has time.
  const stay = () => {
    if (ends - now() < LEAST_MS || !box.isConnected) return;
    clearTimeout(timer);
    timer = setTimeout(() => { if (box.isConnected) dismiss(box); }, GOES_MS);
    hold(GOES_MS);
  };
  const asked = ask("count", t("howMany"), (close) => {
    const fields = lines.map(field), said = h("p", { id: "count-said", role: "alert" });
    const save = () => {
      const filled = fields.filter((f) => f.input.value.trim()), wrong = filled.find((f) => !isCount(f.input.value.trim()));
      if (wrong) { said.textContent = t("countWrong"); said.className = "state bad"; wrong.input.focus(); return; }
      close(filled.map((f) => ({ ...nameOf(f.l), quantity: Number(f.input.value.trim()) })));
    };
    return h("form", { class: "stack", noValidate: true, oninput: stay, onclick: stay }, h("p", { class: "soft" }, t("howManyNote")), fields.map((f) => f.el), said,
      button("big", save, t("saveCount"), { type: "button", "data-part": "save" }),
      button("wide", () => close([]), t("skip"), { type: "button", "data-part": "skip" }));
  });
  const box = document.querySelector("dialog[aria-labelledby=count]");
  stay();
  return [asked.then((items) => { clearTimeout(timer); return items && (items.length ? { items, counted_at: new Date(now()).toISOString() } : {}); })];
}

// On the card of an answer that waits.
export const countButton = (o, left, f) => (countable(o).length && left > LEAST_MS ? button("wide", f, t("howMany"), { "data-part": "count" }) : []);

let busy = false, next = 0;   // next: not before, by performance.now()

// Sends the counts that answer.js has left, and which this browser keeps until the
// server has them: a reload loses none.  Called each second.
export async function sendCounts() {
  if (busy || !link.up || performance.now() < next) return;
  busy = true;
  for (const k of forBrowser.keys(COUNTS)) {
    const c = forBrowser.read(k, {}), mine = JSON.stringify(c.body?.for) === JSON.stringify(actsFor()), old = Date.now() - c.born > DAY_MS;
    // No other shop gets it.
    const r = mine && !old ? await call("PUT", "/api/v1/stock", { ...c.body, confirm: true }, k.slice(COUNTS.length)) : { status: 409 };
    if (!session.me) break;
    if ([0, 429, 503].includes(r.status)) { next = performance.now() + (r.retryAfter || PAUSE_S) * 1000; break; }
    forBrowser.drop(k);
    if (r.status > 299) result("bad", t("countLost", { n: c.n }), c.n, r.body?.detail);
  }
  busy = false;
}
