// SPDX-License-Identifier: MIT
//
// express.mjs - express and better-sqlite3, one transaction for each request.
import express from "express";
import { counts, events, genuine, path, ready } from "./webhook.mjs";
import { db, store } from "./sqlite.mjs";

const app = express();
app.disable("x-powered-by");
app.disable("etag");
const commit = db.transaction(store);

app.post(`${path}:instance`, express.urlencoded({ extended: false, verify: (req, res, body) => { req.genuine = genuine(req.headers["x-centra-signature"], body); } }), (req, res) => {
  if (!req.genuine) return res.status(401).end();
  let list;
  try { list = events(req.body.payload); } catch { return res.status(400).end(); }
  res.json(counts(list.length, commit(req.params.instance, list)));
});

const server = app.listen(0, "127.0.0.1", 1024, () => ready(server.address().port));
server.keepAliveTimeout = 0;
