// menu.js - the menu of the device: sound, the screen's light, the person, signing out.
import { h } from "./dom.js";
import { failed, t } from "./texts.js";
import { call, session } from "./api.js";
import { ask, sure } from "./dialogs.js";
import { drawHead } from "./head.js";
import { changePerson } from "./people.js";
import { result } from "./results.js";
import { signedOut } from "./signin.js";
import * as sound from "./sound.js";

let wake = null;

async function keepAwake() {
  try { wake = await navigator.wakeLock?.request("screen"); } catch { wake = null; }
}

// Keeps the screen on, if this device was told to.
export function stayAwake() {
  document.addEventListener("visibilitychange", () => { if (!document.hidden && localStorage.awake === "yes") keepAwake(); });
  if (localStorage.awake === "yes") keepAwake();
}

export function menu() {
  ask((close) => [h("h2", { id: "menu-title" }, session.me.shop.name), h("p", { class: "soft" }, session.me.device.name), h("div", { class: "stack" },
    h("button", { class: "big", onclick: async () => { await sound.unlock(); sound.ring(); drawHead(); } }, t("testSound")),
    h("button", { class: "big", "aria-pressed": String(localStorage.awake === "yes"), onclick: () => {
      localStorage.awake = localStorage.awake === "yes" ? "no" : "yes";
      if (localStorage.awake === "yes") keepAwake(); else wake?.release();
      close();
    } }, t(localStorage.awake === "yes" ? "awake" : "keepAwake")),
    session.me.staff.length ? h("button", { class: "big", onclick: () => { close(); changePerson(); } }, t("change")) : null,
    h("button", { class: "big no", id: "signout", onclick: async () => {
      close();
      if (!(await sure(t("signOutSure"), t("signOut")))) return;
      const r = await call("DELETE", "/api/v1/session");
      if (r.status === 204 || r.status === 401) signedOut(t("signedOut"));
      else result("bad", r.status ? failed(r) : t("offlineNow"));
    } }, t("signOut")),
    h("button", { class: "big", onclick: () => close() }, t("close")))], { "aria-labelledby": "menu-title" });
}
