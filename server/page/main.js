// main.js - starts the page; each second: times, waiting answers, the lock.
//
// The list in sw.js is the tour of the modules.
import { $ } from "./dom.js";
import { t } from "./texts.js";
import { once, session, whenOut } from "./api.js";
import { pump, restore } from "./answer.js";
import { goToOffer } from "./bar.js";
import { watchBack } from "./back.js";
import { holdEscape } from "./dialogs.js";
import { loadReport, turnDay } from "./done.js";
import { guard, shield } from "./guard.js";
import { loadFeatures } from "./extras.js";
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
import { draw, every } from "./ui.js";
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
    if (why === "signed out") { signedOut(); return; }
    if (!o) pump();   // the connection may be back
    changed(o, had);
  });
  for (const f of [loadReport, loadFeatures]) { f(); every(60000, f); }
  every(1000, second);
}

async function boot() {
  const slow = setTimeout(noServer, 3000), r = await once("GET", "/api/v1/me");
  clearTimeout(slow);
  $("offline").hidden = [200, 429].includes(r.status);
  if (r.status === 200) { begin(r.body); return; }
  if (r.status === 401 || r.body?.code === "too_many_failures") { signedOut(); return; }
  if (r.status !== 429) noServer();
  setTimeout(boot, (r.retryAfter || 3) * 1000);
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
whenOut(() => signedOut());
whenIn(boot);
listen(takeScan);
guard();
holdEscape();
watchBack();
if (location.pathname === "/login" && location.hash.length > 1) login(location.hash.slice(1));
else boot();
navigator.serviceWorker?.register("/sw.js").catch(() => {});
