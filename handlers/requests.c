/* SPDX-License-Identifier: MIT
 *
 * requests.c - see requests.h.
 *
 * An offer of this kind has a row for each request that the Order API's list has
 * shown, and a row for each that webhooks have told of.  Both may be the same
 * request: then their statuses join, and the row of the list stands for it, since
 * it has the id by which the request is answered.
 */
#include "handlers/requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "handlers/offer.h"
#include "handlers/run.h"

enum offer_kind offer_kind(const struct offer *f)
{
	const struct opening *p = offer_opened(f);

	if (p)
		return p->kind;
	return f->n_requests ? KIND_ALLOCATION_REQUEST : KIND_CHECK_FIRST;
}

/* ---- rows of one request ---- */

/* How well what webhooks told fits a request that the list shows, the best
 * first. */
enum fit {
	FIT_EXACT,
	FIT_NEAR, /* a second apart, or the expiry of one is not known */
	FIT_PART, /* some of the lines are the same: the order was changed */
	FIT_NONE,
};

/* ms by which the expiry may differ: a webhook has its fraction, and the list
 * may have rounded it. */
#define EXPIRY_ROUNDED 1000

static enum fit fit_of(const struct alloc_request *told,
		       const struct alloc_request *listed)
{
	bool lines = alloc_request_same_lines(told, listed);
	int64_t apart;

	if (told->expires == TIME_NONE || listed->expires == TIME_NONE)
		return lines && told->n_lines ? FIT_NEAR : FIT_NONE;
	apart = told->expires < listed->expires
			? listed->expires - told->expires
			: told->expires - listed->expires;
	if (apart > EXPIRY_ROUNDED)
		return FIT_NONE;
	if (!lines && told->n_lines && listed->n_lines)
		return alloc_request_share_a_line(told, listed) ? FIT_PART
								: FIT_NONE;
	return apart ? FIT_NEAR : FIT_EXACT;
}

/* True if what webhooks told, `told`, is the request that the list shows: no
 * other request of the list fits it better. */
static bool same_request(const struct offer *f,
			 const struct alloc_request *told,
			 const struct alloc_request *listed)
{
	enum fit fit = fit_of(told, listed);

	for (size_t i = 0;
	     i < f->n_requests && fit != FIT_EXACT && fit != FIT_NONE; i++)
		if (f->requests[i].id && fit_of(told, &f->requests[i]) < fit)
			fit = FIT_NONE;
	return fit != FIT_NONE;
}

/* True if the status of a row of webhooks counts for a request of the list that
 * it is about.  Without an expiry it may be about an older request of the same
 * lines. */
static bool says_status(const struct alloc_request *told,
			const struct alloc_request *listed)
{
	return told->status > listed->status && told->expires != TIME_NONE &&
	       listed->expires != TIME_NONE;
}

/* True if the i-th row is told by another row too, one of the list: that one
 * stands for the request. */
static bool request_told_twice(const struct offer *f, size_t i)
{
	for (size_t k = 0; k < f->n_requests && !f->requests[i].id; k++)
		if (f->requests[k].id &&
		    same_request(f, &f->requests[i], &f->requests[k]))
			return true;
	return false;
}

enum request_status request_status(const struct offer *f, size_t i)
{
	const struct alloc_request *r = &f->requests[i], *told;
	enum request_status ret = r->status;

	for (size_t k = 0; k < f->n_requests && r->id; k++) {
		told = &f->requests[k];
		if (!told->id && told->status > ret && says_status(told, r) &&
		    same_request(f, told, r))
			ret = told->status;
	}
	return ret;
}

/* ---- the state ---- */

/* Returns the date at which a request opened; "": not known. */
static const char *opened_at(const struct offer *f, const struct alloc_request *r)
{
	for (size_t i = 0; i < f->n_openings; i++)
		if (f->openings[i].kind == KIND_ALLOCATION_REQUEST &&
		    f->openings[i].expires == r->expires)
			return f->openings[i].date;
	return "";
}

/* True if a webhook told of the request too. */
static bool is_told(const struct offer *f, const struct alloc_request *r)
{
	for (size_t i = 0; i < f->n_requests; i++)
		if (!f->requests[i].id && same_request(f, &f->requests[i], r))
			return true;
	return false;
}

/* True if the shop's card had the request when the shop answered: a row of it
 * was held then. */
static bool was_shown(const struct offer *f, const struct alloc_request *r)
{
	uint64_t shown = f->answer.requests_shown;

	if (r->nth <= shown)
		return true;
	for (size_t i = 0; r->id && i < f->n_requests; i++)
		if (!f->requests[i].id && f->requests[i].nth <= shown &&
		    same_request(f, &f->requests[i], r))
			return true;
	return false;
}

bool request_answered(const struct offer *f, const struct alloc_request *r)
{
	/* Webhooks and the list may tell of an older request last: the shop was
	 * not asked for its lines. */
	return f->answer.verb != VERB_NONE && was_shown(f, r);
}

