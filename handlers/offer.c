/* SPDX-License-Identifier: MIT
 *
 * offer.c - see offer.h.
 *
 * The rows are those of the table in offer.h, in its order.  Two things it
 * leaves open are settled here in favour of never shipping what is not ours:
 *
 * A look that found the order open, or not ours, although an accept was known
 * goes on doubting that accept after a newer event has made the finding old:
 * that is a contradiction, and so row 3.  An `ok` or an accepted event that came
 * after the look began is not doubted by it.
 *
 * An `ok` carries no date of Centra's, so nothing is known to be older than it.
 */
#include "handlers/offer.h"

#include <stdio.h>
#include <string.h>

#include "handlers/requests.h"

/* The dates of the `accepted` marks of an order, prepared for all its
 * offers. */
struct accepts {
	const struct zone *zone;
	const char *greatest; /* the greatest date; "": no warehouse has one */
	int64_t whose;
	const char *next; /* the greatest date of any other warehouse; or "" */
	unsigned repeated; /* how many of these dates lie in an hour that the
			    * zone repeats */
};

static bool repeats(const struct zone *zone, const char *date)
{
	return zone && date[0] && zone_repeats(zone, date);
}

static struct accepts accepts_of(const struct zone *zone,
				 const struct order *o)
{
	struct accepts a = {.zone = zone, .greatest = "", .next = ""};

	for (size_t i = 0; i < o->n_offers; i++) {
		const char *date = o->offers[i].marks[MARK_ACCEPTED];

		a.repeated += repeats(zone, date);
		if (strcmp(date, a.greatest) > 0) {
			a.next = a.greatest;
			a.greatest = date;
			a.whose = o->offers[i].warehouse;
		} else if (strcmp(date, a.next) > 0) {
			a.next = date;
		}
	}
	return a;
}

/* Returns the newest `accepted` date of another warehouse than this offer's;
 * "": there is none. */
static const char *taken(const struct accepts *a, const struct offer *f)
{
	return f->warehouse == a->whose ? a->next : a->greatest;
}

const struct opening *offer_opened(const struct offer *f)
{
	const struct opening *best = NULL;

	for (size_t i = 0; i < f->n_openings; i++) {
		const struct opening *p = &f->openings[i];
		int d = best ? strcmp(p->date, best->date) : 1;

		if (d == 0)
			d = (p->expires > best->expires) -
			    (p->expires < best->expires);
		if (d == 0)
			d = (p->kind > best->kind) - (p->kind < best->kind);
		if (d > 0)
			best = p;
	}
	return best;
}

/* Returns the date of the present opening; "" if nothing opened: every mark
 * counts then, since every date is greater. */
static const char *opened_date(const struct offer *f)
{
	const struct opening *p = offer_opened(f);

	return p ? p->date : "";
}

static bool counts(const char *date, const char *opened)
{
	return date[0] && strcmp(date, opened) >= 0;
}

/* The answer is to this opening also if it names a greater date than the
 * present one: an opening's date only ever falls, when an older copy of the
 * create arrives. */
bool offer_answered(const struct offer *f)
{
	return f->answer.verb != VERB_NONE &&
	       strcmp(f->answer.opened, opened_date(f)) >= 0;
}

bool offer_found(const struct order *o, const struct offer *f,
		 enum found what)
{
	return f->finding.what == what && f->finding.knew == o->version;
}

bool offer_expired(const struct offer *f, int64_t now)
{
	const struct opening *p = offer_opened(f);

	return (p && p->expires != TIME_NONE && now >= p->expires) ||
	       requests_late(f);
}

static bool told_ok(const struct offer *f)
{
	return f->answer.verb == VERB_ACCEPT &&
	       f->answer.settled == SETTLED_OK;
}

/* ---- what recovery opens ---- */

/* A character that sorts behind every digit.  A date that ends with it is
 * greater than any date with the same digits before it, and less than any with
 * greater digits. */
#define BEHIND_DIGITS ':'

