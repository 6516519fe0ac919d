/* SPDX-License-Identifier: MIT
 *
 * order.c - joining facts to an order, and lists of changes.
 */
#include "store/model/order.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

const char *offer_state_name(enum offer_state s)
{
	static const char *const names[STATES] = {
		[STATE_PENDING] = "pending",
		[STATE_ACCEPTING] = "accepting",
		[STATE_REJECTING] = "rejecting",
		[STATE_REFUSED] = "refused",
		[STATE_ACCEPTED] = "accepted",
		[STATE_REJECTED] = "rejected",
		[STATE_TAKEN] = "taken",
		[STATE_TIMED_OUT] = "timed_out",
		[STATE_CANCELLED] = "cancelled",
	};

	return (unsigned)s < STATES ? names[s] : "unknown";
}

const char *missed_name(enum missed m)
{
	static const char *const names[MISSED_KINDS] = {
		[MISSED_CREATE] = "create",
		[MISSED_ACCEPTED] = "accepted",
		[MISSED_REJECTED] = "rejected",
		[MISSED_TIMEOUT] = "timeout",
		[MISSED_CANCEL] = "cancel",
	};

	return (unsigned)m < MISSED_KINDS ? names[m] : "unknown";
}

/* ---- life ---- */

void order_init(struct order *o, const char *instance, int64_t number)
{
	*o = (struct order){.number = number};
	snprintf(o->instance, sizeof(o->instance), "%s", instance);
}

static void answer_release(struct answer *a)
{
	free(a->reason);
	free(a->note);
	free(a->refusal);
	*a = (struct answer){0};
}

static void problem_release(struct problem *p)
{
	free(p->reason);
	free(p->note);
	free(p->by);
	free(p->solved_by);
	*p = (struct problem){0};
}

/* Gives a copy of a problem texts of its own. */
static void problem_own(struct problem *p)
{
	p->reason = xstrdup(p->reason);
	p->note = xstrdup(p->note);
	p->by = xstrdup(p->by);
	p->solved_by = xstrdup(p->solved_by);
}

bool problem_open(const struct problem *p)
{
	return p->at && !p->solved_at;
}

void order_release(struct order *o)
{
	for (size_t i = 0; i < o->n_offers; i++) {
		free(o->offers[i].openings);
		answer_release(&o->offers[i].answer);
		problem_release(&o->offers[i].problem);
		for (size_t k = 0; k < o->offers[i].n_shipments; k++)
			shipment_release(&o->offers[i].shipments[k]);
		free(o->offers[i].shipments);
		free(o->offers[i].held);
	}
	free(o->offers);
	o->offers = NULL;
	o->n_offers = 0;
}

static void shipments_copy(struct offer *f, const struct shipment *from)
{
	f->shipments = NULL;
	if (!f->n_shipments)
		return;
	f->shipments = xcalloc(f->n_shipments, sizeof(*f->shipments));
	for (size_t i = 0; i < f->n_shipments; i++)
		f->shipments[i] = shipment_copy(&from[i]);
}

void order_copy(struct order *ret, const struct order *o)
{
	struct offer *f;

	*ret = *o;
	ret->offers = NULL;
	if (!o->n_offers)
		return;
	ret->offers = xcalloc(o->n_offers, sizeof(*ret->offers));
	for (size_t i = 0; i < o->n_offers; i++) {
		f = &ret->offers[i];
		*f = o->offers[i];
		if (f->openings)
			f->openings = xmemdup(f->openings,
					      f->n_openings *
						      sizeof(*f->openings));
		f->answer.reason = xstrdup(f->answer.reason);
		f->answer.note = xstrdup(f->answer.note);
		f->answer.refusal = xstrdup(f->answer.refusal);
		problem_own(&f->problem);
		shipments_copy(f, o->offers[i].shipments);
		if (f->held)
			f->held = xmemdup(f->held,
					  f->n_held * sizeof(*f->held));
	}
}

/* ---- finding offers ---- */