/* How many requests of an offer are what. */
struct counts {
	unsigned answered, unanswered; /* open, with and without an answer */
	unsigned confirmed;
	const struct alloc_request *newest; /* of those that have ended */
	enum request_status ended;    /* the newest's status */
};

static struct counts count(const struct offer *f)
{
	struct counts n = {0};

	for (size_t i = 0; i < f->n_requests; i++) {
		const struct alloc_request *r = &f->requests[i];
		enum request_status s = request_status(f, i);

		if (request_told_twice(f, i))
			continue;
		if (alloc_request_open(s)) {
			n.answered += request_answered(f, r);
			n.unanswered += !request_answered(f, r);
			continue;
		}
		n.confirmed += s == REQUEST_CONFIRMED;
		if (s != REQUEST_CONFIRMED &&
		    (!n.newest || strcmp(opened_at(f, r),
					 opened_at(f, n.newest)) >= 0)) {
			n.newest = r;
			n.ended = s;
		}
	}
	return n;
}

/* True if Centra has given the order, or some of it, to another warehouse. */
static bool another_has_it(const struct order *o, const struct offer *f)
{
	for (size_t i = 0; i < o->n_offers; i++) {
		const struct offer *g = &o->offers[i];

		if (g == f)
			continue;
		if (g->marks[MARK_ACCEPTED][0] ||
		    (g->answer.verb == VERB_ACCEPT &&
		     g->answer.settled == SETTLED_OK))
			return true;
		if (requests_confirmed(g))
			return true;
	}
	return false;
}

/* The state while Centra asks nothing any more. */
static enum offer_state state_ended(const struct order *o,
				    const struct offer *f,
				    const struct counts *n)
{
	if (n->confirmed)
		return STATE_ACCEPTED;
	if (n->newest && n->ended == REQUEST_REJECTED)
		return STATE_REJECTED;
	return another_has_it(o, f) ? STATE_TAKEN : STATE_TIMED_OUT;
}

/* The state while what the shop has answered is open in Centra, and nothing
 * else. */
static enum offer_state state_answered(const struct offer *f,
				       const struct counts *n)
{
	const struct answer *a = &f->answer;

	if (a->settled == SETTLED_OK)
		return STATE_PENDING; /* it was not known when Centra was told */
	if (a->verb == VERB_REJECT)
		return STATE_REJECTED;
	return n->confirmed ? STATE_ACCEPTED : STATE_REFUSED;
}

enum offer_state requests_state(const struct order *o, const struct offer *f)
{
	struct counts n = count(f);

	if (n.answered && f->answer.settled == SETTLED_NOT)
		return f->answer.verb == VERB_ACCEPT ? STATE_ACCEPTING
						     : STATE_REJECTING;
	/* A parcel that is under way goes first. */
	if (n.unanswered && n.confirmed && offer_shipment(f) &&
	    shipment_goes_on(offer_shipment(f)))
		return STATE_ACCEPTED;
	if (n.unanswered || (!n.answered && !f->n_requests))
		return STATE_PENDING;
	return n.answered ? state_answered(f, &n) : state_ended(o, f, &n);
}

/* True if the i-th row is of a request that was sent. */
static bool is_sent(const struct offer *f, size_t i)
{
	bool ret = f->requests[i].sent;

	for (size_t k = 0; k < f->n_requests && !ret; k++)
		ret = f->requests[k].sent && f->requests[i].id &&
		      !f->requests[k].id &&
		      same_request(f, &f->requests[k], &f->requests[i]);
	return ret;
}

bool requests_all_sent(const struct offer *f)
{
	bool any = false;

	for (size_t i = 0; i < f->n_requests; i++) {
		enum request_status s = request_status(f, i);

		if (request_told_twice(f, i))
			continue;
		if (alloc_request_open(s) ||
		    (s == REQUEST_CONFIRMED && !is_sent(f, i)))
			return false;
		any |= s == REQUEST_CONFIRMED;
	}
	return any;
}

bool requests_confirmed(const struct offer *f)
{
	return count(f).confirmed;
}

bool requests_late(const struct offer *f)
{
	for (size_t i = 0; i < f->n_requests; i++)
		if (!request_told_twice(f, i) &&
		    request_status(f, i) == REQUEST_TIMED_OUT)
			return true;
	return false;
}

size_t requests_open(const struct offer *f, int64_t ids[REQUESTS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_requests && n < REQUESTS_MAX; i++)
		if (!request_told_twice(f, i) &&
		    alloc_request_open(request_status(f, i)))
			ids[n++] = f->requests[i].id;
	return n;
}

/* ---- the lines ---- */

/* True if the row is one of those that make up the offer's state. */
static bool makes_state(const struct offer *f, size_t i)
{
	enum request_status s = request_status(f, i);

	if (request_told_twice(f, i))
		return false;
	if (f->state == STATE_ACCEPTED)
		return s == REQUEST_CONFIRMED;
	return f->list != LIST_OPEN || alloc_request_open(s);
}

