/* SPDX-License-Identifier: MIT
 *
 * check_first.c - the task that applies a check_first event: facts are joined
 * to the order; what they mean is for offer.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "centra/event.h"
#include "handlers/handlers.h"
#include "handlers/run.h"

/* The tail of each note: which event said so. */
static const char *source(char ret[160], const struct event *ev)
{
	char received[TIME_ISO_SIZE];

	snprintf(ret, 160, "(check_first %.24s, dated %s, received %s)",
		 ev->action, ev->date,
		 time_iso(received, ev->received, 0, true));
	return ret;
}

static void open_offer(struct work *w, const struct check_first_offer *offer)
{
	struct changes *c = &w->result.changes;
	struct change *opening =
		changes_add(c, CHANGE_OPENING, offer->warehouse);
	char from[160], until[TIME_ISO_SIZE];

	opening->opening.expires = offer->expires;
	opening->opening.offset_min = offer->offset_min;
	memcpy(opening->opening.date, w->event->date, STAMP_SIZE);
	if (offer->expires == TIME_NONE)
		changes_note(c, offer->warehouse, "event",
			     "Centra offered it to warehouse %" PRId64
			     " without a deadline %s",
			     offer->warehouse, source(from, w->event));
	else
		changes_note(c, offer->warehouse, "event",
			     "Centra offered it to warehouse %" PRId64
			     " until %s %s",
			     offer->warehouse,
			     time_iso(until, offer->expires, offer->offset_min,
				      false),
			     source(from, w->event));
}

static enum rc apply_create(struct work *w, struct err *e)
{
	struct check_first_offer *offers = NULL;
	size_t n = 0;
	enum rc rc = check_first_offers(w->event->data, &offers, &n, e);

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		open_offer(w, &offers[i]);
	free(offers);
	return OK;
}

static enum rc apply_mark(struct work *w, enum mark mark, const char *words,
			  struct err *e)
{
	int64_t warehouse = 0;
	enum rc rc = check_first_warehouse(w->event->data, &warehouse, e);
	char from[160];
	struct change *c;

	if (rc)
		return rc;
	c = changes_add(&w->result.changes, CHANGE_MARK, warehouse);
	c->mark = mark;
	memcpy(c->date, w->event->date, STAMP_SIZE);
	changes_note(&w->result.changes, warehouse, "event",
		     "Centra says warehouse %" PRId64 " %s %s", warehouse,
		     words, source(from, w->event));
	/* After each accept the order is fetched again: the event may be
	 * older than what a look has shown since. */
	if (mark == MARK_ACCEPTED)
		changes_task(&w->result.changes, TASK_FETCH_ORDER, 0, w->now);
	return OK;
}

/* Nothing can be made of it, but it is about an order that we hold. */
static void apply_unknown(struct work *w)
{
	char from[160];

	changes_note(&w->result.changes, 0, "event",
		     "Centra sent an event that is not known here %s",
		     source(from, w->event));
	if (w->order->n_offers)
		changes_task(&w->result.changes, TASK_FETCH_ORDER, 0, w->now);
}

/* True when the order holds already what a change says. */
static bool is_held(const struct order *o, const struct change *c)
{
	const struct offer *f = order_offer(o, c->warehouse);

	if (c->kind == CHANGE_MARK)
		return f && strcmp(f->marks[c->mark], c->date) >= 0;
	if (c->kind != CHANGE_OPENING)
		return true; /* no fact */
	for (size_t i = 0; f && i < f->n_openings; i++)
		if (f->openings[i].expires == c->opening.expires)
			return strcmp(f->openings[i].date, c->opening.date) <=
			       0;
	return false;
}

/* An event that is applied once more, by hand (its task is younger than it),
 * was known to whatever look came since: unless it says more than it did, that
 * look still holds. */
static bool known_to_looks(const struct work *w)
{
	const struct changes *c = &w->result.changes;
	bool all = w->task->created > w->event->received;

	for (size_t i = 0; all && i < c->n; i++)
		all = is_held(w->order, &c->list[i]);
	return all;
}

static void apply(struct work *w)
{
	static const struct {
		const char *action;
		enum mark mark;
		const char *words;
	} marks[] = {
		{"accepted", MARK_ACCEPTED, "accepted it"},
		{"rejected", MARK_REJECTED, "is out: rejected"},
		{"timeout", MARK_TIMED_OUT, "is out: timed out"},
	};
	const char *action = w->event->action;
	const size_t n = sizeof(marks) / sizeof(marks[0]);
	struct err e = {0};
	enum rc rc;
	size_t i = 0;

	while (i < n && strcmp(action, marks[i].action) != 0)
		i++;
	if (i < n) {
		rc = apply_mark(w, marks[i].mark, marks[i].words, &e);
	} else if (!strcmp(action, "create")) {
		rc = apply_create(w, &e);
	} else {
		apply_unknown(w);
		return;
	}
	if (rc)
		run_dead(w, "%s", e.text);
	else if (!known_to_looks(w))
		changes_add(&w->result.changes, CHANGE_HEARD, 0);
}

void handle_check_first(struct work *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (w[i].event)
			apply(&w[i]);
		else
			run_dead(&w[i], "the event is gone");
	}
}
