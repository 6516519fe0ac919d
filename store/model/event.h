/* SPDX-License-Identifier: MIT
 *
 * event.h - one entry of a delivery's `events`, as it is kept (CONTRACT 2).
 *
 * Centra gives events no id.  Two events are the same when instance, type,
 * action, id, date and data are; `digest` stands for the data.
 */
#ifndef STORE_MODEL_EVENT_H
#define STORE_MODEL_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "store/model/order.h"

#define EVENT_WORD_SIZE   65 /* type and action: at most 64 bytes each */
#define EVENT_DIGEST_SIZE 16

/* What became of an event in the transaction that recorded it. */
enum event_end {
	EVENT_STORED,  /* nothing more: it was a repeat, or names no task */
	EVENT_APPLIED, /* its order is changed */
	EVENT_QUEUED,  /* a task applies it: a run holds the order, an older
			* event of the order waits, or there was no time */
	EVENT_DEAD,    /* it cannot be applied: a dead task says why */
};

struct event {
	uint64_t seq; /* given by the store */
	char instance[INSTANCE_SIZE];
	int64_t received;
	char type[EVENT_WORD_SIZE];
	char action[EVENT_WORD_SIZE];
	char date[STAMP_SIZE]; /* padded to six digits */
	int64_t id;            /* an order number, or what the type says */
	char *data; /* owned: canonical JSON (keys sorted), NULL = absent */
	unsigned char digest[EVENT_DIGEST_SIZE]; /* of data; zero = no data */
	/* Kind of task that applies it, a constant; NULL: kept and counted.
	 * For store_record(); NULL in an event read back. */
	const char *task;
	/* The data, decoded, for the function that applies the event (struct
	 * check_first of centra/event.h); NULL: it reads `data`.  Owned: one
	 * block. */
	void *decoded;

	/* Out, of store_record(): what became of a new event that names a task;
	 * of EVENT_DEAD the reason (owned), and the dead task's id. */
	enum event_end end;
	char *fault;
	uint64_t dead_task;
};

/* Frees what ev owns, not ev itself.  Fine on a zeroed event. */
void event_release(struct event *ev);

/* Why something is kept that was not recorded as events. */
enum quarantine_kind {
	QUARANTINED_UNREAD,  /* it could not be read */
	/* Kept as far as there is room (QUARANTINE_MOST): */
	QUARANTINED_STALE,   /* rightly signed, but too old or from the future */
	QUARANTINED_VERSION, /* of another version of the webhook */
	QUARANTINE_KINDS,
};

/* "unread", "stale", "version". */
const char *quarantine_kind_name(enum quarantine_kind k);

/* What could not be read: one bad event, or a whole body. */
struct quarantined {
	uint64_t seq; /* given by the store */
	enum quarantine_kind kind;
	char instance[INSTANCE_SIZE];
	int64_t received;
	/* Equal for equal ones, which are kept once; zero: unlike any. */
	unsigned char digest[EVENT_DIGEST_SIZE];
	char reason[240];
	char *header; /* owned: X-Centra-Signature, when a whole body; or NULL */
	char *bytes;  /* owned: exactly as received (an event: its JSON) */
	size_t len;
};

void quarantined_release(struct quarantined *q);

#endif
