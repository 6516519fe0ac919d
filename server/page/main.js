// main.js - signs in, keeps the lists, rings, and says the truth.
import { h, $, keep, ask, say } from "./dom.js";
import { failed, t } from "./texts.js";
import { call, post, session } from "./api.js";
import * as live from "./live.js";
import * as answer from "./answer.js";
import * as ship from "./ship.js";
import * as sound from "./sound.js";

const IDLE_MS = 10 * 60000, RING_EVERY_MS = 15000;
const ui = { tab: "toAnswer", open: 0, seen: new Set(), stops: new Set(), rangAt: 0, touched: Date.now(), lock: null, wake: null };
const OPEN = ["pending", "accepting", "rejecting", "refused"];

const list = (pick) => [...live.orders.values()].filter(pick).sort((a, b) => answer.deadline(a) - answer.deadline(b) || a.number - b.number);
const toAnswer = () => list((o) => OPEN.includes(o.state));
const toShip = () => list((o) => o.state === "accepted" && !o.shipped)
  .sort((a, b) => !!b.problem - !!a.problem || String(a.placed_at).localeCompare(String(b.placed_at)));
const finished = () => list((o) => o.shipped || !(OPEN.includes(o.state) || o.state === "accepted"))
  .sort((a, b) => b.updated_at.localeCompare(a.updated_at));

/* ---- signing in ---- */

const notice = (title, ...more) => $("main").replaceChildren(h("section", { class: "login card stack" }, h("h1", {}, title), ...more));

function login(code) {
  const show = (why, again) => notice(t("signIn"), why ? h("p", { class: "state bad", role: "alert" }, why) : h("p", {}, t("signInText")),
    again && h("button", { class: "go big wide", id: "signin", onclick: go }, t("signInGo")));
  const go = async (e) => {
    e.target.disabled = true;
    const r = await call("POST", "/api/v1/session", { code });
    if (r.status === 200) { history.replaceState(null, "", "/"); boot(); }
    else if (r.status === 401) show(t("badLink"));
    else show(r.status ? failed(r) : t("offlineNow"), true);
  };
  show("", true);
}

function signedOut(text) {
  session.me = null;
  live.stop();
  answer.forget();
  for (const id of ["head", "tabs", "foot"]) $(id).hidden = true;
  $("screen").hidden = false;
  for (const id of ["results", "dialogs", "print", "say"]) $(id).replaceChildren();
  document.title = "shipfrom";
  notice(text);
}

/* ---- who acts ---- */

// {staff} as calls take it, empty when the shop has no list; null when not said.
export async function who() {
  ui.touched = Date.now();
  if (!session.me.staff.length) return {};
  if (!session.staff) session.staff = await chooseStaff();
  drawHead();
  return session.staff ? { staff: session.staff } : null;
}

const changePerson = () => { session.staff = ""; who(); };

const chooseStaff = (lock) => ask((close) => [h("h2", { id: "who-title" }, t("who")),
  lock ? h("p", {}, t("lockedText", { n: toAnswer().length, m: toShip().length })) : null,
  h("div", { class: "stack" }, session.me.staff.map((n) => h("button", { class: "big", onclick: () => close(n) }, n)),
    lock ? null : h("button", { onclick: () => close(undefined) }, t("cancel")))], { "aria-labelledby": "who-title", firm: lock });

async function lockIdle() {
  if (ui.lock || !session.staff || Date.now() - ui.touched < IDLE_MS) return;
  session.staff = "";
  ui.lock = true;
  $("screen").hidden = true;
  session.staff = (await chooseStaff(true)) || "";
  $("screen").hidden = false;
  ui.lock = null;
  ui.touched = Date.now();
  drawHead();
  draw();
}

/* ---- what happened ---- */

// The newest of an order is what counts.
export function result(kind, text, n = 0) {
  const box = h("p", { class: `state ${kind} row`, "data-n": String(n) }, h("span", { class: "grow" }, text),
    h("button", { class: "quiet", "aria-label": t("close"), onclick: () => box.remove() }, "×"));
  for (const old of document.querySelectorAll(`#results [data-n="${n}"]`)) if (n || old.firstChild.textContent === text) old.remove();
  $("results").append(box);
  if (kind === "good") setTimeout(() => box.remove(), 10000);
}

let due = 0;

function changed(o, had, why) {
  if (why === "signed out") { signedOut(t("noLink")); return; }
  if (o) {
    if (!o.stop) ui.stops.delete(o.number);
    if (o.stop && !ui.stops.has(o.number)) stop(o);
    else if (had && had.state !== o.state) {
      const asked = had.state === "accepting" || answer.pending.get(o.number)?.verb === "accept";
      if (o.state === "accepted") result("good", t("accepted", { n: o.number }), o.number);
      else if (asked && answer.ENDED.includes(o.state)) result("bad", t(o.state, { n: o.number }), o.number);
    }
    if (had && !had.shipped && o.shipped) result("good", t("shippedNow", { n: o.number }), o.number);
    if (!had && o.state === "pending") say(t("newOrder", { n: o.number, t: answer.leftText(answer.deadline(o) - live.now()) }));
  }
  due ||= setTimeout(() => { due = 0; draw(); ringIfNew(); }, 20);   // many at once are drawn once
}

