/* SPDX-License-Identifier: MIT
 *
 * offer.h - all that is known of an order's offer to one warehouse.
 */
#ifndef STORE_MODEL_OFFER_H
#define STORE_MODEL_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "store/model/answer.h"
#include "store/model/problem.h"
#include "store/model/request.h"
#include "store/model/shipment.h"

/* What Centra says happened to an offer after its create (CONTRACT 2.2). */
enum mark { MARK_ACCEPTED, MARK_REJECTED, MARK_TIMED_OUT, MARKS };

/* One expiry that `create` events named for a warehouse, with the least date of
 * those events: a create that Centra sends again is not a new offer.  Of an
 * allocation request the date at which it was made counts too. */
struct opening {
	int64_t expires;       /* TIME_NONE: there is no deadline, or it is
			        * unreadable */
	int offset_min; /* minutes east of UTC, as Centra wrote the expiry */
	char date[STAMP_SIZE]; /* "": recovery made it, with a date before any
			        * other */
	enum offer_kind kind;
};

/* What a look at the order in Centra shows for one warehouse (handlers/look.h).
 * A finding is one of the first four; FOUND_OVER is only ever a sighting. */
enum found {
	FOUND_NOTHING,
	FOUND_OURS,
	FOUND_NOT_OURS,
	FOUND_OPEN, /* the order waits for check-first */
	FOUND_OVER, /* the order neither waits nor is on hold */
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

/* Returns a state's word in the API, such as "pending" or "timed_out". */
const char *offer_state_name(enum offer_state s);

/* The lists of the shops' API. */
enum list {
	LIST_OPEN, /* pending, accepting, rejecting, refused */
	LIST_MINE, /* accepted, not shipped */
	LIST_DONE, /* the rest */
	LISTS,
};

struct finding {
	enum found what;
	enum offer_state ended; /* with FOUND_NOT_OURS: how the offer ended */
	uint64_t knew; /* the order's version when the look was begun */
	int64_t at;
};

/* What looks have shown of one offer and a single look does not prove.
 *
 * FOUND_OVER, or FOUND_OPEN against an accept that stands: Centra settles late,
 * so the first look that shows it only begins to count the time.  `sure` says
 * for how long looks have shown it and nothing else: 0 = one look; 1 = two, at
 * least `look_again` (struct work) apart; 2 = at least SIGHTING_LONG times that.
 * The time apart is of the steady clock of one boot of the machine: a wall
 * clock that jumps makes no two looks of one, and a reboot begins anew. */
struct sighting {
	enum found what; /* FOUND_NOTHING: there is no sighting */
	enum offer_state ended;	 /* with FOUND_OVER: the state in which it ends
				  * the offer */
	unsigned sure;
	char opened[STAMP_SIZE]; /* the date of the opening that was seen */
	uint64_t knew; /* the order's version when the first look began */
	int64_t at; /* when the first look was made: wall clock, ms */
	int64_t steady; /* when the first look was made: steady clock, ms */
	uint64_t boot; /* the boot of the machine that `steady` belongs to */

	/* The newest look did not show whose the order is; blank_knew is the
	 * order's version when that look began. */
	bool blank;
	uint64_t blank_knew;
};

#define SIGHTING_SURES 3
#define SIGHTING_LONG  10

struct offer {
	int64_t warehouse;
	struct opening *openings; /* owned; by date; at most OPENINGS_MAX */
	size_t n_openings;
	char marks[MARKS][STAMP_SIZE]; /* the greatest date of each mark; "":
				        * there was no such event */
	struct answer answer;
	struct finding finding;

	/* Derived by handlers/offer.h with each change, and set nowhere
	 * else. */
	enum offer_state state;
	enum list list;
	int64_t expires; /* the deadline of the present opening; TIME_NONE: it
			  * has none */

	bool shipped; /* this shop has sent all of it: it leaves the list
		       * "mine" */

	/* History, which the store keeps with each change.  These are not
	 * facts. */
	bool was_accepted; /* the shop has been told that the order is its
			    * own */
	bool stopped;      /* the offer ended after that, and the shop has
			    * confirmed it */
	struct problem problem;

	/* The order's version when marks[MARK_ACCEPTED] was last raised.  A
	 * look that began at an earlier version does not contradict that
	 * mark. */
	uint64_t accepted_version;
	bool accepted_unheard; /* the mark was raised and the change HEARD,
			        * which raises the version, is still to be
			        * applied; not stored */
	unsigned missed;

	struct shipment *shipments; /* owned; the oldest first; all but the
				     * newest are shipped */
	size_t n_shipments;

	struct sighting sighting;

	/* Derived: Centra said that the order is this warehouse's, but the
	 * newest look does not show that. */
	bool doubt;
	struct ship_held *held; /* owned: for each line, what looks showed as
				 * this warehouse's */
	size_t n_held;

	struct alloc_request *requests; /* owned: what is known of allocation
				   * requests; in the order of request.c */
	size_t n_requests;
	uint64_t requests_heard; /* rows that were ever added */
};

#define OPENINGS_MAX 64

/* Returns the newest shipment of an offer; NULL: shipping was never asked
 * for. */
struct shipment *offer_shipment(const struct offer *f);

/* Gives a copied offer its own copies of all that it holds. */
void offer_own(struct offer *f);
void offer_release(struct offer *f);

#endif