bool requests_have_line(const struct offer *f, int64_t line,
			int64_t *ret_units)
{
	int64_t units = 0;
	bool any = false, found = false;

	if (ret_units)
		*ret_units = 0;
	if (offer_kind(f) != KIND_ALLOCATION_REQUEST)
		return true;
	for (size_t i = 0; i < f->n_requests; i++) {
		const struct alloc_request *r = &f->requests[i];

		if (!makes_state(f, i))
			continue;
		any |= r->n_lines != 0;
		for (size_t k = 0; k < r->n_lines; k++) {
			if (r->lines[k].line != line)
				continue;
			found = true;
			units += r->lines[k].quantity;
		}
	}
	if (ret_units)
		*ret_units = units;
	return found || !any;
}

/* ---- facts ---- */

const char *request_word(enum request_status s)
{
	return s == REQUEST_TIMED_OUT ? "timed_out" : request_status_name(s);
}

bool requests_fact(const struct centra_request *r, const char *date,
		   int64_t now, struct changes *ret)
{
	enum request_status status;
	struct opening *opening;
	struct alloc_request *row;

	if (!request_status_of(r->status, &status))
		return false;
	if (alloc_request_open(status)) {
		opening = &changes_add(ret, CHANGE_OPENING, r->warehouse)
				   ->opening;
		opening->kind = KIND_ALLOCATION_REQUEST;
		opening->expires = r->expires;
		opening->offset_min = r->offset_min;
		memcpy(opening->date, date, strnlen(date, STAMP_SIZE - 1));
	}
	row = &changes_add(ret, CHANGE_REQUEST, r->warehouse)->request;
	*row = (struct alloc_request){.id = r->id,
				.status = status,
				.expires = r->expires,
				.at = r->id ? now : 0,
				.n_lines = r->n_lines};
	if (r->n_lines)
		row->lines = xcalloc(r->n_lines, sizeof(*row->lines));
	for (size_t i = 0; i < r->n_lines; i++)
		row->lines[i] = (struct request_line){r->lines[i].line,
						      r->lines[i].quantity};
	alloc_request_sort(row);
	return true;
}

bool requests_untold(const struct offer *f, int64_t by)
{
	for (size_t i = 0; i < f->n_requests; i++) {
		const struct alloc_request *r = &f->requests[i];
		if (r->id && r->at <= by && !is_told(f, r))
			return true;
	}
	return false;
}

/* ---- what the list shows ---- */

bool requests_last_page(const struct centra_requests *got, int64_t *first)
{
	int64_t begins = got->n ? got->list[0]->id : 0;
	bool ret = got->entries < REQUESTS_PAGE || !begins || begins == *first;

	*first = begins;
	return ret;
}

static const struct alloc_request *row_of(const struct order *o,
				    const struct centra_request *r)
{
	const struct offer *f = order_offer(o, r->warehouse);

	for (size_t i = 0; f && i < f->n_requests; i++)
		if (f->requests[i].id == r->id)
			return &f->requests[i];
	return NULL;
}

/* Writes when a request was made as the local time of the instance's zone, as
 * the dates of events are written; "" if it is not known. */
static void stamp_of(const struct work *w, int64_t created,
		     char ret[STAMP_SIZE])
{
	char iso[TIME_ISO_SIZE];

	ret[0] = '\0';
	if (created == TIME_NONE)
		return;
	time_iso(iso, created, zone_offset(w->zone, created), false);
	snprintf(ret, STAMP_SIZE, "%.10s %.8s.000000", iso, iso + 11);
}

/* Adds what one entry shows, unless it is held already. */
static void record_one(struct work *w, const struct centra_request *r)
{
	const struct alloc_request *had = row_of(w->order, r);
	struct changes *c = &w->result.changes;
	char opened[STAMP_SIZE];
	enum request_status s;

	if (!request_status_of(r->status, &s) || (had && had->status >= s))
		return;
	stamp_of(w, r->created, opened);
	(void)requests_fact(r, opened, w->now, c);
	changes_journal(c, &(struct entry){.warehouse = r->warehouse,
					   .fact = FACT_FOUND,
					   .result = "request",
					   .to = request_word(s),
					   .n = r->id});
}

void requests_record(struct work *w, const struct centra_requests *got)
{
	size_t from = w->result.changes.n;
	bool untold = false;

	for (size_t i = 0; i < got->n; i++)
		if (got->list[i]->number == w->order->number)
			record_one(w, got->list[i]);
	if (w->result.changes.n == from)
		return;
	run_apply(w, from);
	for (size_t i = 0; i < w->order->n_offers; i++)
		untold |= requests_untold(&w->order->offers[i], w->now);
	if (untold && w->missed_after)
		changes_task(&w->result.changes, TASK_MISSED, w->now,
			     w->now + w->missed_after);
}
