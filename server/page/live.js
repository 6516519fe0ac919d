// live.js - the orders as the server last told them, kept true by the stream.
import { all, call, session } from "./api.js";
import { connect, join, leave, listens, takeOver, tellLost } from "./tabs.js";
import { every } from "./ui.js";

const SILENT_MS = 40000;                  // the server beats each 15 s

export const orders = new Map();          // number -> order
// up: events come; since: when the last one came, by performance.now(); lost: they
// do not any more.
export const link = { up: false, since: 0, lost: false };
let tell = () => {}, again = 0, wait = 0, last = "";
let need = true, loads = 0;               // the lists have to be read
let told = { mono: 0, wall: 0 };          // when something was last heard

// The server's clock, as it last told it, and the time since.
let clock = { at: Date.now(), mono: performance.now() };
export const now = () => clock.at + performance.now() - clock.mono;
export function setClock(iso) { if (iso) clock = { at: Date.parse(iso), mono: performance.now() }; }

// True when `o` is not older than what we have.
export function put(o) {
  const had = orders.get(o.number);
  if (had && had.updated_at > o.updated_at) return false;
  orders.set(o.number, o);
  tell(o, had);
  return true;
}

function up(is) {
  link.lost = !is;
  if (is) link.since = performance.now();
  if (link.up === is) return;
  link.up = is;
  tell(null);
}

function heard() { told = { mono: performance.now(), wall: Date.now() }; }
// Sleep may stop the one clock; setting the time changes the other.
const silentFor = () => Math.max(performance.now() - told.mono, Date.now() - told.wall);

async function load() {
  const mine = ++loads, before = new Map(orders);
  need = true;
  const lists = await Promise.all([all("open"), all("mine"), all("done&since=today")]);
  if (mine !== loads || !session.me) return;
  if (lists.includes(null)) { lost(); return; }
  const seen = new Set();
  for (const o of lists.flat()) { seen.add(o.number); put(o); }
  // What the stream told meanwhile stays: the lists may be older.
  for (const [n, o] of before) if (!seen.has(n) && orders.get(n) === o) orders.delete(n);
  need = false;
  up(true);
  tell(null);
}

const on = {
  hello(hello) { if (hello.resync !== false || need) load(); },
  order: put,
  beat() {},
  removed(o) { orders.delete(o.number); tell(null); },
};

const hears = {
  query: () => (need ? "" : `&last_event_id=${last}`),
  event(name, data, id) {
    heard();
    wait = 0;
    last = id || last;
    setClock(data.now);
    on[name](data);
    if (!need) up(true);
  },
  lost: () => (listens() ? lost() : (heard(), up(false))),
  out: () => tell(null, null, "signed out"),
  greeting: () => (link.up ? [{ now: new Date(now()).toISOString(), resync: false }, last] : null),
};

// Asks soon whether we are still let in; the first time at once, but not all
// screens of all shops in the same moment.
function lost() {
  up(false);
  clearTimeout(again);
  wait = wait ? Math.min(wait * 2, 15000) : 100 + Math.random() * 300;
  again = setTimeout(askIn, wait);
}

async function askIn() {
  tellLost();
  const was = session.me, r = await call("GET", "/api/v1/me");
  if (!was || session.me !== was || r.status === 401) return;   // api.js has told
  if (r.status !== 200) { lost(); return; }
  // Another tab has signed this browser in as another device.
  if (r.body.device.id !== was.device.id || r.body.shop.id !== was.shop.id) { location.reload(); return; }
  session.me = r.body;
  session.csrf = r.body.csrf;
  heard();
  if (need && !listens()) load(); else connect();
}

// Whatever the browser thinks of its network: does the server answer?
async function probe() {
  if (session.me && !(await call("GET", "/api/v1/me", undefined, undefined, 5000)).status && session.me) lost();
}

function watch() {
  if (silentFor() < SILENT_MS) return;
  heard();
  need = true;
  up(false);
  takeOver();
}

addEventListener("offline", probe);
addEventListener("online", () => { if (session.me && !link.up) { wait = 0; lost(); } });
document.addEventListener("visibilitychange", () => { if (session.me && !document.hidden && silentFor() > SILENT_MS / 2) probe(); });
document.addEventListener("resume", () => { if (session.me) load(); });   // it was frozen

export function start(onChange) {
  tell = onChange;
  need = true;
  heard();
  join(session.me.device.id, hears);
  every(5000, watch);
}

export function stop(out) {
  clearTimeout(again);
  leave(out);
  loads++;
  orders.clear();
  Object.assign(link, { up: false, since: 0, lost: false });
  last = "";
}
