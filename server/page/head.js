// head.js - the line at the top: the shop, who acts, the bell, the menu.
import { $ } from "./dom.js";
import { t } from "./texts.js";
import { session } from "./api.js";
import * as sound from "./sound.js";

export function drawHead() {
  if (!session.me) return;
  $("shop").textContent = session.me.shop.name;
  $("who").hidden = !session.staff;
  $("who").textContent = session.staff;
  $("bell").textContent = sound.ready() ? "♪" : t("soundOff");
  $("bell").classList.toggle("warn", !sound.ready());
  $("bell").setAttribute("aria-label", t(sound.ready() ? "testSound" : "soundOff"));
  $("menu").setAttribute("aria-label", t("menu"));
}