bool opening_recovered(const struct opening *p)
{
	size_t n = strlen(p->date);

	return !n || p->date[n - 1] >= BEHIND_DIGITS;
}

static const char *later(const char *a, const char *b)
{
	return strcmp(a, b) >= 0 ? a : b;
}

void offer_recovery_date(const struct order *o, char ret[STAMP_SIZE])
{
	const char *newest = "";
	char *last;

	for (size_t i = 0; i < o->n_offers; i++) {
		const struct offer *f = &o->offers[i];

		newest = later(newest, opened_date(f));
		for (int m = 0; m < MARKS; m++)
			newest = later(newest, f->marks[m]);
	}
	snprintf(ret, STAMP_SIZE, "%s", newest);
	if (!*ret)
		return;
	last = &ret[strlen(ret) - 1];
	*last = (char)(*last < BEHIND_DIGITS ? BEHIND_DIGITS : *last + 1);
}

/* ---- how an offer ends ---- */

static enum offer_state an_end(enum offer_state s)
{
	switch (s) {
	case STATE_TAKEN:
	case STATE_TIMED_OUT:
	case STATE_CANCELLED:
		return s;
	default:
		return STATE_REJECTED;
	}
}

/* ---- row 5 ---- */

static bool ended(const struct accepts *a, const struct offer *f,
		  enum offer_state *ret)
{
	const char *opened = opened_date(f);

	if (counts(taken(a, f), opened))
		*ret = STATE_TAKEN;
	else if (counts(f->marks[MARK_TIMED_OUT], opened))
		*ret = STATE_TIMED_OUT;
	else if (counts(f->marks[MARK_REJECTED], opened))
		*ret = STATE_REJECTED;
	else
		return false;
	return true;
}

bool offer_ended(const struct order *o, const struct offer *f,
		 enum offer_state *ret)
{
	struct accepts a = accepts_of(NULL, o);

	return ended(&a, f, ret);
}

/* ---- what looks show to be over ---- */

uint64_t offer_won_version(const struct offer *f)
{
	uint64_t ret = f->accepted_version;

	if (told_ok(f) && f->answer.settled_version > ret)
		ret = f->answer.settled_version;
	if (f->finding.what == FOUND_OURS && f->finding.knew > ret)
		ret = f->finding.knew;
	return ret;
}

/* True if looks showed the present offer to be over, since Centra last gave it
 * to us. */
static bool is_over(const struct offer *f, unsigned sure)
{
	const struct sighting *r = &f->sighting;

	return r->what == FOUND_OVER && r->sure >= sure &&
	       strcmp(r->opened, opened_date(f)) >= 0 &&
	       r->knew >= offer_won_version(f);
}

bool offer_is_over(const struct offer *f)
{
	return is_over(f, 1);
}

bool offer_is_surely_open(const struct offer *f)
{
	return f->sighting.what == FOUND_OPEN && f->sighting.sure &&
	       strcmp(f->sighting.opened, opened_date(f)) >= 0;
}

bool offer_may_be_won(const struct offer *f)
{
	const struct answer *a = &f->answer;

	return a->verb == VERB_ACCEPT &&
	       (a->unknown || a->was_ok || a->try_begun);
}

/* ---- row 3 ---- */

