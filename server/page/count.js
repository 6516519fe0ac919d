// count.js - the feature `count`: after "Out of stock" the page asks how many of
// each line are there, and the server tells Centra.
//
// Nobody has to answer: each line may be left empty, and all of it skipped.  The
// answer to the offer does not wait for long: the question goes by itself.
import { addTexts, t } from "./texts.js";
import { button, h } from "./dom.js";
import { actsFor, call, newKey, session } from "./api.js";
import { ask, dismiss } from "./dialogs.js";
import { now } from "./live.js";
import { fullName } from "./parts.js";
import { result } from "./results.js";

const GOES_MS = 60000, LEAST_MS = 120000;   // the offer has to have twice as long
const TRIES = 6, PAUSE_MS = 5000, MOST = 9999;

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

// Asks, and resolves with the counts, or undefined if it was skipped.  left: ms
// until the offer ends.
export function counts(o, left) {
  const lines = countable(o);
  if (!lines.length || left < LEAST_MS) return [];
  let timer;
  const asked = ask("count", t("howMany"), (close) => {
    const fields = lines.map(field), said = h("p", { id: "count-said", role: "alert" });
    const save = () => {
      const filled = fields.filter((f) => f.input.value.trim()), wrong = filled.find((f) => !isCount(f.input.value.trim()));
      if (wrong) { said.textContent = t("countWrong"); wrong.input.focus(); return; }
      close(filled.map((f) => ({ ...nameOf(f.l), quantity: Number(f.input.value.trim()) })));
    };
    return h("form", { class: "stack", noValidate: true }, h("p", { class: "soft" }, t("howManyNote")), fields.map((f) => f.el), said,
      button("big", save, t("saveCount"), { type: "button", "data-part": "save" }),
      button("wide", () => close(), t("skip"), { type: "button", "data-part": "skip" }));
  });
  const box = document.querySelector("dialog[aria-labelledby=count]");
  timer = setTimeout(() => { if (box.isConnected) dismiss(box); }, GOES_MS);
  return [asked.then((items) => { clearTimeout(timer); return items?.length ? { items, counted_at: new Date(now()).toISOString() } : undefined; })];
}

// Whom the page acts for is the same, though the connection may have been lost
// and come back.
const same = (who) => !!session.me && JSON.stringify(actsFor()) === JSON.stringify(who);

// The answer to the offer has arrived: sends the count of order `n`, which may be
// repeated.  who: for whom it was counted, as actsFor(); no other shop gets it.
export async function counted(n, count, staff, who) {
  const key = newKey();
  for (let left = TRIES; left && same(who); left--) {
    const r = await call("PUT", "/api/v1/stock", { ...count, confirm: true, staff, for: who }, key);
    if (r.status === 202 || r.status === 200) return;
    if (![0, 429, 503].includes(r.status)) break;
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
  if (same(who)) result("bad", t("countLost", { n }), n);
}
