// sw.js - keeps the page's own files, so that it opens without a connection.
// Never order data: /api is not touched.
const VERSION = "PAGE_VERSION";   // the server puts it in: with a new one a new worker is installed
// Of the modules none imports one that comes after it in this list.
const SHELL = ["/", "/manifest.webmanifest", "/page/icon.svg", "/page/style.css",
  ...`texts guard dom api storage sound ui extras tabs live lists parts changes codes scanner dialogs
    results back head people stops ringing answer bar timeline ship done news views signin
    menu update main`.split(/\s+/).map((f) => `/page/${f}.js`)];
// Modules that extras.js loads: kept from when they were first loaded.
const EXTRAS = `story print goods count returns deliveries`.split(/\s+/).map((f) => `/page/${f}.js`);
const WAIT_MS = 3000;             // for a server that hangs

// The modules and the style have the version in their address.
const kept = (path) => (/\.(js|css)$/.test(path) ? `${path}?v=${VERSION}` : path);

self.addEventListener("install", (e) => {
  e.waitUntil(caches.open(VERSION).then((c) => c.addAll(SHELL.map((p) => new Request(kept(p), { cache: "no-cache" })))).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (e) => {
  e.waitUntil(caches.keys().then((keys) => Promise.all(keys.filter((k) => k !== VERSION).map((k) => caches.delete(k))))
    .then(() => self.clients.claim()));
});

const cached = (key) => caches.open(VERSION).then((c) => c.match(key));

// The network first, so that a new release shows at once; but it is not waited
// for long.
async function first(request, key) {
  const hit = await cached(key), end = new AbortController();
  const timer = hit && setTimeout(() => end.abort(), WAIT_MS);
  try {
    const res = await fetch(request.mode === "navigate" ? request.url : request, { signal: end.signal, cache: "no-cache" });
    return res.ok || !hit ? res : hit;
  } catch {
    return hit || Response.error();
  } finally { clearTimeout(timer); }
}

async function keep(request, key) {
  const res = await fetch(request);
  if (res.ok) (await caches.open(VERSION)).put(key, res.clone()).catch(() => {});
  return res;
}

self.addEventListener("fetch", (e) => {
  const url = new URL(e.request.url), path = url.pathname;
  if (e.request.method !== "GET" || url.origin !== location.origin || path.startsWith("/api/")) return;
  const shell = path === "/login" ? "/" : path;
  if (![...SHELL, ...EXTRAS].includes(shell)) return;
  const key = kept(shell);
  if (key === shell) e.respondWith(first(e.request, key));
  // What has a version never changes.  Of another version we have nothing.
  else if (key === shell + url.search) e.respondWith(cached(key).then((hit) => hit || keep(e.request, key)));
});
