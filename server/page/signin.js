// signin.js - signing a device in, and what it shows when it is out.
import { button, h, $ } from "./dom.js";
import { t } from "./texts.js";
import { call, session } from "./api.js";
import { forget, waiting } from "./answer.js";
import { stop } from "./live.js";
import { age } from "./parts.js";
import { endTimers, ui } from "./ui.js";

const notice = (title, ...more) => $("main").replaceChildren(h("section", { class: "login card stack" }, h("h1", {}, title), ...more));

let next = () => {};
// `f` is called once this device is signed in.
export const whenIn = (f) => { next = f; };

async function enter(code, button, show) {
  button.disabled = true;
  const r = await call("POST", "/api/v1/session", { code });
  button.disabled = false;
  if (r.status === 200) { history.replaceState(null, "", "/"); next(); }
  else if (r.status === 401) field(t("signIn"), t("badLink"), "bad");
  else show(t(r.status === 429 ? "waitIn" : r.status ? "failed" : "offlineNow", { age: age(r.retryAfter * 1000) }));
}

const go = (f) => button("go big wide", f, t("signInGo"), { id: "signin" });

// Shows the button that signs the device in by `code`.
export function login(code) {
  const show = (why) => notice(t("signIn"), why ? h("p", { class: "state bad", role: "alert" }, why) : h("p", {}, t("signInText")),
    go((e) => enter(code, e.target, show)));
  show("");
}

// A code, by itself or at the end of a link.
const codeOf = (text) => /(?:^|[#\s])([A-Za-z0-9_-]{43})$/.exec(text.trim())?.[1] ?? "";

// Shows a field for a link or code, below a text and what else there is to say.
function field(title, text, kind, more = []) {
  const say = h("p", { class: kind ? `state ${kind}` : "", role: kind ? "alert" : null }, text);
  const input = h("input", { id: "code", autocomplete: "off", autocapitalize: "none", spellcheck: false, maxLength: 500 });
  const show = (why) => { say.className = "state bad"; say.textContent = why; };
  notice(title, say, ...more, h("label", { htmlFor: "code" }, t("codeField")), input,
    go((e) => {
      const code = codeOf(input.value);
      if (code) enter(code, e.target, show); else show(t("badCode"));
    }));
}

// Forgets everything about the shop and shows the text `key`.  `here`: it was done on
// this tab, and the others are to know.
export function signedOut(key = "noLink", here) {
  const lost = waiting().map((n) => h("p", { class: "state warn" }, t("keptSend", { n })));
  stop(here);
  endTimers();
  session.me = null;
  session.staff = "";
  Object.assign(ui, { open: 0, locked: false });
  forget();
  for (const id of ["head", "top"]) $(id).hidden = true;
  $("screen").hidden = false;
  for (const id of ["results", "dialogs", "print", "say"]) $(id).replaceChildren();
  document.title = "shipfrom";
  $("main").className = "";
  field(t("signIn"), t(key), "", lost);
}
