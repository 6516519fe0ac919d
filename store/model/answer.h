/* SPDX-License-Identifier: MIT
 *
 * answer.h - a shop's answer to an offer, and what came of telling Centra.
 */
#ifndef STORE_MODEL_ANSWER_H
#define STORE_MODEL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

enum verb { VERB_NONE, VERB_ACCEPT, VERB_REJECT };

/* "accept", "reject", else "none". */
const char *verb_name(enum verb v);

/* What Centra said to our answer.  SETTLED_NOT: nothing that we can believe. */
enum settled { SETTLED_NOT, SETTLED_OK, SETTLED_NO };

/* How one try at a call to Centra ended (OFFERS 3, step 3). */
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

/* Gives a copy of an answer texts of its own. */
void answer_own(struct answer *a);
void answer_release(struct answer *a); /* fine on a zeroed one */

#endif
