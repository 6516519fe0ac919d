/* SPDX-License-Identifier: MIT
 *
 * retention.h - removes what is kept for a time only: addresses
 * (`keep_addresses`) and sessions (`session_age`).
 */
#ifndef SERVER_WORKER_RETENTION_H
#define SERVER_WORKER_RETENTION_H

struct worker_parts;

/* Removes addresses and sessions that are old enough.  It cannot be undone: call
 * it only while the clock is confirmed.  Writes to the store, and waits for
 * it. */
void retention_run(const struct worker_parts *parts);

#endif
