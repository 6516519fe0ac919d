/* SPDX-License-Identifier: MIT
 *
 * order.h - what was said about one order, by Centra and by us.
 *
 * A value: it knows neither disk nor meaning.  Facts only ever join (the least
 * of some dates, the greatest of others, flags that stay set), so applying the
 * same facts in any order, any number of times, ends in the same order.  What
 * the facts *mean* (the state of each offer) is derived by handlers/offer.h and
 * kept beside them, so that lists can be indexed by it.
 *
 * Memory:   an order owns its offers and their texts; order_release() ends it.
 * Threads:  none; a value belongs to who holds it.
 */
#ifndef STORE_MODEL_ORDER_H
#define STORE_MODEL_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "store/model/shipment.h"

#define INSTANCE_SIZE 33 /* an instance's name: [a-z0-9_-]{1,32} */
#define STATUS_SIZE   48 /* Centra's enum words: "CONFIRMED" */

/* What Centra says happened to an offer after its create (CONTRACT 2.2). */
enum mark { MARK_ACCEPTED, MARK_REJECTED, MARK_TIMED_OUT, MARKS };

/* One expiry that creates named for a warehouse, and the least date of those
 * creates: a create sent again is not a new offer. */
struct opening {
	int64_t expires;       /* TIME_NONE: no deadline, or unreadable */
	int offset_min;        /* the offset Centra wrote it with */
	char date[STAMP_SIZE]; /* "": put there by recovery, older than any */
};

enum verb { VERB_NONE, VERB_ACCEPT, VERB_REJECT };

/* What Centra said to our answer.  SETTLED_NOT: nothing that we can believe. */
enum settled { SETTLED_NOT, SETTLED_OK, SETTLED_NO };

/* How one try at telling Centra ended (OFFERS 3, step 3). */
enum try_end {
	TRY_OK,       /* HTTP 200, status ok */
	TRY_NO,       /* HTTP 200, status no */
	TRY_NOT_DONE, /* Centra cannot have acted on it */
	TRY_UNKNOWN,  /* Centra may have acted on it */
};

/* Our answer to one opening.  A newer answer replaces it; the journal keeps the
 * older ones. */
struct answer {
	enum verb verb;
	char opened[STAMP_SIZE]; /* date of the opening that it answers */
	int64_t at;
	uint64_t device;
	char *reason; /* owned: of a reject, or NULL */
	char *note;   /* owned: or NULL */

	enum settled settled;
	uint64_t settled_version; /* the order's version once settled */
	char *refusal;            /* owned: Centra's text with a no, or NULL */

	unsigned tries;      /* begun, ever */
	unsigned late_tries; /* begun after the offer's expiry */
	int64_t try_begun;   /* when the try under way began; 0: none is */
	bool unknown;	     /* some try ended unknown, be it to an older
			      * opening, whose ok may hold as well: look
			      * before the next */
	bool was_ok;         /* some try was told ok, even if contradicted since */
	bool denied;         /* a try was told no after one that may have been
			      * taken: look, and try no more */
};

/* What a look at the order in Centra shows for one warehouse (handlers/look.h).
 * A finding is one of the first four; FOUND_OVER is only ever a sighting. */
enum found {
	FOUND_NOTHING,
	FOUND_OURS,
	FOUND_NOT_OURS,
	FOUND_OPEN, /* the order waits for check-first */
	FOUND_OVER, /* it neither waits nor is on hold */
	FOUNDS,
};

/* The states an offer can be in, as derived (OFFERS 1.3). */
enum offer_state {
	STATE_PENDING,
	STATE_ACCEPTING,
	STATE_REJECTING,
	STATE_REFUSED,
	STATE_ACCEPTED,
	STATE_REJECTED,
	STATE_TAKEN,
	STATE_TIMED_OUT,
	STATE_CANCELLED,
	STATES,
};

/* "pending", "timed_out", ...: the words of the API. */
const char *offer_state_name(enum offer_state s);

/* The lists of the staff API. */
enum list {
	LIST_OPEN, /* pending, accepting, rejecting, refused */
	LIST_MINE, /* accepted, not shipped */
	LIST_DONE, /* the rest */
	LISTS,
};

struct finding {
	enum found what;
	enum offer_state ended; /* of FOUND_NOT_OURS: what ended the offer */
	uint64_t knew;          /* the order's version when the look began */
	int64_t at;
};

