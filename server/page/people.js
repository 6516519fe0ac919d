// people.js - who acts on a shared tablet, and the lock of one that lies idle.
import { button, h, $ } from "./dom.js";
import { t } from "./texts.js";
import { session } from "./api.js";
import { ask } from "./dialogs.js";
import { drawHead } from "./head.js";
import { toAnswer, toShip } from "./lists.js";
import { draw, ui } from "./ui.js";

const IDLE_MS = 10 * 60000;

// {staff} for a call; {}: the shop has no list; null: nobody was chosen.
export async function who() {
  ui.touched = Date.now();
  if (!session.me?.staff.length) return {};
  if (!session.staff) session.staff = await chooseStaff();
  drawHead();
  return session.staff ? { staff: session.staff } : null;
}

export const changePerson = () => { session.staff = ""; who(); };

const lockedText = () => t("lockedText", { n: toAnswer().length, m: toShip().length });

// A locked tablet shows true numbers, too.
export function drawLock() {
  const el = $("locked"), text = lockedText();
  if (el && el.textContent !== text) el.textContent = text;
}

const chooseStaff = (lock) => ask("who-title", t("who"), (close) => [lock ? h("p", { id: "locked" }, lockedText()) : null,
  h("div", { class: "stack" }, session.me.staff.map((n) => button("big", () => close(n), n)),
    lock ? null : h("button", { onclick: () => close() }, t("cancel")))], { firm: lock });

// Locks a shared tablet that nobody touched for a while.
export async function lockIdle() {
  if (ui.locked || !session.staff || Date.now() - ui.touched < IDLE_MS) return;
  session.staff = "";
  ui.locked = true;
  $("screen").hidden = true;
  session.staff = (await chooseStaff(true)) || "";
  $("screen").hidden = false;
  ui.locked = false;
  ui.touched = Date.now();
  drawHead();
  draw();
}
