/* SPDX-License-Identifier: MIT
 *
 * check_first.c - applies a check_first event: joins its facts to the order.
 * What the facts mean is derived by offer.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "centra/event.h"
#include "handlers/event.h"
#include "handlers/handlers.h"

/* The tail of each note: which event said so. */
static const char *source(char ret[160], const struct event *ev)
{
	char received[TIME_ISO_SIZE];

	snprintf(ret, 160, "(check_first %.24s, dated %s, received %s)",
		 ev->action, ev->date,
		 time_iso(received, ev->received, 0, true));
	return ret;
}

static void open_offer(const struct event *ev,
		       const struct check_first_offer *offer,
		       struct changes *c)
{
	struct change *opening =
		changes_add(c, CHANGE_OPENING, offer->warehouse);
	char from[160], until[TIME_ISO_SIZE];

	opening->opening.expires = offer->expires;
	opening->opening.offset_min = offer->offset_min;
	memcpy(opening->opening.date, ev->date, STAMP_SIZE);
	if (offer->expires == TIME_NONE)
		changes_note(c, offer->warehouse, "event",
			     "Centra offered it to warehouse %" PRId64
			     " without a deadline %s",
			     offer->warehouse, source(from, ev));
	else
		changes_note(c, offer->warehouse, "event",
			     "Centra offered it to warehouse %" PRId64
			     " until %s %s",
			     offer->warehouse,
			     time_iso(until, offer->expires, offer->offset_min,
				      false),
			     source(from, ev));
}

static void add_mark(const struct event *ev, int64_t warehouse, enum mark mark,
		     const char *words, int64_t now, struct changes *ret)
{
	struct change *c = changes_add(ret, CHANGE_MARK, warehouse);
	char from[160];

	c->mark.what = mark;
	memcpy(c->mark.date, ev->date, STAMP_SIZE);
	changes_note(ret, warehouse, "event",
		     "Centra says warehouse %" PRId64 " %s %s", warehouse,
		     words, source(from, ev));
	/* After each accept the order is fetched again: the event may be
	 * older than what a look has shown since. */
	if (mark == MARK_ACCEPTED)
		changes_task(ret, TASK_FETCH_ORDER, 0, now);
}

/* Of an action that is not known: a line in the journal, and a fetch if the
 * order was offered. */
static void add_unknown(const struct order *o, const struct event *ev,
			int64_t now, struct changes *ret)
{
	char from[160];

	changes_note(ret, 0, "event",
		     "Centra sent an event that is not known here %s",
		     source(from, ev));
	if (o->n_offers)
		changes_task(ret, TASK_FETCH_ORDER, 0, now);
}

/* Adds what the data of a known action says. */
static void add_facts(const struct event *ev, const struct check_first *said,
		      int64_t now, struct changes *ret)
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

	for (size_t i = 0; i < said->n_offers; i++)
		open_offer(ev, &said->offers[i], ret);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (!strcmp(ev->action, marks[i].action))
			add_mark(ev, said->warehouse, marks[i].mark,
				 marks[i].words, now, ret);
}

enum rc check_first_apply(const struct order *o, const struct event *ev,
			  int64_t now, struct changes *ret, struct err *e)
{
	struct check_first *read = NULL;
	enum rc rc;

	if (!check_first_known(ev->action)) {
		add_unknown(o, ev, now, ret);
		return OK;
	}
	if (ev->decoded) {
		add_facts(ev, ev->decoded, now, ret);
		return OK;
	}
	rc = check_first_read(ev->action, ev->data, &read, e);
	if (!rc)
		add_facts(ev, read, now, ret);
	free(read);
	return rc;
}