/* What looks have shown of one offer that a single look does not prove.
 *
 * FOUND_OVER, or FOUND_OPEN against an accept that stands: Centra settles late,
 * so the first look that shows it only begins to count the time.  `sure` says
 * for how long looks have shown it and nothing else: 0 = one look; 1 = two, at
 * least `look_again` (struct work) apart; 2 = at least SIGHTING_LONG times that.
 * The time apart is of the steady clock of one boot of the machine: a wall
 * clock that jumps makes no two looks of one, and a reboot begins anew. */
struct sighting {
	enum found what; /* FOUND_NOTHING: there is none */
	enum offer_state ended;	 /* of FOUND_OVER: how it ends the offer */
	unsigned sure;
	char opened[STAMP_SIZE]; /* date of the opening that it is about */
	uint64_t knew;		 /* the order's version at the first look */
	int64_t at;		 /* of the first look, wall clock, ms */
	int64_t steady;		 /* of the first look, steady clock, ms */
	uint64_t boot;		 /* the boot that `steady` belongs to */

	/* The newest look showed nothing of whose the order is, knowing
	 * `blank_knew`, the order's version. */
	bool blank;
	uint64_t blank_knew;
};

#define SIGHTING_SURES 3
#define SIGHTING_LONG  10

/* What a webhook that never came would have told.  An order or offer keeps a
 * bit (1 << kind) for each that was missed, so that it is counted once. */
enum missed {
	MISSED_CREATE,	 /* of the order */
	MISSED_ACCEPTED, /* of the order: one warehouse gets it */
	MISSED_REJECTED,
	MISSED_TIMEOUT,
	MISSED_CANCEL, /* of the order */
	MISSED_KINDS,
};

/* "create", "accepted", ...: as in metrics. */
const char *missed_name(enum missed m);

/* Accepted, but it cannot be shipped after all.  at 0: no problem. */
struct problem {
	int64_t at;
	uint64_t device;
	char *reason; /* owned: a word of the API */
	char *note;   /* owned: or NULL */
	char *by;     /* owned: who, as people know them */

	int64_t solved_at; /* 0: it is not solved */
	uint64_t solved_device;
	char *solved_by; /* owned: or NULL */
};

/* True while an order has a problem that nobody has solved. */
bool problem_open(const struct problem *p);

struct offer {
	int64_t warehouse;
	struct opening *openings; /* owned; at most OPENINGS_MAX; by date */
	size_t n_openings;
	char marks[MARKS][STAMP_SIZE]; /* greatest date of each; "" = never */
	struct answer answer;
	struct finding finding;

	/* Derived by handlers/offer.h with each change; never set elsewhere. */
	enum offer_state state;
	enum list list;
	int64_t expires; /* of what is offered now; TIME_NONE: no deadline */

	bool shipped; /* ours, and handed over: off the list "mine" */

	/* History, kept by the store with each change: not facts. */
	bool was_accepted; /* the shop has been told that it is theirs */
	bool stopped;      /* ended since, and the shop has confirmed that */
	struct problem problem;

	/* The order's version once marks[MARK_ACCEPTED] was last raised: what
	 * a look that knew less says does not speak against it. */
	uint64_t accepted_version;
	bool accepted_unheard; /* raised, its HEARD is still to come: not kept */
	unsigned missed;

	struct shipment *shipments; /* owned; oldest first; all but the newest
				     * are shipped */
	size_t n_shipments;

	struct sighting sighting;

	/* Derived: Centra said that the order is this warehouse's, and the
	 * newest look does not show it. */
	bool doubt;
	struct ship_held *held; /* owned: what there was to ship of each line */
	size_t n_held;
};

#define OPENINGS_MAX   64
#define OFFERS_MAX     1000    /* warehouses of one order */
#define ORDER_TEXT_MAX 2000    /* bytes of a reason, refusal, journal line */
#define ORDER_JSON_MAX 4000000 /* bytes of details or an address */

struct order {
	char instance[INSTANCE_SIZE];
	int64_t number;
	bool cancelled; /* an event or a fetched status said so; stays */

	/* As last fetched from Centra; fetched_at 0 = never. */
	int64_t fetched_at;
	char status[STATUS_SIZE];      /* Centra's OrderStatus */
	char hold_reason[STATUS_SIZE]; /* Centra's OrderHoldReason, "" = none */
	bool on_hold;
	bool has_details; /* lines and city are kept (see store_details) */
	bool has_address; /* so is the address */

