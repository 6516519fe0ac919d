/* SPDX-License-Identifier: MIT
 *
 * changes.h - changes of an order: a list of tagged unions.
 *
 * changes.def has a row for each kind.  A handler returns a list of changes;
 * the store applies it in one transaction.
 *
 * Memory:   a change owns its payload's texts and lists; changes_release()
 *           frees those of a list.
 * Threads:  no locks: a value belongs to the code that holds it.
 */
#ifndef STORE_MODEL_CHANGES_H
#define STORE_MODEL_CHANGES_H

#include "store/model/doc.h"
#include "store/model/event.h"
#include "store/model/journal.h"
#include "store/model/order.h"

enum change_kind {
#define BARE(KIND, apply)                         CHANGE_##KIND,
#define CHANGE(KIND, type, member, memory, apply) CHANGE_##KIND,
#include "store/model/changes.def"
	CHANGES,
};

struct change_mark {
	enum mark what;
	char date[STAMP_SIZE];
};

/* What a fetch showed of the order itself. */
struct change_fetched {
	int64_t at;
	bool on_hold;
	bool waits; /* Centra lists it as waiting for check-first */
	char status[STATUS_SIZE];
	char hold_reason[STATUS_SIZE];
};

struct change_try_begun {
	int64_t at;
	bool late; /* true: after the offer's expiry */
};

struct change_try_ended {
	enum try_end how;
	char *text; /* owned: Centra's text if it said no, or NULL */
};

struct change_settled {
	enum settled how;
	char opened[STAMP_SIZE]; /* the date of the opening that was answered;
				  * "": any */
	char *text; /* owned: Centra's text if it said no, or NULL */
};

struct change_ship_begun {
	enum ship_step step;
	int64_t at;
	/* Of STEP_CREATE: */
	int64_t newest_seen; /* the greatest id of a shipment of the order; 0:
			      * it has none */
	struct ship_lines before; /* units of the lines that are allocated to
				   * our warehouse */
};

struct change_ship_held {
	struct ship_held *list; /* owned */
	size_t n;
};

/* A follow-up task (store/model/task.h). */
struct change_task {
	const char *kind; /* constant */
	int64_t sub;
	int64_t due;
	bool elsewhere; /* the task is not of this order, but of `number` */
	int64_t number;
};

struct change {
	enum change_kind kind;
	int64_t warehouse; /* 0: the change is not about one warehouse */
	union {
#define CHANGE(KIND, type, member, memory, apply) type member;
#include "store/model/changes.def"
	};
};