async function stop(o) {
  ui.stops.add(o.number);
  if (ui.open === o.number) ui.open = 0;
  sound.ring();
  if (answer.ENDED.includes(o.state)) result("bad", t(o.state, { n: o.number }), o.number);
  await ask((close) => [h("h2", { id: "stop-title" }, t("stopTitle")), h("p", { class: "number" }, t("stopText", { n: o.number })),
    h("button", { class: "big wide", id: "stopped", onclick: async (e) => {
      const button = e.target, me = await who();
      button.disabled = true;
      const r = await post(o.number, "stopped", me || {});
      button.disabled = false;
      if (r.status !== 200) { button.textContent = t("tryAgain"); return; }   // until it is confirmed, nothing else
      close();
      live.put(r.body);
    } }, t("stopSeen"))], { class: "stop", firm: true, "aria-labelledby": "stop-title", "data-stop": String(o.number) });
}

// Another tablet confirmed it: no need to ask here too.
function closeStops() {
  for (const box of document.querySelectorAll("dialog[data-stop]")) {
    const o = live.orders.get(Number(box.dataset.stop));
    if (!o || !o.stop) { box.close(); box.remove(); }
  }
}

/* ---- ringing ---- */

const unseen = () => toAnswer().filter((o) => o.state === "pending" && !ui.seen.has(o.number) && answer.deadline(o) > live.now());

function ringIfNew() {
  const fresh = unseen();
  if (!fresh.length) { ui.rangAt = 0; return; }
  const newest = Math.max(...fresh.map((o) => o.number));
  if (Date.now() - ui.rangAt > RING_EVERY_MS || newest > (ui.rangFor || 0)) { ui.rangAt = Date.now(); ui.rangFor = newest; sound.ring(); }
}

function touched() {
  ui.touched = Date.now();
  if (document.hidden || ui.lock || ui.tab !== "toAnswer" || ui.open) return;
  for (const o of toAnswer()) ui.seen.add(o.number);
}

/* ---- drawing ---- */

function age(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  return s < 90 ? `${s} s` : `${Math.round(s / 60)} min`;
}

function drawHead() {
  $("shop").textContent = session.me.shop.name;
  $("who").hidden = !session.staff;
  $("who").textContent = session.staff;
  $("bell").textContent = sound.ready() ? "♪" : t("soundOff");
  $("bell").classList.toggle("warn", !sound.ready());
  $("bell").setAttribute("aria-label", t(sound.ready() ? "testSound" : "soundOff"));
  $("menu").setAttribute("aria-label", t("menu"));
}

function tabs() {
  const counts = { toAnswer: toAnswer().length, toShip: toShip().length };
  keep($("tabs"), ["toAnswer", "toShip", "done"].map((k) => ({ key: k, sign: `${ui.tab === k}${counts[k]}`,
    make: () => h("button", { role: "tab", id: `tab-${k}`, "aria-selected": String(ui.tab === k), "aria-controls": "main",
      tabIndex: ui.tab === k ? 0 : -1, onkeydown: arrow, onclick: () => { ui.tab = k; ui.open = 0; touched(); draw(); scrollTo(0, 0); } },
      counts[k] ? `${t(k)} (${counts[k]})` : t(k)) })));
  $("main").setAttribute("role", "tabpanel");
  $("main").setAttribute("aria-labelledby", `tab-${ui.tab}`);
  document.title = counts.toAnswer ? `(${counts.toAnswer}) ${t("toAnswer")}` : "shipfrom";
}

function arrow(e) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
  if (!step) return;
  const all = [...$("tabs").children], next = all[(all.indexOf(e.target) + step + all.length) % all.length];
  next.click();
  $("tabs").querySelector("[aria-selected=true]").focus();
}

export function draw() {
  if (!session.me || ui.lock) return;
  tabs();
  closeStops();
  const box = $("main"), o = ui.open && live.orders.get(ui.open);
  if (o && o.state === "accepted" && !o.shipped) { box.className = ""; keep(box, [ship.view(o, () => { ui.open = 0; draw(); })]); drawOffline(); return; }
  ui.open = 0;
  const items = ui.tab === "toAnswer" ? toAnswer().map(answer.card) : ui.tab === "toShip" ? toShip().map((x) => ship.card(x, openShip)) : doneCards();
  box.className = "cards";
  keep(box, items.length ? items : [{ key: "none", sign: ui.tab, make: () => h("p", { class: "empty" }, t({ toAnswer: "noneToAnswer", toShip: "noneToShip", done: "noneDone" }[ui.tab])) }]);
  drawOffline();
}

function openShip(n) { ui.open = n; draw(); scrollTo(0, 0); $("main").querySelector("[autofocus]")?.focus(); }

const outcome = (o) => (o.shipped ? "shipped" : { rejected: "rejectedBy", timed_out: "missed", taken: "lost2", cancelled: "cancelledShort" }[o.state] || "done");

