// live.js - the orders as the server last told them, kept true by the stream.
import { all, call, session } from "./api.js";

export const orders = new Map();          // number -> order
export const link = { up: false, since: 0, skew: 0 };
let tell = () => {}, source = null, again = 0, wait = 0, told = 0, last = "";
let need = true, loads = 0;               // the lists have to be read

export const now = () => Date.now() + link.skew;   // the server's clock

// True when `o` is not older than what we have.
export function put(o) {
  const had = orders.get(o.number);
  if (had && had.updated_at > o.updated_at) return false;
  orders.set(o.number, o);
  tell(o, had);
  return true;
}

function up(is) {
  is &&= navigator.onLine;
  if (is) link.since = Date.now();
  if (link.up === is) return;
  link.up = is;
  tell(null);
}

async function load() {
  const mine = ++loads, before = new Map(orders);
  need = true;
  const lists = await Promise.all([all("open"), all("mine"), all("done&since=today")]);
  if (mine !== loads) return;
  if (lists.includes(null)) { lost(); return; }
  const seen = new Set();
  for (const o of lists.flat()) { seen.add(o.number); put(o); }
  // What the stream told meanwhile stays: the lists may be older.
  for (const [n, o] of before) if (!seen.has(n) && orders.get(n) === o) orders.delete(n);
  need = false;
  up(true);
  tell(null);
}

function open() {
  clearTimeout(again);
  source?.close();
  source = new EventSource(`/api/v1/stream?screen=1${need ? "" : `&last_event_id=${last}`}`);
  const on = (name, f) => source.addEventListener(name, (e) => {
    told = Date.now();
    wait = 0;
    last = e.lastEventId || last;
    f(JSON.parse(e.data));
    if (!need) up(true);
  });
  on("hello", (hello) => {
    if (hello.now) link.skew = Date.parse(hello.now) - Date.now();
    if (hello.resync !== false || need) load();
  });
  on("order", put);
  on("beat", () => {});
  on("removed", (o) => { orders.delete(o.number); tell(null); });
  source.onerror = lost;
}

// Asks soon whether we are still let in; the first time at once, but not all
// screens of all shops in the same moment.
function lost() {
  up(false);
  source?.close();
  clearTimeout(again);
  wait = wait ? Math.min(wait * 2, 15000) : 100 + Math.random() * 300;
  again = setTimeout(async () => {
    const r = await call("GET", "/api/v1/me");
    if (r.status === 401) tell(null, null, "signed out");
    else if (r.status !== 200) lost();
    else { session.me = r.body; session.csrf = r.body.csrf; open(); }
  }, wait);
}

export function start(onChange) {
  tell = onChange;
  open();
  addEventListener("offline", () => up(false));
  addEventListener("online", open);
  // A stream that went silent (a tablet that slept) is opened anew.
  setInterval(() => { if (source && Date.now() - told > 40000) { told = Date.now(); up(false); open(); } }, 5000);
}

export function stop() { clearTimeout(again); source?.close(); source = null; orders.clear(); }
