// tabs.js - the event stream, one for all tabs of a browser: six connections are
// all that a browser has for one server.  The tab that holds a lock listens, and
// passes on what it hears; when it is closed or falls silent, another takes over.
// Where there are no locks (http), or none are given, each tab listens for itself.

// hears: {query(), event(name, data, id), lost(), out(), greeting()}
//   query     what the stream's address ends with
//   event     something came; lost: it does not come any more; out: another tab
//             was signed out
//   greeting  [data, id] of a hello for a tab that is new; null: none is known
let hears = null, channel = null, source = null, lock = "", leads = false, release = null, waits = null;

const pass = (message) => channel?.postMessage(message);

function take(m) {
  if (!hears) return;
  if (m.asks) { const g = leads && hears.greeting(); if (g) pass({ name: "hello", data: g[0], id: g[1] }); return; }
  if (m.out) hears.out();
  else if (m.lost) hears.lost();
  else hears.event(m.name, m.data, m.id);
}

// Opens the stream, if this tab is the one that listens.
export function connect() {
  if (!leads || !hears) return;
  source?.close();
  source = new EventSource(`/api/v1/stream?screen=1${hears.query()}`);
  for (const name of ["hello", "order", "beat", "removed"]) {
    source.addEventListener(name, (e) => {
      const data = JSON.parse(e.data);
      pass({ name, data, id: e.lastEventId });
      hears?.event(name, data, e.lastEventId);
    });
  }
  source.onerror = () => { source?.close(); tellLost(); hears?.lost(); };
}

// Tells the other tabs that this one has lost the stream and tries again.
export const tellLost = () => leads && pass({ lost: true });
export const listens = () => leads;

function wait(steal) {
  const mine = lock, options = steal ? { steal: true } : { signal: (waits = new AbortController()).signal };
  const lead = () => { leads = true; connect(); };
  navigator.locks.request(lock, options, () => new Promise((done) => { release = done; lead(); }))
    .then(() => true, (e) => e.name === "AbortError")
    .then((given) => {
      if (mine !== lock) return;
      if (!given) { lead(); return; }   // the browser has no lock for us
      if (!leads) return;
      leads = false;                    // let go, or taken by another tab
      source?.close();
      wait(false);
    });
}

// Takes over from a tab that has fallen silent.
export function takeOver() {
  if (leads) { connect(); return; }
  waits?.abort();
  wait(true);
}

// Begins to listen, as this device.
export function join(device, h) {
  hears = h;
  if (!navigator.locks || !window.BroadcastChannel) { leads = true; connect(); return; }
  lock = `shipfrom-stream-${device}`;
  channel = new BroadcastChannel(lock);
  channel.onmessage = (e) => take(e.data);
  wait(false);
  pass({ asks: true });
}

// Listens no more; `out`: nor shall the device's other tabs.
export function leave(out) {
  if (out) pass({ out: true });
  hears = null;
  lock = "";
  leads = false;
  source?.close();
  source = null;
  waits?.abort();
  release?.();
  release = null;
  channel?.close();
  channel = null;
}