	/* Counts what we know: check_first and cancel events applied, tries of
	 * ours begun and ended.  A finding with knew == version knew it all. */
	uint64_t version;
	int64_t first_seen;
	int64_t updated;

	struct offer *offers; /* owned; ascending by warehouse */
	size_t n_offers;

	unsigned missed;
	int64_t told_at; /* an order event last came; 0: none since offered */

	/* Derived. */
	bool fetch_due; /* something is open that a fetch (a look) would settle */
};

void order_init(struct order *o, const char *instance, int64_t number);
void order_release(struct order *o); /* fine on a zeroed one */
void order_copy(struct order *ret, const struct order *o);

/* The offer to a warehouse; NULL when nothing was ever said of it. */
struct offer *order_offer(const struct order *o, int64_t warehouse);
/* The newest shipment of an offer; NULL: shipping was never asked for. */
struct shipment *offer_shipment(const struct offer *f);

/* One fact, or one thing that happened, to be joined to an order. */
enum change_kind {
	CHANGE_HEARD,     /* an event of this order was applied: version + 1 */
	CHANGE_OPENING,   /* warehouse, opening */
	CHANGE_MARK,      /* warehouse, mark, date */
	CHANGE_CANCELLED, /* the order is cancelled */
	CHANGE_FETCHED,   /* text = status, hold_reason, on_hold, at */
	CHANGE_FINDING,   /* warehouse, finding */
	CHANGE_SIGHTING,   /* warehouse, sighting */
	CHANGE_ANSWER,    /* warehouse, answer: a shop decided */
	CHANGE_TRY_BEGUN, /* warehouse, at, late: version + 1 */
	CHANGE_TRY_ENDED, /* warehouse, try_end, text: version + 1 */
	CHANGE_SETTLED,   /* warehouse, settled, text: our answer's result */
	/* Not facts of the order; the store files them with it: */
	CHANGE_DETAILS,   /* text = JSON: lines, city, placed_at; NULL: none */
	CHANGE_ADDRESS,   /* text = JSON: who it goes to (personal data) */
	CHANGE_NOTE,      /* what, text, device; at, or 0: now */
	CHANGE_TASK,      /* what = kind, sub, at = due: a follow-up */
	/* What a shop said besides its answer: */
	CHANGE_PROBLEM,   /* warehouse, problem */
	CHANGE_SOLVED,    /* warehouse, problem: its solved_... alone */
	CHANGE_STOPPED,   /* warehouse: it knows that it must not ship */
	/* Of webhooks: */
	CHANGE_TOLD,      /* at: an order event came then */
	CHANGE_MISSED,    /* warehouse, or 0: the order; missed */
	/* Shipping; each is about the offer's newest shipment: */
	CHANGE_SHIP_ASKED, /* warehouse, ask: a shop pressed ship */
	CHANGE_SHIP_LINES, /* warehouse, ask.lines: what `all` has come to */
	CHANGE_SHIP_BEGUN, /* warehouse, step, at; of a create also sub = the
			    * newest id seen, ask.lines = `before` */
	CHANGE_SHIP_ENDED, /* warehouse, try_end */
	CHANGE_SHIP_CAME,  /* warehouse, came */
	CHANGE_SHIP_HELD,  /* warehouse, held: of lines, what a look showed */
	CHANGE_SHIP_CLOSED, /* warehouse: nothing is left of the offer */
};

struct change {
	enum change_kind kind;
	int64_t warehouse; /* 0: not about one warehouse */
	struct opening opening;
	enum mark mark;
	char date[STAMP_SIZE];
	struct finding finding;
	struct sighting sighting;
	struct answer answer; /* verb, opened, at, device, reason, note */
	struct problem problem;
	struct ship_ask ask;
	struct ship_came came;
	struct ship_held *held; /* owned */
	size_t n_held;
	enum ship_step step;
	enum try_end try_end;
	enum settled settled;
	enum missed missed;
	bool on_hold;
	bool waits;	/* of FETCHED: Centra lists it as waiting */
	bool recovered; /* of OPENING: put there by recovery, not by an event */
	bool late;
	int64_t at;
	int64_t sub;
	uint64_t device;  /* who: of a note */
	const char *what; /* constant */
	char *text;       /* owned, or NULL */
	char hold_reason[STATUS_SIZE];
};

