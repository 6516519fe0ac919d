// SPDX-License-Identifier: MIT
//
// servers.mjs - the real server, the stand-in for Centra, and a browser.
//
// Nothing sleeps to be ready: programs say so, and the rest waits for a
// condition.

import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const build = resolve(root, process.env.BUILD ?? "build");
// For what comes soon on any machine, if it comes at all.
const READY_MS = 60000, COMES_MS = 30000;

const run = promisify(execFile);

/* ---- programs ---- */

// None outlives us, however we end.
const children = new Set();
process.on("exit", () => { for (const c of children) c.kill("SIGKILL"); });
for (const s of ["SIGINT", "SIGTERM"]) process.on(s, () => process.exit(1));

function start(program, args, words) {
  const child = spawn(join(build, program), args, { stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  child.on("exit", () => children.delete(child));
  const log = [], found = {};
  let text = "";
  child.stderr.on("data", (d) => log.push(String(d)));
  const exited = new Promise((done) => child.on("exit", done));
  return new Promise((done, failed) => {
    const late = setTimeout(() => failed(new Error(`${program} is not ready`)), READY_MS);
    exited.then((code) => { clearTimeout(late); failed(new Error(`${program} ended with ${code}: ${log.join("")}`)); });
    child.stdout.on("data", (d) => {
      text += d;
      for (const line of text.split("\n").slice(0, -1)) {
        const [word, url] = line.split(" ");
        if (words.includes(word)) found[word] = url;
      }
      if (words.every((w) => found[w])) { clearTimeout(late); done({ child, exited, log, ...found }); }
    });
  });
}

async function end(p, signal) {
  if (p.child.exitCode === null && p.child.signalCode === null) p.child.kill(signal);
  return p.exited;
}

// Below the ports that the system gives to whoever connects: one of those may be
// in use again before a server that was killed has come back to it.
function ports() {
  let first = 32768;
  try { first = Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/)[0]); } catch { /* not Linux */ }
  const from = first > 12000 ? 10000 : 61000, to = first > 12000 ? first : 65536;
  return from + Math.floor(Math.random() * (to - from));
}

// The page is opened by its public_url, which has to be known before the start.
function freePort() {
  return new Promise((done) => {
    const s = createServer().on("error", () => done(freePort()));
    s.listen(ports(), "127.0.0.1", () => { const { port } = s.address(); s.close(() => done(port)); });
  });
}

export function call(url, method, { headers = {}, body } = {}) {
  return new Promise((done, failed) => {
    const req = request(url, { method, headers, agent: false, timeout: 30000 }, (res) => {
      const parts = [];
      res.on("data", (d) => parts.push(d));
      res.on("error", failed);
      res.on("end", () => {
        const text = Buffer.concat(parts).toString();
        done({ status: res.statusCode, headers: res.headers, body: (res.headers["content-type"] ?? "").includes("json") ? JSON.parse(text) : text });
      });
    });
    req.on("timeout", () => req.destroy(new Error("no answer in 30 s")));
    req.on("error", failed);
    req.end(body);
  });
}

/* ---- a world: Centra, shipfrom, three shops ---- */

const SHOPS = [["stockholm", "Stockholm, Biblioteksgatan", 2], ["amsterdam", "Amsterdam, Kalverstraat", 3], ["berlin", "Berlin, Mitte", 4]];

function config(w, { settings, instance, staff, shop }) {
  return `[server]
listen = 127.0.0.1:${w.port}
admin_listen = 127.0.0.1:0
public_url = ${w.url}
store = lmdb:${join(w.dir, "data")}
store_max = 1G
sweep_every = 0
drain = 0s
connections = 9000
${settings ?? ""}
[centra se]
webhook_secret = test123
order_api_url = ${w.centra.ready}/api/order-api
order_api_key = order-api-key
graphql_url = ${w.centra.ready}/graphql
graphql_token = graphql-token
graphql_requests = 900
graphql_mutations = 900
graphql_requests_hour = 100000
graphql_mutations_hour = 100000
${instance ?? ""}
` + SHOPS.map(([id, name, warehouse]) => `[shop ${id}]
centra = se
name = ${name}
warehouses = ${warehouse}
${staff && id === "amsterdam" ? `staff = ${staff}\n` : ""}${shop && id === "amsterdam" ? `${typeof shop === "function" ? shop(w) : shop}\n` : ""}
`).join("");
}