function doneCards() {
  const all = finished(), count = {};
  for (const o of all) count[outcome(o)] = (count[outcome(o)] || 0) + 1;
  if (!all.length) return [];
  const facts = ["shipped", "rejectedBy", "missed", "lost2"].map((k) => [t(k), count[k] || 0]);
  if (ui.report?.answer_median_s != null) facts.push([t("answerTime"), age(ui.report.answer_median_s * 1000)]);
  return [{ key: "counts", sign: JSON.stringify(facts), make: () => h("section", { "aria-label": t("done") }, h("dl", { class: "facts" }, facts.map(([k, v]) => h("div", {}, h("dt", {}, k), h("dd", {}, String(v)))))) },
    ...all.slice(0, 100).map((o) => ({ key: o.number, sign: JSON.stringify(o), make: () => h("article", { class: "card", "aria-label": t("order", { n: o.number }) },
      h("div", { class: "row" }, h("h2", { class: "number grow" }, t("order", { n: o.number })), h("strong", {}, t(outcome(o)))),
      h("p", { class: "soft" }, [o.shipment?.tracking && t("tracked", { t: o.shipment.tracking }), new Date(o.updated_at).toLocaleTimeString([], { timeStyle: "short" })].filter(Boolean).join(" · "))) }))];
}

function drawOffline() {
  $("offline").hidden = live.link.up;
  $("offline").textContent = live.link.up ? "" : live.link.since ? t("offline", { age: age(Date.now() - live.link.since) }) : t("offlineNow");
}

function second() {
  for (const el of document.querySelectorAll("[data-deadline]")) {
    const ms = Number(el.dataset.deadline) - live.now();
    const text = leftText(el, ms);
    if (el.textContent !== text) el.textContent = text;
  }
  answer.pump();
  for (const el of document.querySelectorAll("[data-undo]")) el.textContent = t("rejectIn", { s: Math.max(0, Math.ceil((el.dataset.undo - Date.now()) / 1000)) });
  draw();
  ringIfNew();
  lockIdle();
}

function leftText(el, ms) { const c = answer.leftClass(ms); if (el.className !== c) el.className = c; return answer.leftText(ms); }

/* ---- menu ---- */

async function keepAwake() {
  try { ui.wake = await navigator.wakeLock?.request("screen"); } catch { ui.wake = null; }
}

function menu() {
  ask((close) => [h("h2", { id: "menu-title" }, session.me.shop.name), h("p", { class: "soft" }, session.me.device.name), h("div", { class: "stack" },
    h("button", { class: "big", onclick: async () => { await sound.unlock(); sound.ring(); drawHead(); } }, t("testSound")),
    h("button", { class: "big", "aria-pressed": String(localStorage.awake === "yes"), onclick: () => {
      localStorage.awake = localStorage.awake === "yes" ? "no" : "yes";
      if (localStorage.awake === "yes") keepAwake(); else ui.wake?.release();
      close();
    } }, t(localStorage.awake === "yes" ? "awake" : "keepAwake")),
    session.me.staff.length ? h("button", { class: "big", onclick: () => { close(); changePerson(); } }, t("change")) : null,
    h("button", { class: "big no", id: "signout", onclick: async () => {
      close();
      if (!(await ship.sure(t("signOutSure"), t("signOut")))) return;
      const r = await call("DELETE", "/api/v1/session");
      if (r.status === 204 || r.status === 401) signedOut(t("signedOut"));
      else result("bad", r.status ? failed(r) : t("offlineNow"));
    } }, t("signOut")),
    h("button", { class: "big", onclick: () => close() }, t("close")))], { "aria-labelledby": "menu-title" });
}

async function report() {
  const r = await call("GET", "/api/v1/report?since=today");
  if (r.status === 200) ui.report = r.body;
}

/* ---- start ---- */

async function boot() {
  const r = await call("GET", "/api/v1/me");
  $("offline").hidden = r.status === 200;
  if (r.status === 401) { signedOut(t("noLink")); return; }
  if (r.status !== 200) { $("offline").textContent = t("offlineNow"); setTimeout(boot, 3000); return; }
  session.me = r.body;
  session.csrf = r.body.csrf;
  $("main").replaceChildren();
  for (const id of ["head", "tabs"]) $(id).hidden = false;
  drawHead();
  $("bell").onclick = async () => { await sound.unlock(); sound.ring(); drawHead(); };
  $("menu").onclick = menu;
  $("who").onclick = changePerson;
  for (const e of ["pointerdown", "keydown"]) addEventListener(e, touched);
  addEventListener("keydown", ship.toScan);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && localStorage.awake === "yes") keepAwake(); });
  addEventListener("pointerdown", () => sound.unlock().then(drawHead, () => {}), { once: true });
  if (localStorage.awake === "yes") keepAwake();
  live.start(changed);
  report();
  setInterval(report, 60000);
  setInterval(second, 1000);
}

navigator.serviceWorker?.register("/sw.js").catch(() => {});
if (location.pathname === "/login" && location.hash.length > 1) login(location.hash.slice(1));
else boot();
