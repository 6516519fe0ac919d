/* SPDX-License-Identifier: MIT
 *
 * request.h - an allocation request: Centra has allocated lines of an order to a
 * warehouse and asks it to confirm (CONTRACT 4).
 *
 * Two sources tell of one request: webhooks, whose id is not to be relied on,
 * and the list of the Order API, which has the id by which it is answered.  Both
 * are kept, each as a row: a row with id 0 is what webhooks told.  Rows only
 * join, so whatever order they come in, the same rows are held.
 *
 * Memory:   a request owns its lines.
 * Threads:  no locks: a value belongs to the code that holds it.
 */
#ifndef STORE_MODEL_REQUEST_H
#define STORE_MODEL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which of Centra's two policies an offer follows.  Stored: add new ones at the
 * end. */
enum offer_kind {
	KIND_CHECK_FIRST,
	KIND_ALLOCATION_REQUEST,
	OFFER_KINDS,
};

/* Returns "check_first" or "allocation_request". */
const char *offer_kind_name(enum offer_kind k);

/* Centra's statuses (CONTRACT 4.2), in the order in which a request goes
 * through them: of two statuses that were told of one request, the later one
 * in this list is true.  `outdated` is last, so that an order is never taken for
 * ours when Centra said that it no longer is.  Stored: the numbers stay. */
enum request_status {
	REQUEST_ALLOCATED, /* the webhook is not sent yet */
	REQUEST_SENT,
	REQUEST_FAILED, /* the webhook was not delivered */
	REQUEST_TIMED_OUT, /* it may still be confirmed */
	REQUEST_CONFIRMED,
	REQUEST_REJECTED,
	REQUEST_OUTDATED,
	REQUEST_STATUSES,
};

/* Returns Centra's word, such as "timed-out". */
const char *request_status_name(enum request_status s);
/* Finds the status of a word of Centra's.  False: it is no such word. */
bool request_status_of(const char *word, enum request_status *ret);

struct request_line {
	int64_t line, quantity;
};

struct alloc_request {
	int64_t id; /* Centra's, as the list shows it; 0: webhooks told of it */
	enum request_status status; /* the latest that was told */
	int64_t expires; /* ms, whole seconds; TIME_NONE: none is known */
	int64_t at; /* ms: when the list first showed it; 0 with id 0 */
	uint64_t nth; /* its place among the rows of the offer as they were
		       * first heard of, from 1; set when it is applied */
	bool sent; /* confirmed, and the shop has sent its parcel */
	struct request_line *lines; /* owned; by line; may be empty */
	size_t n_lines;
};

#define REQUESTS_MAX	  64  /* rows of one offer */
#define REQUEST_LINES_MAX 1000

/* Gives a copied request its own lines. */
void alloc_request_own(struct alloc_request *r);
void alloc_request_release(struct alloc_request *r);
/* Sorts the lines, and drops all but the first of a line that comes twice. */
void alloc_request_sort(struct alloc_request *r);

/* True if the request waits for an answer, or may still be given one. */
bool alloc_request_open(enum request_status s);
struct offer;
/* Marks the confirmed requests of the offer as sent; unless `all`, only those
 * that name a line of one of its parcels, or name none.  Returns true if every
 * confirmed one is marked now. */
bool alloc_requests_sent(struct offer *f, bool all);

/* True if both name the same lines. */
bool alloc_request_same_lines(const struct alloc_request *a, const struct alloc_request *b);
/* True if a line is named by both. */
bool alloc_request_share_a_line(const struct alloc_request *a,
				const struct alloc_request *b);

#endif
