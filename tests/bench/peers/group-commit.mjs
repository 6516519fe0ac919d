// SPDX-License-Identifier: MIT
//
// group-commit.mjs - node:http and better-sqlite3: all webhooks that came while
// the last commit was on its way share the next.
import { createServer } from "node:http";
import { counts, events, genuine, path, ready } from "./webhook.mjs";
import { db, store } from "./sqlite.mjs";

let waiting = [];

const commitAll = db.transaction((batch) => {
  for (const w of batch) w.fresh = store(w.instance, w.events);
});

function commit() {
  const batch = waiting;
  waiting = [];
  let status = 200;
  try { commitAll(batch); } catch (e) { console.error(e.message); status = 503; }
  for (const w of batch) answer(w.res, status, status === 200 ? JSON.stringify(counts(w.events.length, w.fresh)) : "");
}

function answer(res, status, text) {
  res.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
  res.end(text);
}

function take(req, res, body) {
  if (req.method !== "POST" || !req.url.startsWith(path)) return answer(res, 404, "");
  if (!genuine(req.headers["x-centra-signature"], body)) return answer(res, 401, "");
  let list;
  try {
    const form = body.toString();
    if (!form.startsWith("payload=")) throw new Error("no payload");
    list = events(decodeURIComponent(form.slice(8).replaceAll("+", " ")));
  } catch { return answer(res, 400, ""); }
  if (waiting.push({ res, instance: req.url.slice(path.length), events: list, fresh: 0 }) === 1) setImmediate(commit);
}

const server = createServer({ keepAliveTimeout: 0 }, (req, res) => {
  const parts = [];
  req.on("data", (part) => parts.push(part));
  req.on("end", () => take(req, res, parts.length === 1 ? parts[0] : Buffer.concat(parts)));
});
server.listen(0, "127.0.0.1", 1024, () => ready(server.address().port));