// Everything of it ends with stop().  Somebody else may have taken the port that
// was free a moment ago: then another is tried.
export async function startWorld(options = {}, tries = 3) {
  mkdirSync(join(build, "browser"), { recursive: true });
  const w = { dir: mkdtempSync(join(build, "browser", "world-")), port: await freePort() };
  w.url = `http://127.0.0.1:${w.port}`;
  w.file = join(w.dir, "shipfrom.ini");
  w.centra = await start("centra-sim", ["--hook-url", `${w.url}/webhooks/centra/se`, "--secret", "test123"], ["ready"]);
  const serve = () => start("shipfrom", ["serve", "--config", w.file], ["ready", "admin"]);
  w.kill = () => end(w.server, "SIGKILL");
  w.again = async () => { w.server = await serve(); };
  w.stop = async () => {
    await Promise.all([w.server && end(w.server, "SIGTERM"), end(w.centra, "SIGTERM")]);
    rmSync(w.dir, { recursive: true, force: true });
  };
  // Nobody waits for it but who asks: another test may be in the middle of a code.
  w.cli = async (...args) => (await run(join(build, "shipfrom"), [...args.slice(0, 2), "--config", w.file, ...args.slice(2)])).stdout;
  w.device = async (shop = "amsterdam", name = "Till") => {
    const [token, link] = (await w.cli("device", "add", "--shop", shop, "--name", name)).split("\n");
    return { token, link };
  };
  w.firstDevice = async () => String(JSON.parse((await w.cli("device", "list", "--json")).split("\n")[0]).id);
  w.control = async (path, body) => {
    const r = await call(`${w.centra.ready}/control${path}`, body === undefined ? "GET" : "POST", { body: JSON.stringify(body) });
    if (r.status !== 200) throw new Error(`control ${path}: ${r.status} ${JSON.stringify(r.body)}`);
    return r.body;
  };
  w.place = async (order = {}) => (await w.control("/orders", order)).number;
  w.ordered = async (number) => (await w.control("/state")).orders.find((o) => o.number === number);
  w.calls = async (number, what) => (await w.control(`/calls?order=${number}`)).calls.filter((c) => !what || c.what === what);
  w.api = (token, method, path, body) => call(`${w.url}/api/v1${path}`, method,
    { headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  try {
    writeFileSync(w.file, config(w, options));
    await w.again();
  } catch (e) {
    await w.stop();
    if (tries > 1 && String(e).includes("Address already in use")) return startWorld(options, tries - 1);
    throw e;
  }
  return w;
}

/* ---- the browser ---- */

export const SIZES = { small: { width: 360, height: 740 }, phone: { width: 390, height: 844 }, tablet: { width: 1180, height: 820 }, upright: { width: 800, height: 1280 } };

export function startBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--autoplay-policy=user-gesture-required"] });
}

// A screen of a shop: a context with one page that is signed in.  What the
// page's console says of errors is in screen.errors.
export async function screen(browser, world, { shop = "amsterdam", size = "phone", scheme = "light", locale = "en-GB", link, signIn = true, init } = {}) {
  const context = await browser.newContext({ viewport: SIZES[size], colorScheme: scheme, locale, hasTouch: true, reducedMotion: "reduce" });
  const errors = [];
  context.setDefaultTimeout(COMES_MS);
  context.on("console", (m) => { if (m.type() === "error") errors.push(`${m.text()} ${m.location().url}`); });
  context.on("weberror", (e) => errors.push(String(e.error())));
  if (init) await context.addInitScript(init);
  const page = await context.newPage();
  if (!link && signIn) ({ link } = await world.device(shop));
  page.errors = errors;
  page.enrol = async () => { const d = await world.device(shop); await enrol(page, d.link); return d; };
  if (signIn) await enrol(page, link);
  return page;
}

export async function enrol(page, link) {
  await page.goto(link);
  await page.click("#signin");
  await page.waitForSelector("#tab-toAnswer");
  await page.waitForSelector("#offline", { state: "hidden" });
}

// An `init` of a screen: beat(ms) is then a beat of a server whose clock is so
// much ahead, and it stays so.
export const beats = `{ const Real = EventSource, iso = (ms) => new Date(ms).toISOString();
  let ahead = 0;
  window.EventSource = class extends Real {
    addEventListener(name, f) {
      super.addEventListener(name, (e) => {
        const data = JSON.parse(e.data);
        if (data.now) data.now = iso(Date.parse(data.now) + ahead);
        f({ data: JSON.stringify(data), lastEventId: e.lastEventId });
      });
      if (name === "beat") window.beat = (ms) => { ahead = ms; f({ data: JSON.stringify({ now: iso(Date.now() + ms) }), lastEventId: "" }); };
    } }; }`;

export const cardOf = (page, n) => page.locator(`#main [data-key="${n}"]`);
export const waitFor = async (what, test, ms = COMES_MS) => {
  const until = Date.now() + ms;
  for (;;) {
    const value = await test();
    if (value) return value;
    if (Date.now() > until) throw new Error(`waited ${ms} ms in vain for: ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
};
