/* SPDX-License-Identifier: MIT
 *
 * request.c - see request.h.
 */
#include "store/model/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"
#include "store/model/apply.h"

const char *offer_kind_name(enum offer_kind k)
{
	static const char *const kinds[OFFER_KINDS] = {
		[KIND_CHECK_FIRST] = "check_first",
		[KIND_ALLOCATION_REQUEST] = "allocation_request",
	};

	return (unsigned)k < OFFER_KINDS ? kinds[k] : "unknown";
}

static const char *const statuses[REQUEST_STATUSES] = {
	[REQUEST_ALLOCATED] = "allocated", [REQUEST_SENT] = "sent",
	[REQUEST_FAILED] = "failed",	   [REQUEST_TIMED_OUT] = "timed-out",
	[REQUEST_CONFIRMED] = "confirmed", [REQUEST_REJECTED] = "rejected",
	[REQUEST_OUTDATED] = "outdated",
};

const char *request_status_name(enum request_status s)
{
	return (unsigned)s < REQUEST_STATUSES ? statuses[s] : "unknown";
}

bool request_status_of(const char *word, enum request_status *ret)
{
	for (int s = 0; word && s < REQUEST_STATUSES; s++) {
		if (strcmp(word, statuses[s]) != 0)
			continue;
		*ret = (enum request_status)s;
		return true;
	}
	return false;
}

bool alloc_request_open(enum request_status s)
{
	return s <= REQUEST_TIMED_OUT;
}

/* ---- memory ---- */

void alloc_request_own(struct alloc_request *r)
{
	if (r->lines)
		r->lines = xmemdup(r->lines, r->n_lines * sizeof(*r->lines));
}

void alloc_request_release(struct alloc_request *r)
{
	free(r->lines);
	r->lines = NULL;
	r->n_lines = 0;
}

/* ---- lines ---- */

static int by_line(const void *a, const void *b)
{
	const struct request_line *x = a, *y = b;

	if (x->line != y->line)
		return (x->line > y->line) - (x->line < y->line);
	return (x->quantity > y->quantity) - (x->quantity < y->quantity);
}

void alloc_request_sort(struct alloc_request *r)
{
	size_t n = 0;

	if (!r->n_lines)
		return;
	qsort(r->lines, r->n_lines, sizeof(*r->lines), by_line);
	for (size_t i = 1; i < r->n_lines; i++)
		if (r->lines[i].line != r->lines[n].line)
			r->lines[++n] = r->lines[i];
	r->n_lines = n + 1;
}

static int compare_lines(const struct alloc_request *a, const struct alloc_request *b)
{
	for (size_t i = 0; i < a->n_lines && i < b->n_lines; i++) {
		int d = by_line(&a->lines[i], &b->lines[i]);

		if (d)
			return d;
	}
	return (a->n_lines > b->n_lines) - (a->n_lines < b->n_lines);
}

bool alloc_request_same_lines(const struct alloc_request *a, const struct alloc_request *b)
{
	if (a->n_lines != b->n_lines)
		return false;
	for (size_t i = 0; i < a->n_lines; i++)
		if (a->lines[i].line != b->lines[i].line)
			return false;
	return true;
}

bool alloc_request_share_a_line(const struct alloc_request *a,
				const struct alloc_request *b)
{
	for (size_t i = 0, k = 0; i < a->n_lines && k < b->n_lines;) {
		if (a->lines[i].line == b->lines[k].line)
			return true;
		if (a->lines[i].line < b->lines[k].line)
			i++;
		else
			k++;
	}
	return false;
}

/* ---- joining ---- */

/* The order in which an offer keeps its rows.  0: both are one row. */
static int compare(const struct alloc_request *a, const struct alloc_request *b)
{
	if (a->id != b->id)
		return (a->id > b->id) - (a->id < b->id);
	if (a->id)
		return 0;
	if (a->expires != b->expires)
		return (a->expires > b->expires) - (a->expires < b->expires);
	return compare_lines(a, b);
}

