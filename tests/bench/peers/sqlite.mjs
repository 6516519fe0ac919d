// SPDX-License-Identifier: MIT
//
// sqlite.mjs - a database whose commits are on disk when they return.
import Database from "better-sqlite3";
import { columns, table } from "./webhook.mjs";

export const db = new Database(`${process.env.BENCH_DATA}/events.db`);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec(`${table("INTEGER")} WITHOUT ROWID`);

const insert = db.prepare("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)");

// Stores the events of a webhook inside a transaction; returns how many are new.
export function store(instance, list) {
  let fresh = 0;
  for (const e of list) fresh += insert.run(...columns(instance, e)).changes;
  return fresh;
}
