// menu.js - the menu of the device: sound, the screen's light, the person, signing out.
import { button, h } from "./dom.js";
import { t } from "./texts.js";
import { call, session } from "./api.js";
import { forBrowser } from "./storage.js";
import { ask, sure } from "./dialogs.js";
import { fromFeatures } from "./extras.js";
import { drawHead } from "./head.js";
import { changePerson } from "./people.js";
import { result } from "./results.js";
import { signedOut } from "./signin.js";
import * as sound from "./sound.js";

let wake = null;   // the lock; browsers take it back when the page is hidden

const isAwake = () => !!wake && !wake.released;

async function keepAwake() {
  if (isAwake()) return;
  try { wake = await navigator.wakeLock.request("screen"); } catch { wake = null; }
}

// Keeps the screen on, if this device was told to.
export async function stayAwake() { if (session.me && !document.hidden && forBrowser.read("awake", false)) await keepAwake(); }
document.addEventListener("visibilitychange", stayAwake);
addEventListener("pointerdown", stayAwake);

async function switchAwake() {
  if (isAwake()) {
    forBrowser.write("awake", false);
    await wake.release().catch(() => {});
    return;
  }
  await keepAwake();
  if (isAwake()) forBrowser.write("awake", true);
  else result("bad", t("noAwake"));
}

export function menu() {
  ask("menu-title", session.me.shop.name, (close) => [h("p", { class: "soft" }, session.me.device.name), h("div", { class: "stack" },
    fromFeatures("menu", close),
    button("big", async () => { await sound.unlock(); sound.ring(); drawHead(); }, t("testSound")),
    button("big", () => { switchAwake(); close(); }, t(isAwake() ? "awake" : "keepAwake"), { id: "awake", "aria-pressed": String(isAwake()) }),
    session.me.staff.length ? button("big", () => { close(); changePerson(); }, t("change")) : null,
    button("big no", async () => {
      close();
      if (!(await sure(t("signOutSure"), t("signOut")))) return;
      const r = await call("DELETE", "/api/v1/session");
      if (r.status === 204 || r.status === 401) signedOut("signedOut", true);
      else result("bad", t(r.status ? "failed" : "offlineNow"), 0, r.body?.detail);
    }, t("signOut"), { id: "signout" }),
    button("big", () => close(), t("close")))]);
}