/* Where the warehouse stands in the list, or would. */
static size_t offer_place(const struct order *o, int64_t warehouse)
{
	size_t lo = 0, hi = o->n_offers, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (o->offers[mid].warehouse < warehouse)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct offer *order_offer(const struct order *o, int64_t warehouse)
{
	size_t i = offer_place(o, warehouse);

	if (i < o->n_offers && o->offers[i].warehouse == warehouse)
		return &o->offers[i];
	return NULL;
}

/* The offer, made if there is none yet.  NULL: there may be no more. */
static struct offer *offer_made(struct order *o, int64_t warehouse)
{
	size_t i = offer_place(o, warehouse);

	if (!warehouse)
		return NULL;
	if (i < o->n_offers && o->offers[i].warehouse == warehouse)
		return &o->offers[i];
	if (o->n_offers >= OFFERS_MAX)
		return NULL;
	o->offers = xrealloc(o->offers, o->n_offers + 1, sizeof(*o->offers));
	memmove(&o->offers[i + 1], &o->offers[i],
		(o->n_offers - i) * sizeof(*o->offers));
	o->n_offers++;
	o->offers[i] = (struct offer){
		.warehouse = warehouse,
		.expires = TIME_NONE,
	};
	return &o->offers[i];
}

/* The answer that a try or a result is about; NULL: there is none. */
static struct answer *answer_held(const struct order *o, int64_t warehouse)
{
	struct offer *f = order_offer(o, warehouse);

	return f && f->answer.verb != VERB_NONE ? &f->answer : NULL;
}

struct shipment *offer_shipment(const struct offer *f)
{
	return f->n_shipments ? &f->shipments[f->n_shipments - 1] : NULL;
}

static struct shipment *shipment_held(const struct order *o, int64_t warehouse)
{
	struct offer *f = order_offer(o, warehouse);

	return f ? offer_shipment(f) : NULL;
}

/* ---- texts ---- */

/* A copy of at most max bytes that ends between two UTF-8 characters. */
static char *text_bounded(const char *s, size_t max)
{
	size_t n;

	if (!s)
		return NULL;
	n = strnlen(s, max + 1);
	if (n > max) {
		n = max;
		while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
	}
	return xstrndup(s, n);
}

/* ---- joining ---- */

/* True when a says more than b: a lesser date, or as much with less offset. */
static bool opening_less(const struct opening *a, const struct opening *b)
{
	int d = strcmp(a->date, b->date);

	return d < 0 || (d == 0 && a->offset_min < b->offset_min);
}

/* By date, then expiry: how openings are kept, so that equal facts are equal
 * bytes. */
static int opening_order(const struct opening *a, const struct opening *b)
{
	int d = strcmp(a->date, b->date);

	return d ? d : (a->expires > b->expires) - (a->expires < b->expires);
}

static void opening_remove(struct offer *f, size_t i)
{
	memmove(&f->openings[i], &f->openings[i + 1],
		(f->n_openings - i - 1) * sizeof(*f->openings));
	f->n_openings--;
}

/* No deadline is later than any. */
static bool expires_later(int64_t a, int64_t b)
{
	return a != b && b != TIME_NONE && (a == TIME_NONE || a > b);
}

/* The opening that expires first. */
static size_t opening_earliest(const struct offer *f)
{
	size_t ret = 0;

	for (size_t i = 1; i < f->n_openings; i++)
		if (expires_later(f->openings[ret].expires,
				  f->openings[i].expires))
			ret = i;
	return ret;
}

/* Keeps the OPENINGS_MAX openings that expire last.  The bound must not look
 * at the dates: the least date of an expiry is known only once all its creates
 * have come, but an expiry that was dropped stays among the earlier ones. */
static void opening_join(struct offer *f, const struct opening *in)
{
	size_t i;

	for (i = 0; i < f->n_openings; i++) {
		if (f->openings[i].expires != in->expires)
			continue;
		if (!opening_less(in, &f->openings[i]))
			return;
		opening_remove(f, i);
		break;
	}
	if (f->n_openings >= OPENINGS_MAX) {
		i = opening_earliest(f);
		if (!expires_later(in->expires, f->openings[i].expires))
			return;
		opening_remove(f, i);
	}
	for (i = f->n_openings; i; i--)
		if (opening_order(&f->openings[i - 1], in) < 0)
			break;
	f->openings = xrealloc(f->openings, f->n_openings + 1,
			       sizeof(*f->openings));
	memmove(&f->openings[i + 1], &f->openings[i],
		(f->n_openings - i) * sizeof(*f->openings));
	f->openings[i] = *in;
	f->n_openings++;
}

static const struct opening *opening_until(const struct offer *f,
					   int64_t expires)
{
	for (size_t i = 0; i < f->n_openings; i++)
		if (f->openings[i].expires == expires)
			return &f->openings[i];
	return NULL;
}

/* What recovery puts there anew is newer than what it put there before. */
static void opening_renew(struct offer *f, const struct opening *in)
{
	const struct opening *old = opening_until(f, in->expires);

	if (old && strcmp(old->date, in->date) >= 0)
		return;
	if (old)
		opening_remove(f, (size_t)(old - f->openings));
	opening_join(f, in);
}

static void apply_opening(struct order *o, struct offer *f,
			  const struct change *c)
{
	if (c->recovered) {
		opening_renew(f, &c->opening);
		return;
	}
	if (!opening_until(f, c->opening.expires))
		o->missed &= ~(1u << MISSED_CREATE);
	opening_join(f, &c->opening);
}

static void mark_join(struct offer *f, enum mark mark, const char *date)
{
	if ((unsigned)mark < MARKS && strcmp(date, f->marks[mark]) > 0)
		snprintf(f->marks[mark], sizeof(f->marks[mark]), "%s", date);
}

/* An accept that says more than the one held remembers which version it made:
 * the one after the HEARD that belongs to it.  If that is still to come it
 * raises the version once more; if it was before, there is no second one before
 * the order is kept, and `unheard` with it forgotten. */
static void mark_raise(const struct order *o, struct offer *f,
		       const struct change *c)
{
	char was[STAMP_SIZE];

	memcpy(was, f->marks[MARK_ACCEPTED], sizeof(was));
	mark_join(f, c->mark, c->date);
	if (!strcmp(was, f->marks[MARK_ACCEPTED]))
		return;
	f->accepted_version = o->version;
	f->accepted_unheard = true;
}

static void apply_heard(struct order *o)
{
	o->version++;
	for (size_t i = 0; i < o->n_offers; i++) {
		struct offer *f = &o->offers[i];

		if (f->accepted_unheard)
			f->accepted_version = o->version;
		f->accepted_unheard = false;
	}
}

static void apply_missed(struct order *o, const struct change *c)
{
	struct offer *f = order_offer(o, c->warehouse);

	if ((unsigned)c->missed >= MISSED_KINDS)
		return;
	if (!c->warehouse)
		o->missed |= 1u << c->missed;
	else if (f)
		f->missed |= 1u << c->missed;
}

/* A fetch that another has overtaken is at most so much older.  What seems to
 * be older still comes from a clock that was ahead. */
#define OVERTAKEN ((int64_t)10 * 60 * 1000)

static void apply_fetched(struct order *o, const struct change *c)
{
	const char *status = c->text ? c->text : "";

	if (!strcmp(status, "CANCELLED"))
		o->cancelled = true;
	if (c->at < o->fetched_at && o->fetched_at - c->at < OVERTAKEN)
		return;
	o->fetched_at = c->at;
	o->on_hold = c->on_hold;
	if (!c->waits)
		o->missed &= ~(1u << MISSED_CREATE);
	snprintf(o->status, sizeof(o->status), "%.*s", STATUS_SIZE - 1, status);
	snprintf(o->hold_reason, sizeof(o->hold_reason), "%s", c->hold_reason);
	text_trim(o->status);
	text_trim(o->hold_reason);
}

/* Accepting again does not make what an earlier try may have done undone, be it
 * to an older opening: what is doubtful of one accept is so of the next, and an
 * ok to another opening may hold still. */
static void apply_answer(struct answer *a, const struct answer *in)
{
	bool both = a->verb == VERB_ACCEPT && in->verb == VERB_ACCEPT;
	bool again = both && !strcmp(a->opened, in->opened);
	bool unknown = both && (a->unknown || a->try_begun ||
				(!again && a->settled == SETTLED_OK));
	bool was_ok = again && a->was_ok;

	if (in->verb == VERB_NONE)
		return;
	answer_release(a);
	a->unknown = unknown;
	a->was_ok = was_ok;
	a->verb = in->verb;
	memcpy(a->opened, in->opened, sizeof(a->opened));
	a->at = in->at;
	a->device = in->device;
	a->reason = text_bounded(in->reason, ORDER_TEXT_MAX);
	a->note = text_bounded(in->note, ORDER_TEXT_MAX);
}

static void apply_problem(struct problem *p, const struct problem *in)
{
	problem_release(p);
	p->at = in->at ? in->at : 1;
	p->device = in->device;
	p->reason = text_bounded(in->reason, ORDER_TEXT_MAX);
	p->note = text_bounded(in->note, ORDER_TEXT_MAX);
	p->by = text_bounded(in->by, ORDER_TEXT_MAX);
}

static void apply_solved(struct problem *p, const struct problem *in)
{
	if (!problem_open(p))
		return;
	p->solved_at = in->solved_at ? in->solved_at : 1;
	p->solved_device = in->solved_device;
	p->solved_by = text_bounded(in->solved_by, ORDER_TEXT_MAX);
}

static void apply_try_begun(struct order *o, const struct change *c)
{
	struct answer *a = answer_held(o, c->warehouse);

	if (!a)
		return;
	o->version++;
	a->unknown |= a->try_begun != 0;
	a->try_begun = c->at ? c->at : 1;
	a->tries++;
	a->late_tries += c->late;
}

static void apply_try_ended(struct order *o, const struct change *c)
{
	struct answer *a = answer_held(o, c->warehouse);

	if (!a)
		return;
	o->version++;
	a->try_begun = 0;
	if (c->try_end == TRY_NO && a->verb == VERB_ACCEPT &&
	    (a->unknown || a->was_ok)) {
		a->denied = true;
		free(a->refusal);
		a->refusal = text_bounded(c->text, ORDER_TEXT_MAX);
	}
	a->was_ok |= c->try_end == TRY_OK;
	a->unknown |= c->try_end == TRY_UNKNOWN;
}

static void apply_settled(struct order *o, const struct change *c)
{
	struct answer *a = answer_held(o, c->warehouse);

	/* A shop may have answered a newer offer since the run began. */
	if (!a || (c->date[0] && strcmp(c->date, a->opened) != 0))
		return;
	a->settled = c->settled;
	a->settled_version = o->version;
	free(a->refusal);
	a->refusal = c->settled == SETTLED_NO
			     ? text_bounded(c->text, ORDER_TEXT_MAX)
			     : NULL;
}

/* ---- shipping ---- */

static struct ship_ask ask_bounded(const struct ship_ask *in)
{
	struct ship_ask ret = *in;
	size_t n = in->n_lines < SHIP_LINES_MAX ? in->n_lines : SHIP_LINES_MAX;

	ret.carrier = text_bounded(in->carrier, ORDER_TEXT_MAX);
	ret.service = text_bounded(in->service, ORDER_TEXT_MAX);
	ret.tracking = text_bounded(in->tracking, ORDER_TEXT_MAX);
	ret.by = text_bounded(in->by, ORDER_TEXT_MAX);
	ret.lines = n ? xmemdup(in->lines, n * sizeof(*in->lines)) : NULL;
	ret.n_lines = n;
	return ret;
}

/* The oldest makes room for one too many. */
static void key_join(struct shipment *s, const struct ship_ask *in)
{
	if (!in->keyed || shipment_has_key(s, &in->key))
		return;
	if (s->n_keys == SHIP_KEYS_MAX)
		memmove(s->keys, s->keys + 1,
			--s->n_keys * sizeof(*s->keys));
	s->keys = xrealloc(s->keys, s->n_keys + 1, sizeof(*s->keys));
	s->keys[s->n_keys++] = in->key;
}

/* Asked for again after a failure: what Centra has of it stays. */
static void ask_again(struct shipment *s, const struct ship_ask *in)
{
	struct ship_ask ask = ask_bounded(in);

	if (shipment_stands(s)) {
		free(ask.lines);
		ask.all = s->ask.all;
		ask.lines = s->ask.lines;
		ask.n_lines = s->ask.n_lines;
		s->ask.lines = NULL;
	}
	ship_ask_release(&s->ask);
	s->ask = ask;
	free(s->came.error);
	s->came.error = NULL;
	s->came.stage = s->came.id ? SHIP_CREATED : SHIP_ASKED;
	s->came.fault = FAULT_NONE;
	if (s->came.capture == CAPTURE_FAILED)
		s->came.capture = CAPTURE_NONE;
}

static void apply_ship_asked(struct offer *f, const struct ship_ask *in)
{
	struct shipment *s = offer_shipment(f);

	if (s && shipment_under_way(s))
		return;
	if (s && s->came.stage != SHIP_SHIPPED) {
		ask_again(s, in);
		key_join(s, in);
		return;
	}
	if (f->n_shipments >= SHIPMENTS_MAX)
		return;
	f->shipments = xrealloc(f->shipments, f->n_shipments + 1,
				sizeof(*f->shipments));
	f->shipments[f->n_shipments++] = (struct shipment){
		.ask = ask_bounded(in),
	};
	key_join(offer_shipment(f), in);
}

static void apply_ship_lines(struct shipment *s, const struct ship_ask *in)
{
	size_t n = in->n_lines < SHIP_LINES_MAX ? in->n_lines : SHIP_LINES_MAX;

	if (shipment_stands(s))
		return;
	free(s->ask.lines);
	s->ask.lines = n ? xmemdup(in->lines, n * sizeof(*in->lines)) : NULL;
	s->ask.n_lines = n;
}

static void apply_create_begun(struct shipment *s, const struct change *c)
{
	const struct ship_ask *a = &c->ask;
	size_t n = a->n_lines < SHIP_LINES_MAX ? a->n_lines : SHIP_LINES_MAX;

	s->newest_seen = c->sub;
	free(s->before);
	s->before = n ? xmemdup(a->lines, n * sizeof(*a->lines)) : NULL;
	s->n_before = n;
}

static void apply_ship_begun(struct shipment *s, const struct change *c)
{
	if ((unsigned)c->step >= SHIP_STEPS)
		return;
	if (c->step == STEP_CREATE)
		apply_create_begun(s, c);
	s->unknown = s->trying;
	s->trying = true;
	s->step = c->step;
	s->try_at = c->at ? c->at : 1;
	s->tries[c->step]++;
}

static void apply_ship_came(struct offer *f, struct shipment *s,
			    const struct ship_came *in)
{
	char *error = text_bounded(in->error, ORDER_TEXT_MAX);

	free(s->came.error);
	s->came = *in;
	s->came.error = error;
	if (in->stage == SHIP_SHIPPED && !in->rest)
		f->shipped = true;
}

static void apply_ship_held(struct offer *f, const struct change *c)
{
	size_t n = c->n_held < SHIP_LINES_MAX ? c->n_held : SHIP_LINES_MAX;

	free(f->held);
	f->held = n ? xmemdup(c->held, n * sizeof(*c->held)) : NULL;
	f->n_held = n;
}

static void apply_ship_closed(struct offer *f)
{
	struct shipment *s = offer_shipment(f);

	if (s && s->came.stage != SHIP_SHIPPED && !shipment_stands(s)) {
		shipment_release(s);
		f->n_shipments--;
	}
	for (size_t i = 0; i < f->n_shipments; i++)
		f->shipped |= f->shipments[i].came.stage == SHIP_SHIPPED;
}

/* One of the CHANGE_SHIP_ kinds. */
static void apply_ship(struct order *o, const struct change *c)
{
	struct offer *f = order_offer(o, c->warehouse);
	struct shipment *s = shipment_held(o, c->warehouse);

	if (f && c->kind == CHANGE_SHIP_ASKED)
		apply_ship_asked(f, &c->ask);
	else if (f && c->kind == CHANGE_SHIP_HELD)
		apply_ship_held(f, c);
	else if (f && c->kind == CHANGE_SHIP_CLOSED)
		apply_ship_closed(f);
	if (!s)
		return;
	switch (c->kind) {
	case CHANGE_SHIP_LINES:
		apply_ship_lines(s, &c->ask);
		break;
	case CHANGE_SHIP_BEGUN:
		apply_ship_begun(s, c);
		break;
	case CHANGE_SHIP_ENDED:
		s->trying = false;
		s->unknown = c->try_end == TRY_UNKNOWN;
		break;
	case CHANGE_SHIP_CAME:
		apply_ship_came(f, s, &c->came);
		break;
	default:
		break;
	}
}

void order_apply(struct order *o, const struct change *c)
{
	struct offer *f;

	switch (c->kind) {
	case CHANGE_HEARD:
		apply_heard(o);
		break;
	case CHANGE_OPENING:
		f = offer_made(o, c->warehouse);
		if (f)
			apply_opening(o, f, c);
		break;
	case CHANGE_MARK:
		f = offer_made(o, c->warehouse);
		if (f)
			mark_raise(o, f, c);
		break;
	case CHANGE_CANCELLED:
		o->cancelled = true;
		break;
	case CHANGE_FETCHED:
		apply_fetched(o, c);
		break;
	case CHANGE_FINDING:
		f = c->finding.what == FOUND_NOTHING
			    ? order_offer(o, c->warehouse)
			    : offer_made(o, c->warehouse);
		if (f)
			f->finding = c->finding;
		break;
	case CHANGE_SIGHTING:
		f = order_offer(o, c->warehouse);
		if (f)
			f->sighting = c->sighting;
		break;
	case CHANGE_ANSWER:
		f = offer_made(o, c->warehouse);
		if (f)
			apply_answer(&f->answer, &c->answer);
		break;
	case CHANGE_TRY_BEGUN:
		apply_try_begun(o, c);
		break;
	case CHANGE_TRY_ENDED:
		apply_try_ended(o, c);
		break;
	case CHANGE_SETTLED:
		apply_settled(o, c);
		break;
	case CHANGE_PROBLEM:
		f = order_offer(o, c->warehouse);
		if (f)
			apply_problem(&f->problem, &c->problem);
		break;
	case CHANGE_SOLVED:
		f = order_offer(o, c->warehouse);
		if (f)
			apply_solved(&f->problem, &c->problem);
		break;
	case CHANGE_STOPPED:
		f = order_offer(o, c->warehouse);
		if (f)
			f->stopped = true;
		break;
	case CHANGE_SHIP_ASKED:
	case CHANGE_SHIP_LINES:
	case CHANGE_SHIP_BEGUN:
	case CHANGE_SHIP_ENDED:
	case CHANGE_SHIP_CAME:
	case CHANGE_SHIP_HELD:
	case CHANGE_SHIP_CLOSED:
		apply_ship(o, c);
		break;
	case CHANGE_TOLD:
		if (c->at > o->told_at)
			o->told_at = c->at;
		break;
	case CHANGE_MISSED:
		apply_missed(o, c);
		break;
	case CHANGE_DETAILS:
	case CHANGE_ADDRESS:
	case CHANGE_NOTE:
	case CHANGE_TASK:
		break; /* the store's to file */
	}
}

void order_remember(struct order *o)
{
	for (size_t i = 0; i < o->n_offers; i++) {
		struct offer *f = &o->offers[i];

		if (f->state != STATE_ACCEPTED)
			continue;
		f->was_accepted = true;
		f->stopped = false;
	}
}

/* ---- lists of changes ---- */

struct change *changes_add(struct changes *c, enum change_kind kind,
			   int64_t warehouse)
{
	struct change *new;

	if (c->n == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 4;
		c->list = xrealloc(c->list, c->cap, sizeof(*c->list));
	}
	new = &c->list[c->n++];
	*new = (struct change){.kind = kind, .warehouse = warehouse};
	return new;
}

void changes_note(struct changes *c, int64_t warehouse, const char *what,
		  const char *fmt, ...)
{
	struct change *note = changes_add(c, CHANGE_NOTE, warehouse);
	char text[ORDER_TEXT_MAX + 8];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	note->what = what;
	note->text = text_bounded(text, ORDER_TEXT_MAX);
}

void changes_task(struct changes *c, const char *kind, int64_t sub, int64_t due)
{
	struct change *task = changes_add(c, CHANGE_TASK, 0);

	task->what = kind;
	task->sub = sub;
	task->at = due;
}

void change_release(struct change *c)
{
	answer_release(&c->answer);
	problem_release(&c->problem);
	ship_ask_release(&c->ask);
	ship_came_release(&c->came);
	free(c->held);
	free(c->text);
	c->held = NULL;
	c->text = NULL;
}

/* Copies what change_release() frees. */
void changes_add_copies(struct changes *c, const struct changes *more)
{
	for (size_t i = 0; i < more->n; i++) {
		const struct change *from = &more->list[i];
		struct change *to = changes_add(c, from->kind,
						from->warehouse);

		*to = *from;
		to->answer.reason = xstrdup(from->answer.reason);
		to->answer.note = xstrdup(from->answer.note);
		to->answer.refusal = xstrdup(from->answer.refusal);
		problem_own(&to->problem);
		to->ask = ship_ask_copy(&from->ask);
		to->came = ship_came_copy(&from->came);
		if (from->held)
			to->held = xmemdup(from->held,
					   from->n_held * sizeof(*from->held));
		to->text = xstrdup(from->text);
	}
}

void changes_release(struct changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		change_release(&c->list[i]);
	free(c->list);
	*c = (struct changes){0};
}
