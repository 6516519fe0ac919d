// SPDX-License-Identifier: MIT
//
// servers.js - the real server and the stand-in for Centra, started and ended.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

// Where `make` was called, which BUILD is relative to.
export const root = fileURLToPath(new URL("../..", import.meta.url));
export const build = resolve(root, process.env.BUILD ?? "build");
const READY_MS = 20000;

export const SECRET = "test123";

// Starts a program and waits for the lines that begin with `words`.
function start(program, args, words, log) {
  const child = spawn(join(build, program), args,
    { stdio: ["ignore", "pipe", "pipe"] });
  const found = {};
  let text = "";
  child.stderr.on("data", (d) => log.push(String(d)));
  const exited = new Promise((done) => child.on("exit", done));
  const ready = new Promise((done, failed) => {
    const late = setTimeout(() => failed(new Error(`${program} is not ready`)),
      READY_MS);
    exited.then((code) => {
      clearTimeout(late);
      failed(new Error(`${program} ended with ${code}: ${log.join("")}`));
    });
    child.stdout.on("data", (d) => {
      text += d;
      for (const line of text.split("\n").slice(0, -1)) {
        const [word, url] = line.split(" ");
        if (words.includes(word)) found[word] = url;
      }
      if (words.every((w) => found[w])) {
        clearTimeout(late);
        done();
      }
    });
  });
  return ready.then(() => ({ child, exited, ...found }));
}

// What `device add` prints: the token, and the login link.
function added(config, shop, ...more) {
  return execFileSync(join(build, "shipfrom"), ["device", "add", "--config",
    config, "--shop", shop, "--name", "Till", ...more],
  { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n");
}

async function end(p) {
  if (p.child.exitCode === null) p.child.kill("SIGTERM");
  return p.exited;
}

// Centra is told where to post later: its port must be known first.
export async function startCentra() {
  const log = [];
  const p = await start("centra-sim", ["--hook-url", "http://127.0.0.1:9/",
    "--secret", SECRET], ["ready"], log);
  const control = async (path, body) => {
    const r = await call(p.ready, body === undefined ? "GET" : "POST",
      `/control${path}`, { body: JSON.stringify(body) });
    if (r.status !== 200)
      throw new Error(`control ${path}: ${r.status} ${JSON.stringify(r.body)}`);
    return r.body;
  };
  return { url: p.ready, control, stop: () => end(p) };
}

// A shop whose own system ships.
const SYSTEM = "[shop antwerp]\ncentra = se\nname = antwerp\n" +
  "warehouses = 8\nship_with = order_api\n";

// A shop that closes: its devices are known still.
const CLOSED = "[shop closed]\ncentra = se\nname = closed\nwarehouses = 9\n";

export async function startShipfrom(dir, centra, settings = "") {
  const log = [];
  const config = join(dir, "shipfrom.ini");
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(config, `[server]
listen = 127.0.0.1:0
admin_listen = 127.0.0.1:0
store = lmdb:${join(dir, "data")}
answer_wait = 1s
sweep_every = 0
${settings}
[centra se]
webhook_secret = ${SECRET}
order_api_url = ${centra}/api/order-api
order_api_key = order-api-key
graphql_url = ${centra}/graphql
graphql_token = graphql-token
graphql_requests = 1000
graphql_mutations = 1000
graphql_requests_hour = 100000
graphql_mutations_hour = 100000
` + ["stockholm", "amsterdam", "berlin"].map((id, i) => `[shop ${id}]
centra = se
name = ${id}
warehouses = ${i + 2}
${id !== "amsterdam" ? `returns = yes
order_api_url = ${centra}/api/counter
order_api_key = counter-key
` : ""}`).join("") + "staff = Anna, Ben\n" + SYSTEM + CLOSED); // berlin's
  const p = await start("shipfrom", ["serve", "--config", config],
    ["ready", "admin"], log);
  return {
    url: p.ready, admin: p.admin, log,
    closeShop: () => {
      writeFileSync(config, readFileSync(config, "utf8").replace(CLOSED, ""));
      p.child.kill("SIGHUP");
    },
    terminate: () => p.child.kill("SIGTERM"),
    stop: () => end(p),
    deviceAdd: (shop) => added(config, shop)[0],
    keyAdd: (shop) => added(config, shop, "--order-api")[0],
    loginCode: (shop) => added(config, shop)[1].split("#")[1],
  };
}

// One HTTP request on a connection of its own.  `first`: of an endless answer
// only what comes first is read, or what comes until first(text) is true.
export function call(base, method, path,
  { headers = {}, body, first } = {}) {
  return new Promise((done, failed) => {
    const req = request(base + path, { method, headers, agent: false,
      timeout: 30000 }, (res) => {
      const parts = [];
      res.on("data", (d) => {
        parts.push(d);
        if (first === true || first?.(Buffer.concat(parts).toString()))
          res.destroy();
      });
      res.on("error", failed);
      res.on(first ? "close" : "end", () => {
        const text = Buffer.concat(parts).toString();
        const type = (res.headers["content-type"] ?? "").split(";")[0];
        done({ method, path, status: res.statusCode, type,
          headers: res.headers,
          body: type.endsWith("json") ? JSON.parse(text) : text });
      });
    });
    req.on("timeout", () => req.destroy(new Error("no answer in 30 s")));
    req.on("error", failed);
    req.end(body);
  });
}
