/* SPDX-License-Identifier: MIT
 *
 * event.h - an event: one entry of a delivery's `events`, as it is kept
 * (CONTRACT 2).
 *
 * Centra gives events no id.  Two events count as the same if instance, type,
 * action, id, date and data are equal; `digest` is compared in place of the
 * data.
 */
#ifndef STORE_MODEL_EVENT_H
#define STORE_MODEL_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "store/model/order.h"

#define EVENT_WORD_SIZE   65 /* bytes of a type or an action: 64 characters and
			      * the NUL */
#define EVENT_DIGEST_SIZE 16

/* What became of an event in the transaction that recorded it. */
enum event_end {
	EVENT_STORED,  /* kept, and nothing else: it was a repeat, or its type
		        * has no task */
	EVENT_APPLIED, /* the event's changes are made to the order */
	EVENT_QUEUED,  /* a task will apply it: a run holds the order, an older
		        * event of the order waits, or the transaction had
		        * changed enough */
	EVENT_DEAD,    /* the event cannot be applied: a dead task says why */
};

struct event {
	uint64_t seq; /* given by the store */
	char instance[INSTANCE_SIZE];
	int64_t received;
	char type[EVENT_WORD_SIZE];
	char action[EVENT_WORD_SIZE];
	char date[STAMP_SIZE]; /* Centra's local time, padded to six digits of a
			        * fraction */
	int64_t id; /* the order's number, or whatever the type of event says */
	char *data; /* owned: canonical JSON (keys sorted); NULL: absent */
	/* Hash of the data; zero: no data. */
	unsigned char digest[EVENT_DIGEST_SIZE];
	/* In: the kind of task that applies the event, a constant; NULL: it is
	 * only kept and counted.  For store_record(); an event that is read
	 * from the store has NULL. */
	const char *task;
	/* The decoded data, for the function that applies the event (struct
	 * check_first of centra/event.h); NULL: that function reads `data`.
	 * Owned; one block. */
	void *decoded;

	/* Out, set by store_record() for a new event with a task: how it ended;
	 * with EVENT_DEAD also the reason (owned) and the dead task's id. */
	enum event_end end;
	char *fault;
	uint64_t dead_task;
};

/* Frees what ev owns, not ev itself.  Fine on a zeroed event. */
void event_release(struct event *ev);

/* Why a body or an entry is in quarantine and was not recorded as events. */
enum quarantine_kind {
	QUARANTINED_UNREAD,  /* the entry or body could not be read */
	/* The following two are kept as far as there is room
	 * (QUARANTINE_MOST). */
	QUARANTINED_STALE,   /* signed rightly, but its time is too old or in
			      * the future */
	QUARANTINED_VERSION, /* the body is of another version of the webhook */
	QUARANTINE_KINDS,
};

/* Returns "unread", "stale" or "version". */
const char *quarantine_kind_name(enum quarantine_kind k);

/* What is in quarantine: a bad event, or a whole body. */
struct quarantined {
	uint64_t seq; /* given by the store */
	enum quarantine_kind kind;
	char instance[INSTANCE_SIZE];
	int64_t received;
	/* Equal bodies, and equal events, have equal digests: one of them is
	 * kept.  Zero: it counts as unlike any other. */
	unsigned char digest[EVENT_DIGEST_SIZE];
	char reason[240];
	char *header; /* owned: X-Centra-Signature of a whole body; or NULL */
	char *bytes;  /* owned: the bytes as received; of an event its JSON */
	size_t len;
};

/* Frees what q owns, not q itself.  May be called for a zeroed one. */
void quarantined_release(struct quarantined *q);

#endif
