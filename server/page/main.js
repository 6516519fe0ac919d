// main.js - starts the page.
//
// The modules, from those that import none to this one.  None imports one that
// is below it in this list, so there is no circle.
//
//   texts    every word, in English and Swedish
//   dom      elements without a framework
//   api      the calls to the server, and who is signed in
//   storage  what this browser keeps
//   sound    ring, buzz, tick
//   ui       what this screen shows (tab, open order), draw() for all, timers
//   tabs     one event stream for all tabs of a browser
//   live     the orders as the server last told them, kept true by the stream
//   lists    the orders as the tabs list them
//   parts    times, and a line of an order
//   changes  what is different in an order since a person looked
//   codes    what a scanned text means
//   scanner  the one handler of keys: a scanner's go to the view, never to a button
//   dialogs  questions over the page
//   guard    a second tap presses nothing else
//   results  what became of what was pressed
//   back     Back closes what is over the list
//   head     the line at the top
//   people   who acts; the lock
//   stops    *stop*, over everything
//   ringing  rings for offers that nobody has seen, or whose time runs out
//   answer   the tab "to answer": cards, and answers that arrive exactly once
//   bar      over every view, the offer that presses
//   timeline what happened to an order
//   print    pick list and packing slip
//   ship     the tab "to ship": pick, pack, ship
//   done     the tab "done today"
//   news     tells what changed
//   views    draws the tabs and what is open
//   signin   signing in and out
//   menu     the device's menu
//   update   loads a newer page, when this one is idle
//   main     starts it all; each second: times, waiting answers, the lock
//
// sw.js, the service worker, stands alone.
import { $ } from "./dom.js";
import { t } from "./texts.js";
import { call, session, whenOut } from "./api.js";
import { pump, restore } from "./answer.js";
import { goToOffer } from "./bar.js";
import { watchBack } from "./back.js";
import { holdEscape } from "./dialogs.js";
import { loadReport, turnDay } from "./done.js";
import { guard } from "./guard.js";
import { drawHead } from "./head.js";
import { setClock, start } from "./live.js";
import { menu, stayAwake } from "./menu.js";
import { changed } from "./news.js";
import { changePerson, lockIdle } from "./people.js";
import { ringIfNew, touched } from "./ringing.js";
import { listen } from "./scanner.js";
import { login, signedOut, whenIn } from "./signin.js";
import * as sound from "./sound.js";
import { closeTimelines } from "./timeline.js";
import { draw, every, shield } from "./ui.js";
import { updateIfIdle } from "./update.js";
import { drawTimes, takeScan } from "./views.js";

function second() {
  turnDay();
  pump();
  drawTimes();
  draw();
  ringIfNew();
  lockIdle();
  updateIfIdle();
}

// What the server says of a session that begins.
function begin(me) {
  session.me = me;
  session.csrf = me.csrf;
  setClock(me.now);
  $("main").replaceChildren();
  closeTimelines();
  for (const id of ["head", "tabs", "top"]) $(id).hidden = false;
  drawHead();
  restore();
  stayAwake();
  start((o, had, why) => {
    if (why === "signed out") { signedOut(t("noLink")); return; }
    if (!o) pump();   // the connection may be back
    changed(o, had);
  });
  loadReport();
  every(60000, loadReport);
  every(1000, second);
}

async function boot() {
  const slow = setTimeout(noServer, 3000), r = await call("GET", "/api/v1/me");
  clearTimeout(slow);
  $("offline").hidden = r.status === 200;
  if (r.status === 200) { begin(r.body); return; }
  if (r.status === 401) { signedOut(t("noLink")); return; }
  noServer();
  setTimeout(boot, 3000);
}

function noServer() {
  $("top").hidden = $("offline").hidden = false;
  $("offline").textContent = t("offlineNow");
}

$("bell").onclick = async () => { await sound.unlock(); sound.ring(); };
$("menu").onclick = menu;
$("bar").onclick = goToOffer;
$("who").onclick = changePerson;
for (const e of ["pointerdown", "keydown"]) addEventListener(e, () => { if (session.me) touched(); sound.unlock(); });
// What comes and goes above the views moves them.
new ResizeObserver(() => {
  document.documentElement.style.setProperty("--top", `${$("top").offsetHeight}px`);
  shield(400);
}).observe($("top"));
sound.whenChanged(drawHead);
whenOut(() => signedOut(t("noLink")));
whenIn(boot);
listen(takeScan);
guard();
holdEscape();
watchBack();
if (location.pathname === "/login" && location.hash.length > 1) login(location.hash.slice(1));
else boot();
navigator.serviceWorker?.register("/sw.js").catch(() => {});
