// dialogs.js - questions over the page: opening one, and the two that several views ask.
import { h, $ } from "./dom.js";
import { t } from "./texts.js";

// Opens a dialog made by `fill(close)`; resolves with what close() was given.
export function ask(fill, props = {}) {
  return new Promise((done) => {
    const box = h("dialog", props);
    const close = (value) => { box.close(); box.remove(); done(value); };
    box.addEventListener("cancel", (e) => { e.preventDefault(); if (!props.firm) close(undefined); });
    box.append(...[fill(close)].flat().filter(Boolean));
    $("dialogs").append(box);
    box.showModal();
  });
}

export function askReason(title, reasons) {
  return ask((close) => {
    let note;
    const go = (reason) => close({ reason, note: note.value.trim().slice(0, 200) || undefined });
    note = h("input", { id: "note", maxLength: 200, autocomplete: "off" });
    return [h("h2", { id: "why" }, title), h("div", { class: "stack" },
      h("label", { htmlFor: "note" }, t("note")), note,
      // not the note: a phone would cover the reasons with its keys
      reasons.map((r, i) => h("button", { class: "big no", autofocus: !i, onclick: () => go(r), "data-part": r }, t(r))),
      h("button", { class: "wide", onclick: () => close() }, t("cancel")))];
  }, { "aria-labelledby": "why" });
}

export function sure(question, yes) {
  return ask((close) => [h("h2", { id: "sure" }, question), h("div", { class: "stack" },
    h("button", { class: "no big sure", onclick: () => close(true) }, yes), h("button", { class: "big", onclick: () => close(false) }, t("cancel")))], { "aria-labelledby": "sure" });
}
