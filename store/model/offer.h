/* SPDX-License-Identifier: MIT
 *
 * offer.h - what was said about an order's offer to one warehouse.
 */
#ifndef STORE_MODEL_OFFER_H
#define STORE_MODEL_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "store/model/answer.h"
#include "store/model/problem.h"
#include "store/model/shipment.h"

/* What Centra says happened to an offer after its create (CONTRACT 2.2). */
enum mark { MARK_ACCEPTED, MARK_REJECTED, MARK_TIMED_OUT, MARKS };

/* One expiry that creates named for a warehouse, and the least date of those
 * creates: a create sent again is not a new offer. */
struct opening {
	int64_t expires;       /* TIME_NONE: no deadline, or unreadable */
	int offset_min;        /* the offset Centra wrote it with */
	char date[STAMP_SIZE]; /* "": put there by recovery, older than any */
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

#define OPENINGS_MAX 64

/* The newest shipment of an offer; NULL: shipping was never asked for. */
struct shipment *offer_shipment(const struct offer *f);

/* Gives a copy of an offer all that it holds as its own. */
void offer_own(struct offer *f);
void offer_release(struct offer *f);

#endif
