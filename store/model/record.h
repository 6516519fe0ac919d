/* SPDX-License-Identifier: MIT
 *
 * record.h - writes the values of the store as bytes, and reads them.
 *
 * Every value begins with a version (u8) of its form.  What is in the key (the
 * order's number, an event's seq) is not repeated in the value, except in a
 * task, whose key is its id alone.  An offer is a block, so that fields can be
 * added at its end, as at the end of a value.
 *
 * Reading returns RC_INVALID, with nothing to release, when the bytes are not
 * such a value.
 */
#ifndef STORE_MODEL_RECORD_H
#define STORE_MODEL_RECORD_H

#include "base/buf.h"
#include "base/err.h"
#include "store/model/codec.h"
#include "store/model/device.h"
#include "store/model/event.h"
#include "store/model/journal.h"
#include "store/model/order.h"
#include "store/model/task.h"

/* An order:  cancelled, fetched_at, status, hold_reason, on_hold, has_details,
 *          has_address, version, first_seen, updated, fetch_due,
 *          u32 count, per offer a block:
 *            warehouse, state, list, expires, shipped, the marks' dates,
 *            u32 count, per opening: expires, offset, date
 *            finding: what, ended, knew, at
 *            verb; if any: opened, at, device, reason, note, settled,
 *            settled_version, refusal, tries, late_tries, try_begun, unknown,
 *            was_ok
 *            a block: was_accepted, stopped, problem.at; if any: device,
 *            reason, note, by, solved_at; if any: solved_device, solved_by
 *            a block: u32 count, per shipment a block:
 *              carrier, service, tracking, by, packages, at, device, all,
 *              u32 count, per line: line, quantity
 *              stage, capture, fault, id, number, capture_at, shipped_at,
 *              rest, error
 *              step, try_at, trying, unknown, the steps' tries,
 *              newest_seen, reading, u32 count, per line of before: line,
 *              quantity, u32 count, per key: device, hash, missing
 *            a block: the sighting: what, ended, sure, opened, knew, at, steady,
 *            boot, blank, blank_knew
 *            doubt, denied (of the answer) */
void encode_order(struct buf *b, const struct order *o);
/* Reads an order. instance and number are those of the key. */
enum rc get_order(struct order *ret, const char *instance, int64_t number,
		  const void *p, size_t len, struct err *e);

/* True if both orders would be stored as the same bytes. */
bool order_same(const struct order *a, const struct order *b);

/* An event: instance, received, type, action, date, id, data, digest */
void encode_event(struct buf *b, const struct event *ev, const char *instance,
	       int64_t received);
enum rc get_event(struct event *ret, uint64_t seq, const void *p, size_t len,
		  struct err *e);

/* An entry of the quarantine: instance, received, reason, header, bytes, kind,
 * digest */
void encode_quarantined(struct buf *b, const struct quarantined *q,
		     const char *instance, int64_t received);
enum rc get_quarantined(struct quarantined *ret, uint64_t seq, const void *p,
			size_t len, struct err *e);

/* A task: kind, instance, number, sub, created, due, attempts, dead, reason,
 * asked, again, lane, group, why */
void encode_task(struct buf *b, const struct task *t);
enum rc get_task(struct task *ret, uint64_t id, const void *p, size_t len,
		 struct err *e);

/* The entries of a row of the journal, numbered from the row's number on.  The
 * first:
 *          at, warehouse, device, what it is about, text; of schema 1 no more,
 *          and text is all of the words; the name of its fact,
 *          u32 count, per word: u8 place, text
 *          u32 count, per number: u8 place, i64
 * Each further one is a block with the same form, of which versions before this
 * read the first alone. */
void encode_entry(struct buf *b, const struct entry *e);
/* Adds a row of one entry as a further entry to a row. */
void encode_joined(struct buf *row, const struct buf *entry);

struct entries {
	struct reader r;
	uint64_t seq; /* of the next */
	bool begun;
};

/* Begins to read the entries of a row, whose bytes are borrowed; seq is the row's
 * number. */
void entries_init(struct entries *in, uint64_t seq, const void *p, size_t len);
/* Reads the next entry; the caller releases it with entry_release().
 * RC_NOTFOUND: there are no more. */
enum rc get_entry(struct entry *ret, struct entries *in, struct err *e);

/* A device: shop, name, created, removed */
/* A document, without the parts of its name. */
void encode_doc(struct buf *b, const struct doc *d);
/* Reads into *ret, whose name is set. */
enum rc get_doc(struct doc *ret, const void *p, size_t len, struct err *e);

void encode_device(struct buf *b, const struct device *d);
enum rc get_device(struct device *ret, uint64_t id, const void *p, size_t len,
		   struct err *e);

#endif