/* Joins what was told again of a row.  Each field takes the greater one, so that
 * it does not matter which was told first. */
static void join(struct alloc_request *r, const struct alloc_request *in)
{
	if (in->status > r->status)
		r->status = in->status;
	if (in->expires > r->expires)
		r->expires = in->expires;
	if (in->at && (!r->at || in->at < r->at))
		r->at = in->at;
	if (compare_lines(in, r) <= 0)
		return;
	alloc_request_release(r);
	r->lines = in->lines;
	r->n_lines = in->n_lines;
	alloc_request_own(r);
}

/* Returns how much it matters to keep a row: 0: it has ended, 1: it was confirmed
 * and is sent, 2: it is needed. */
static int worth(const struct alloc_request *r)
{
	if (r->status > REQUEST_CONFIRMED)
		return 0;
	return r->status == REQUEST_CONFIRMED && r->sent ? 1 : 2;
}

/* Removes the row that matters least, of several the oldest by its id.  *i: where
 * a new row is to be inserted.  False: all rows are needed. */
static bool make_room(struct offer *f, size_t *i)
{
	size_t gone = 0;

	for (size_t k = 1; k < f->n_requests; k++)
		if (worth(&f->requests[k]) < worth(&f->requests[gone]))
			gone = k;
	if (worth(&f->requests[gone]) == 2)
		return false;
	alloc_request_release(&f->requests[gone]);
	memmove(&f->requests[gone], &f->requests[gone + 1],
		(f->n_requests - gone - 1) * sizeof(*f->requests));
	f->n_requests--;
	*i -= gone < *i;
	return true;
}

/* True if the line is in a parcel of the offer, or if a parcel does not say what
 * is in it. */
static bool in_a_parcel(const struct offer *f, int64_t line)
{
	for (size_t i = 0; i < f->n_shipments; i++) {
		const struct ship_ask *ask = &f->shipments[i].ask;

		if (!ask->n_lines)
			return true;
		for (size_t k = 0; k < ask->n_lines; k++)
			if (ask->lines[k].line == line)
				return true;
	}
	return false;
}

bool alloc_requests_sent(struct offer *f, bool all)
{
	bool ret = true;

	for (size_t i = 0; i < f->n_requests; i++) {
		struct alloc_request *r = &f->requests[i];

		if (r->status != REQUEST_CONFIRMED)
			continue;
		r->sent |= all || !r->n_lines;
		for (size_t k = 0; k < r->n_lines && !r->sent; k++)
			r->sent = in_a_parcel(f, r->lines[k].line);
		ret &= r->sent;
	}
	return ret;
}

void apply_request(struct order *o, const struct change *c)
{
	const struct alloc_request *in = &c->request;
	struct offer *f = order_offer_made(o, c->warehouse);
	size_t i = 0;

	if (!f)
		return;
	while (i < f->n_requests && compare(&f->requests[i], in) < 0)
		i++;
	if (i < f->n_requests && !compare(&f->requests[i], in)) {
		/* What was confirmed since is to be sent too. */
		if (in->id && in->status == REQUEST_CONFIRMED &&
		    f->requests[i].status < REQUEST_CONFIRMED)
			f->shipped = false;
		join(&f->requests[i], in);
		return;
	}
	if (f->n_requests >= REQUESTS_MAX && !make_room(f, &i))
		return;
	f->requests = xrealloc(f->requests, f->n_requests + 1,
			       sizeof(*f->requests));
	memmove(&f->requests[i + 1], &f->requests[i],
		(f->n_requests - i) * sizeof(*f->requests));
	f->requests[i] = *in;
	alloc_request_own(&f->requests[i]);
	f->requests[i].nth = ++f->requests_heard;
	f->n_requests++;
	/* More may have to be sent than what the shop has sent already. */
	if (in->status <= REQUEST_CONFIRMED)
		f->shipped = false;
}
