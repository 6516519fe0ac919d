// dialogs.js - questions over the page: opening one, and the two that several views ask.
import { button, h, $, toHeading } from "./dom.js";
import { t } from "./texts.js";
import { shield } from "./guard.js";

// A second tap on what opened or closed a dialog presses nothing in its place; nor
// does a tap that was under way as one opened that has to be answered.
const REST_MS = 600, FIRM_MS = 1200;
const closers = new WeakMap();   // dialog -> its close(value)

const top = () => $("dialogs").lastElementChild;
const isFirm = (box) => "firm" in box.dataset;

// Opens a dialog with the heading `title`, whose element has the `id`, and what
// `fill(close)` makes; resolves with what close() was given,
// undefined if it was dismissed.  With `firm` it stays until close() is called.
// The first focus is on its heading, never on a choice.
export function ask(id, title, fill, { firm, ...props } = {}) {
  return new Promise((done) => {
    const box = h("dialog", { ...props, "aria-labelledby": id, "data-firm": firm ? "" : null, closedby: firm ? "none" : null });
    const close = (value) => {
      if (!closers.delete(box)) return;
      box.close();
      box.remove();
      for (const el of [$("dialogs"), undefined]) shield(REST_MS, el);
      leaveGreen();
      done(value);
    };
    closers.set(box, close);
    box.addEventListener("cancel", (e) => { e.preventDefault(); if (!firm) close(undefined); });
    // A browser closes it all the same at the second Escape or Back in a row.
    box.addEventListener("close", () => {
      if (!closers.has(box)) return;
      if (!firm) close(undefined);
      else if (box.isConnected) { $("dialogs").append(box); show(box); }
    });
    box.append(h("h2", { id }, title), ...[fill(close)].flat().filter(Boolean));
    $("dialogs").append(box);
    show(box);
    shield(firm ? FIRM_MS : REST_MS, $("dialogs"));
  });
}

function show(box) {
  const title = box.querySelector("h2");
  title.tabIndex = -1;
  title.autofocus = true;
  box.showModal();
  title.focus();
}

// The browser gives the focus back to the button that opened a dialog: if it is
// green, the focus goes to the heading above it.
function leaveGreen() {
  const at = document.activeElement;
  if (at?.matches("button.go")) toHeading(at.closest("[data-key]"));
}

// Closes `box` from outside, its question unanswered.
export const dismiss = (box) => closers.get(box)?.(undefined);

// Closes the topmost dialog if it may be closed.  Returns false if none is open.
export function closeTop() {
  const box = top();
  if (box && !isFirm(box)) dismiss(box);
  return !!box;
}

// Says `text` in the topmost dialog.  Returns false if none is open.
export function sayInDialog(text) {
  const box = top();
  if (!box) return false;
  const said = box.querySelector(".said") ?? h("p", { class: "state warn said", role: "alert" });
  said.textContent = text;
  if (!said.isConnected) shield(REST_MS, $("dialogs"));   // it moves the choices
  box.querySelector("h2").after(said);
  return true;
}

// True if the topmost dialog has to be answered.
export const isHeld = () => !!top() && isFirm(top());

// Escape never reaches a dialog that has to be answered.
export function holdEscape() {
  addEventListener("keydown", (e) => { if (e.key === "Escape" && isHeld()) e.preventDefault(); }, true);
}

// Asks why; resolves with {reason, note}, or undefined.
export function askReason(title, reasons) {
  return ask("why", title, (close) => {
    let note;
    const go = (reason) => close({ reason, note: note.value.trim().slice(0, 200) || undefined });
    note = h("input", { id: "note", maxLength: 200, autocomplete: "off" });
    return h("div", { class: "stack" },
      h("label", { htmlFor: "note" }, t("note")), note,
      reasons.map((r) => button("big no", () => go(r), t(r), { "data-part": r })),
      button("wide", () => close(), t("cancel")));
  });
}

// Asks whether to go on; resolves with true if so.
export function sure(question, yes) {
  return ask("sure", question, (close) => h("div", { class: "stack" },
    button("no big sure", () => close(true), yes), button("big", () => close(false), t("cancel"))));
}