/* Applies one change to the order's facts; derives nothing.
 *
 * HEARD      version + 1; may stand before or behind what was heard.
 * OPENING    keeps the least date named for each expiry (and, among equal
 *            dates, the least offset).  Of more than OPENINGS_MAX expiries
 *            the latest stay; no deadline is the latest of all.  One that says
 *            something new clears MISSED_CREATE: the next lost create is
 *            another.
 * RECOVERED  an opening that recovery made, not an event.  It replaces the one
 *            that recovery made before, if its date is greater.
 * MARK       keeps the greatest date.
 * REQUEST    joins what is told of an allocation request with its row (the same
 *            id; of what webhooks told, the same expiry and lines): the later
 *            status, the later expiry.  Of more than REQUESTS_MAX rows
 *            one that has ended goes.  A new one that waits for an answer clears `shipped`:
 *            more is to be sent.
 * CANCELLED  sets it for good.
 * FETCHED    what was fetched, unless a later fetch is held already (be it ten
 *            minutes: more is a clock that was set back); a status CANCELLED
 *            cancels in any case.  An order that no longer waits clears
 *            MISSED_CREATE.
 * FINDING    replaces the finding.
 * SIGHTING   replaces the sighting.
 * ANSWER     replaces the answer with its verb, opened, at, device, reason and
 *            note; nothing is tried or settled yet.  VERB_NONE alters nothing.
 * TRY_BEGUN  version + 1, one more try (and late try), begun at `at`.  When
 *            the try before never ended, it has become `unknown`.
 * TRY_ENDED  version + 1, no try is under way.  TRY_OK sets was_ok, TRY_UNKNOWN
 *            sets unknown; TRY_NO behind one of those sets denied, and keeps
 *            the text as the refusal; else TRY_NO and TRY_NOT_DONE leave no
 *            other trace.  Whether a reply settles anything is the handler's
 *            decision:
 * SETTLED    of the answer to the opening `opened` sets settled, the refusal
 *            (the text with SETTLED_NO, else none) and settled_version =
 *            version.
 *
 * PROBLEM    replaces the problem by one that is not solved.
 * SOLVED     solves the open problem: its solved_... alone are read; nothing
 *            where there is none.
 * STOPPED    sets stopped, until the offer is accepted again.
 * TOLD       keeps the latest time.
 * MISSED     sets the bit, of the order (warehouse 0) or of an offer.
 *
 * SHIP_ASKED adds a shipment when there is none or the newest is shipped; one
 *            that failed is asked for anew, and keeps its lines while they
 *            stand (shipment_stands).  Nothing while one is under way.  Its
 *            Idempotency-Key joins those of the shipment.
 * SHIP_LINES sets the lines of a press that named none, unless they stand.
 * SHIP_BEGUN one more try; when the one before never ended, it is `unknown`
 *            still, and else it is not.  STEP_CREATE replaces newest_seen and
 *            `before`.
 * SHIP_ENDED no try is under way; TRY_UNKNOWN sets unknown, others clear it.
 * SHIP_CAME  replaces what came of it.  Shipped without a rest: so is the
 *            offer, for good.
 * SHIP_GOAL  sets how far the newest shipment is to go, who asked for that and
 *            when, and, with GOAL_SHIPPED, the parcel.  One that failed is
 *            under way again.  Nothing for a shipment that is sent.
 * SHIP_EDIT  sets the units that the newest shipment is to have; an empty list:
 *            no edit is wanted any more.  One that failed is under way again,
 *            to be created only.
 * SHIP_EDITED Centra has the units of the edit: they are the shipment's.
 * SHIP_SHOWN replaces what Centra's Order API showed of the newest shipment.
 * SHIP_HELD  replaces what is held of the offer's lines.
 * SHIP_CLOSED drops a newest shipment that Centra never had; the offer is
 *            shipped if any shipment of it is.
 *
 * HEARD aside, what Centra said (OPENING, MARK, REQUEST, CANCELLED) joins: any order and
 * any repeats end the same.  Alters nothing: what is no fact; a warehouse of 0
 * where one is needed; a try or a result where there is no answer; an
 * offer too many (OFFERS_MAX).  Longer texts than ORDER_TEXT_MAX are cut. */
void order_apply(struct order *o, const struct change *c);

/* A list of changes, in the order in which they are to be applied. */
struct changes {
	struct change *list; /* owned */
	size_t n;
	size_t cap;
};

/* Adds a change of a kind with a zeroed payload, which the caller fills in.
 * The pointer is good until the next change is added. */
struct change *changes_add(struct changes *c, enum change_kind kind,
			   int64_t warehouse);
/* Returns a copy that owns its payload. */
struct change change_copy(const struct change *c);
void change_release(struct change *c);
/* Adds copies of all changes of `more`. */
void changes_add_copies(struct changes *c, const struct changes *more);
/* Adds a copy of an entry of the journal.  If its `at` is 0, it gets the time
 * at which it is stored. */
void changes_journal(struct changes *c, const struct entry *e);
/* Adds a copy of an entry of the journal that an event caused, with the event's
 * date and the time at which it was received. */
void changes_journal_event(struct changes *c, const struct event *ev,
			   const struct entry *e);
/* Adds a follow-up task (store/model/task.h), due at a time. */
void changes_task(struct changes *c, const char *kind, int64_t sub,
		  int64_t due);
/* As changes_task(), for a task of another number than the order's: 0 is the
 * instance, -W is warehouse W. */
void changes_task_of(struct changes *c, int64_t number, const char *kind,
		     int64_t sub, int64_t due);
/* Adds a document to be put, a copy of *d.  If `only_if` is set, it is written
 * only while the stored one has the number d->rev (0: none is stored);
 * otherwise this write alone is left out and the task of the run runs again, or,
 * where no run decided the changes, nothing is written (RC_AGAIN).  A list of
 * changes writes a document once at most. */
void changes_doc(struct changes *c, const struct doc *d, bool only_if);
/* Adds the deletion of a document; the same holds for only_if. */
void changes_doc_delete(struct changes *c, const struct doc *d, bool only_if);
void changes_release(struct changes *c);

#endif
