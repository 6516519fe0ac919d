// SPDX-License-Identifier: MIT
//
// fastify.mjs - fastify and PostgreSQL: a pool, one insert for each request.
import { parse } from "node:querystring";
import Fastify from "fastify";
import pg from "pg";
import { columns, counts, events, genuine, path, ready, table } from "./webhook.mjs";

const pool = new pg.Pool({ host: process.env.BENCH_PGHOST, database: "postgres", user: "bench", max: 32 });
await pool.query(table("BIGINT"));
const insert = { name: "insert", text: "INSERT INTO events VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING" };

async function store(instance, list) {
  if (list.length === 1) return (await pool.query({ ...insert, values: columns(instance, list[0]) })).rowCount;
  const client = await pool.connect();
  try {
    let fresh = 0;
    await client.query("BEGIN");
    for (const e of list) fresh += (await client.query({ ...insert, values: columns(instance, e) })).rowCount;
    await client.query("COMMIT");
    return fresh;
  } catch (e) {
    await client.query("ROLLBACK");
    throw e;
  } finally { client.release(); }
}

const app = Fastify({ keepAliveTimeout: 0 });
app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "buffer" }, (req, body, done) => {
  if (!genuine(req.headers["x-centra-signature"], body)) return done(Object.assign(new Error("signature"), { statusCode: 401 }));
  try { done(null, events(parse(body.toString()).payload)); } catch (e) { done(Object.assign(e, { statusCode: 400 })); }
});
app.post(`${path}:instance`, async (req) => counts(req.body.length, await store(req.params.instance, req.body)));

await app.listen({ port: 0, host: "127.0.0.1", backlog: 1024 });
ready(app.server.address().port);
