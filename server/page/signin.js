// signin.js - signing a device in, and what it shows when it is out.
import { h, $ } from "./dom.js";
import { failed, t } from "./texts.js";
import { call, session } from "./api.js";
import { forget } from "./answer.js";
import { stop } from "./live.js";

const notice = (title, ...more) => $("main").replaceChildren(h("section", { class: "login card stack" }, h("h1", {}, title), ...more));

// Shows the button that signs the device in by `code`; then calls `next`.
export function login(code, next) {
  const show = (why, again) => notice(t("signIn"), why ? h("p", { class: "state bad", role: "alert" }, why) : h("p", {}, t("signInText")),
    again && h("button", { class: "go big wide", id: "signin", onclick: go }, t("signInGo")));
  const go = async (e) => {
    e.target.disabled = true;
    const r = await call("POST", "/api/v1/session", { code });
    if (r.status === 200) { history.replaceState(null, "", "/"); next(); }
    else if (r.status === 401) show(t("badLink"));
    else show(r.status ? failed(r) : t("offlineNow"), true);
  };
  show("", true);
}

// Forgets everything about the shop and shows `text`.
export function signedOut(text) {
  session.me = null;
  stop();
  forget();
  for (const id of ["head", "tabs", "foot"]) $(id).hidden = true;
  $("screen").hidden = false;
  for (const id of ["results", "dialogs", "print", "say"]) $(id).replaceChildren();
  document.title = "shipfrom";
  notice(text);
}