/* Joins one change to the order's facts; does not derive.
 *
 * HEARD      version + 1; may stand before or behind what was heard.
 * OPENING    keeps the least date named for each expiry (and, among equal
 *            dates, the least offset).  Of more than OPENINGS_MAX expiries
 *            the latest stay; no deadline is the latest of all.  An event's
 *            that says something new clears MISSED_CREATE: the next lost
 *            create is another.  A recovered one that has no deadline replaces
 *            the one that recovery put there before, if its date is greater.
 * MARK       keeps the greatest date.
 * CANCELLED  sets it for good.
 * FETCHED    what was fetched, unless a later fetch is held already (be it ten
 *            minutes: more is a clock that was set back); a status CANCELLED
 *            cancels in any case.  An order that no longer waits clears
 *            MISSED_CREATE.
 * FINDING    replaces the finding.
 * SIGHTING   replaces the sighting.
 * ANSWER     replaces the answer with its verb, opened, at, device, reason and
 *            note; nothing is tried or settled yet.  VERB_NONE alters nothing.
 * TRY_BEGUN  version + 1, one more try (and late try), begun at c->at.  When
 *            the try before never ended, it has become `unknown`.
 * TRY_ENDED  version + 1, no try is under way.  TRY_OK sets was_ok, TRY_UNKNOWN
 *            sets unknown; TRY_NO behind one of those sets denied, and keeps
 *            c->text as the refusal; else TRY_NO and TRY_NOT_DONE leave no
 *            other trace.
 *            Whether a reply settles anything is the handler's to say:
 * SETTLED    of the answer to the opening of c->date ("": whichever it is)
 *            sets settled, the refusal (c->text with SETTLED_NO, else none) and
 *            settled_version = version.
 *
 * PROBLEM    replaces the problem by one that is not solved.
 * SOLVED     solves the open problem; nothing where there is none.
 * STOPPED    sets stopped, until the offer is accepted again.
 * TOLD       keeps the latest time.
 * MISSED     sets the bit, of an offer that is there.
 *
 * SHIP_ASKED adds a shipment when there is none or the newest is shipped; one
 *            that failed is asked for anew, and keeps its lines while they
 *            stand (shipment_stands).  Nothing while one is under way.  Its
 *            Idempotency-Key joins those of the shipment.
 * SHIP_LINES sets the lines, unless they stand.
 * SHIP_BEGUN one more try; when the one before never ended, it is `unknown`
 *            still, and else it is not.  STEP_CREATE replaces newest_seen and
 *            `before`.
 * SHIP_ENDED no try is under way; TRY_UNKNOWN sets unknown, others clear it.
 * SHIP_CAME  replaces what came of it.  Shipped without a rest: so is the
 *            offer, for good.
 * SHIP_HELD  replaces what is held of the offer's lines.
 * SHIP_CLOSED drops a newest shipment that Centra never had; the offer is
 *            shipped if any shipment of it is.
 *
 * HEARD aside, what Centra said (OPENING, MARK, CANCELLED) joins: any order and
 * any repeats end the same.  Alters nothing: what is no fact; a warehouse of 0
 * where one is needed; a try or a result where there is no answer; an
 * offer too many (OFFERS_MAX).  Longer texts than ORDER_TEXT_MAX are cut. */
void order_apply(struct order *o, const struct change *c);

/* Takes note of the states as they are now derived: was_accepted, stopped. */
void order_remember(struct order *o);

/* A list of changes, in the order they are to be applied. */
struct changes {
	struct change *list; /* owned */
	size_t n;
	size_t cap;
};

/* Adds an empty change of a kind and lets the caller fill it in.  The pointer
 * is good until the next add. */
struct change *changes_add(struct changes *c, enum change_kind kind,
			   int64_t warehouse);
void change_release(struct change *c);
/* Adds copies of all of `more`. */
void changes_add_copies(struct changes *c, const struct changes *more);
/* Adds a journal line: what is a constant word, the rest as printf. */
void changes_note(struct changes *c, int64_t warehouse, const char *what,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Adds a follow-up task (task.h), due at a time. */
void changes_task(struct changes *c, const char *kind, int64_t sub,
		  int64_t due);
void changes_release(struct changes *c);

#endif
