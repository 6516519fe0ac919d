// SPDX-License-Identifier: MIT
//
// webhook.mjs - what every peer does with a webhook before it stores it.
import { createHmac, timingSafeEqual } from "node:crypto";

const secret = process.env.BENCH_SECRET, TOLERANCE = 300;   // s

// True if the header is Centra's signature of these bytes: t=SECONDS,v1=HEX.
export function genuine(header, body) {
  const found = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header ?? "");
  if (!found || Math.abs(Date.now() / 1000 - Number(found[1])) > TOLERANCE) return false;
  const mine = createHmac("sha256", secret).update(`${found[1]}.`).update(body).digest();
  return timingSafeEqual(mine, Buffer.from(found[2], "hex"));
}

// The events of the JSON in the form's field `payload`.  Throws when it is none.
export function events(payload) {
  const list = JSON.parse(payload).events;
  for (const e of list)
    if (typeof e.type !== "string" || typeof e.action !== "string" || typeof e.date !== "string" || !Number.isSafeInteger(e.id)) throw new Error("no event");
  return list;
}

// The columns of an event: the first five are its key, so that a repetition is
// stored once.
export const columns = (instance, e) => [instance, e.type, e.action, e.date, e.id, JSON.stringify(e), Date.now()];

export const table = (number) => `CREATE TABLE IF NOT EXISTS events (instance TEXT NOT NULL, type TEXT NOT NULL, action TEXT NOT NULL, date TEXT NOT NULL,
  id ${number} NOT NULL, event TEXT NOT NULL, received ${number} NOT NULL, PRIMARY KEY (instance, type, action, date, id))`;

export const counts = (total, fresh) => ({ events: total, new: fresh, duplicates: total - fresh, quarantined: 0 });

export const path = "/webhooks/centra/";

// Says where it listens, and ends when it is asked to.
export function ready(port) {
  console.log(`ready http://127.0.0.1:${port}`);
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
}
