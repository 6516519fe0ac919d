// sw.js - keeps the page's own files, so that it opens without a connection.
// Never order data: /api is not touched.
const VERSION = "shell-3";
const SHELL = ["/", "/manifest.webmanifest", "/page/style.css", "/page/icon.svg",
  ...`answer api dialogs dom done head lists live main menu news parts people print results ringing ship signin sound stops storage tabs texts ui views`
    .split(" ").map((f) => `/page/${f}.js`)];

self.addEventListener("install", (e) => {
  e.waitUntil(caches.open(VERSION).then((c) => c.addAll(SHELL)).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (e) => {
  e.waitUntil(caches.keys().then((keys) => Promise.all(keys.filter((k) => k !== VERSION).map((k) => caches.delete(k))))
    .then(() => self.clients.claim()));
});
// The network first, so that a new release shows at once.
self.addEventListener("fetch", (e) => {
  const path = new URL(e.request.url).pathname;
  if (e.request.method !== "GET" || path.startsWith("/api/")) return;
  const shell = path === "/login" ? "/" : path;
  if (!SHELL.includes(shell)) return;
  e.respondWith(fetch(e.request).then((res) => {
    if (res.ok) { const copy = res.clone(); e.waitUntil(caches.open(VERSION).then((c) => c.put(shell, copy))); }
    return res;
  }).catch(() => caches.match(shell).then((hit) => hit || Response.error())));
});
