/* SPDX-License-Identifier: MIT
 *
 * answer.h - a shop's answer to an offer, and what Centra said to it.
 */
#ifndef STORE_MODEL_ANSWER_H
#define STORE_MODEL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

enum verb { VERB_NONE, VERB_ACCEPT, VERB_REJECT };

/* Returns "accept" or "reject"; "none" for any other. */
const char *verb_name(enum verb v);

/* What Centra said to our answer.  SETTLED_NOT: nothing yet that can be
 * believed. */
enum settled { SETTLED_NOT, SETTLED_OK, SETTLED_NO };

/* How one try at a call to Centra ended (OFFERS 3, step 3). */
enum try_end {
	TRY_OK,       /* HTTP 200, status ok */
	TRY_NO,       /* HTTP 200, status no */
	TRY_NOT_DONE, /* Centra cannot have acted on the call */
	TRY_UNKNOWN,  /* Centra may have acted on the call */
};

/* Our answer to one opening of an offer.  A newer answer replaces it; the
 * journal keeps the older ones. */
struct answer {
	enum verb verb;
	char opened[STAMP_SIZE]; /* the date of the opening that it answers */
	int64_t at;
	uint64_t device;
	char *reason; /* owned: the reason of a reject, or NULL */
	char *note;   /* owned: or NULL */

	enum settled settled;
	uint64_t settled_version; /* the order's version when the answer was
				   * settled */
	char *refusal; /* owned: Centra's text if it said no, or NULL */

	unsigned tries;      /* begun, ever */
	unsigned late_tries; /* tries begun after the offer's expiry */
	int64_t try_begun;   /* when the try under way began; 0: no try is under
			      * way */
	bool unknown;	     /* the outcome of some try is unknown (perhaps of
			      * one for an older opening, whose ok may hold
			      * too): look before the next try */
	bool was_ok;         /* Centra said ok to some try, even if something
			      * contradicts it now */
	uint64_t requests_shown; /* how many rows of allocation requests the
				  * offer had (offer.requests_heard) when the
				  * shop answered */
	bool denied;         /* Centra said no to a try after an earlier one
			      * that it may have taken: look, and make no more
			      * tries */
};

/* Gives a copied answer its own copies of the texts. */
void answer_own(struct answer *a);
void answer_release(struct answer *a); /* may be called for a zeroed one */

#endif