/* True if a counted mark ended the offer, and is not older than `date`. */
static bool ended_since(const struct accepts *a, const struct offer *f,
			const char *date)
{
	const char *opened = opened_date(f);
	const char *ends[] = {
		taken(a, f),
		f->marks[MARK_TIMED_OUT],
		f->marks[MARK_REJECTED],
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (counts(ends[i], opened) && strcmp(ends[i], date) >= 0)
			return true;
	return false;
}

/* True if at least two of the dates lie in an hour that the zone repeats, so
 * that they do not tell which came first. */
static bool dates_unclear(const struct accepts *a, const struct offer *f)
{
	bool mine = repeats(a->zone, f->marks[MARK_ACCEPTED]);
	unsigned n = mine;

	n += a->repeated > mine;
	n += repeats(a->zone, opened_date(f));
	n += repeats(a->zone, f->marks[MARK_TIMED_OUT]);
	n += repeats(a->zone, f->marks[MARK_REJECTED]);
	return n >= 2;
}

/* True if an accept is of the present opening, and no later look contradicts
 * it. */
static bool accept_stands(const struct offer *f)
{
	bool contrary = f->finding.what == FOUND_NOT_OURS ||
			f->finding.what == FOUND_OPEN;

	if (told_ok(f) && offer_answered(f) &&
	    (!contrary || f->finding.knew < f->answer.settled_version))
		return true;
	return counts(f->marks[MARK_ACCEPTED], opened_date(f)) &&
	       (!contrary || f->finding.knew < f->accepted_version);
}

static bool in_conflict(const struct accepts *a, const struct order *o,
			const struct offer *f)
{
	const char *accepted = f->marks[MARK_ACCEPTED];

	if (offer_found(o, f, FOUND_OPEN) || (!accepted[0] && !told_ok(f)))
		return false;
	return !accept_stands(f) || dates_unclear(a, f) ||
	       (accepted[0] && ended_since(a, f, accepted)) ||
	       (told_ok(f) && ended_since(a, f, ""));
}

bool offer_in_conflict(const struct zone *zone, const struct order *o,
		       const struct offer *f)
{
	struct accepts a = accepts_of(zone, o);

	return f->state != STATE_CANCELLED &&
	       !offer_found(o, f, FOUND_OURS) &&
	       !offer_found(o, f, FOUND_NOT_OURS) && in_conflict(&a, o, f) &&
	       !is_over(f, 2);
}

/* ---- the table ---- */

static bool order_cancelled(const struct order *o)
{
	return o->cancelled || !strcmp(o->status, "CANCELLED");
}

/* Row 6, and 7. */
static enum offer_state answer_state(const struct offer *f)
{
	const struct answer *a = &f->answer;

	if (!offer_answered(f))
		return STATE_PENDING;
	if (a->verb == VERB_REJECT)
		return a->settled == SETTLED_NOT ? STATE_REJECTING :
						   STATE_REJECTED;
	switch (a->settled) {
	case SETTLED_NOT:
		return STATE_ACCEPTING;
	case SETTLED_NO:
		return STATE_REFUSED;
	case SETTLED_OK:
		break; /* a later look found the order open, so Centra's `ok`
			* no longer counts */
	}
	return STATE_PENDING;
}

/* Returns the state by row 6 or 7, unless two looks showed the offer to be
 * over. */
static enum offer_state still_open(const struct offer *f)
{
	enum offer_state s = answer_state(f);
	bool lost = s == STATE_ACCEPTING && offer_may_be_won(f);

	if (s == STATE_REJECTED)
		return s; /* our reject was done */
	return is_over(f, lost ? 2 : 1) ? an_end(f->sighting.ended) : s;
}

static enum offer_state state_of(const struct accepts *a,
				 const struct order *o, const struct offer *f,
				 bool *ret_conflict)
{
	enum offer_state ret;

	*ret_conflict = false;
	if (order_cancelled(o)) /* row 1 */
		return STATE_CANCELLED;
	if (offer_kind(f) == KIND_ALLOCATION_REQUEST)
		return requests_state(o, f); /* OFFERS 5.2 */
	if (offer_found(o, f, FOUND_OURS)) /* row 2 */
		return STATE_ACCEPTED;
	if (offer_found(o, f, FOUND_NOT_OURS))
		return an_end(f->finding.ended);
	if (in_conflict(a, o, f)) { /* row 3 */
		if (is_over(f, 2))
			return ended(a, f, &ret) ? ret :
						   an_end(f->sighting.ended);
		*ret_conflict = true;
		return STATE_ACCEPTING;
	}
	if (!offer_found(o, f, FOUND_OPEN) && accept_stands(f)) /* row 4 */
		return STATE_ACCEPTED;
	if (ended(a, f, &ret))
		return ret;
	return still_open(f);
}

static enum list list_of(const struct offer *f)
{
	switch (f->state) {
	case STATE_PENDING:
	case STATE_ACCEPTING:
	case STATE_REJECTING:
	case STATE_REFUSED:
		return LIST_OPEN;
	case STATE_ACCEPTED:
		return f->shipped ? LIST_DONE : LIST_MINE;
	default:
		return LIST_DONE;
	}
}

static bool in_doubt(const struct offer *f)
{
	return f->list == LIST_MINE && f->sighting.blank &&
	       f->sighting.blank_knew >= offer_won_version(f);
}

bool offer_shown_nothing(const struct offer *f)
{
	const struct sighting *r = &f->sighting;

	if (f->list != LIST_OPEN)
		return f->doubt;
	return r->blank || (r->what == FOUND_OVER &&
			    strcmp(r->opened, opened_date(f)) >= 0);
}

/* True if events have come since a look's finding, and they no longer lead to
 * the state that it proved. */
static bool finding_outlived(const struct order *o, const struct offer *f)
{
	bool over = f->list == LIST_DONE && f->state != STATE_ACCEPTED;

	if (f->finding.knew == o->version)
		return false;
	switch (f->finding.what) {
	case FOUND_OURS:
		return f->state != STATE_ACCEPTED;
	case FOUND_NOT_OURS:
		return !over;
	default:
		return false;
	}
}

static bool wants_fetch(const struct order *o, const struct offer *f,
			bool conflict, bool others)
{
	if (f->shipped || f->state == STATE_CANCELLED)
		return false;
	return conflict || finding_outlived(o, f) ||
	       (!others && offer_shown_nothing(f)) ||
	       (f->list == LIST_MINE && !others && !o->has_address) ||
	       (f->list == LIST_OPEN && !o->has_details);
}

void offer_derive_for(const struct zone *zone, struct order *o,
		      offer_ours_fn *is_ours, const void *arg)
{
	struct accepts a = accepts_of(zone, o);

	o->fetch_due = false;
	for (size_t i = 0; i < o->n_offers; i++) {
		struct offer *f = &o->offers[i];
		const struct opening *p = offer_opened(f);
		bool conflict, others;

		f->state = state_of(&a, o, f, &conflict);
		/* A further request was lost: what was sent stays done. */
		f->shipped |= f->state == STATE_ACCEPTED && requests_all_sent(f);
		f->list = list_of(f);
		f->expires = p ? p->expires : TIME_NONE;
		others = is_ours && !is_ours(arg, f->warehouse);
		f->doubt = !others && in_doubt(f);
		if (wants_fetch(o, f, conflict, others))
			o->fetch_due = true;
	}
}

void offer_derive(const struct zone *zone, struct order *o)
{
	offer_derive_for(zone, o, NULL, NULL);
}

/* ---- one shop, several warehouses ---- */

/* Returns the rank of an offer among those of its shop.  The offer with the
 * least rank stands for the shop. */
static int rank(const struct offer *f)
{
	static const int ranks[STATES] = {
		[STATE_ACCEPTED] = 0,  [STATE_ACCEPTING] = 1,
		[STATE_REJECTING] = 2, [STATE_PENDING] = 3,
		[STATE_REFUSED] = 4,   [STATE_REJECTED] = 5,
		[STATE_TAKEN] = 5,     [STATE_TIMED_OUT] = 5,
		[STATE_CANCELLED] = 5,
	};

	return (unsigned)f->state < STATES ? ranks[f->state] : 5;
}

const struct offer *offer_of_shop(const struct order *o,
				  const int64_t *warehouses, size_t n)
{
	const struct offer *best = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct offer *f = order_offer(o, warehouses[i]);

		if (f && (!best || rank(f) < rank(best)))
			best = f;
	}
	return best;
}
