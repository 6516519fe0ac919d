/* SPDX-License-Identifier: MIT
 *
 * check_first.c - applies a check_first event: joins its facts to the order.
 * What the facts mean is derived by offer.c.
 */
#include <stdlib.h>
#include <string.h>

#include "centra/event.h"
#include "handlers/event.h"
#include "handlers/handlers.h"

static void open_offer(const struct event *ev,
		       const struct check_first_offer *offer,
		       struct changes *c)
{
	struct opening *opening =
		&changes_add(c, CHANGE_OPENING, offer->warehouse)->opening;
	bool ends = offer->expires != TIME_NONE;

	opening->expires = offer->expires;
	opening->offset_min = offer->offset_min;
	memcpy(opening->date, ev->date, STAMP_SIZE);
	changes_journal_event(c, ev,
		      &(struct entry){
			      .warehouse = offer->warehouse,
			      .fact = FACT_OFFERED,
			      .result = ends ? "until" : "no_deadline",
			      .until = ends ? offer->expires : 0,
			      .offset_min = ends ? offer->offset_min : 0,
		      });
}

static void add_mark(const struct event *ev, int64_t warehouse, enum mark mark,
		     const char *result, int64_t now, struct changes *ret)
{
	struct change *c = changes_add(ret, CHANGE_MARK, warehouse);

	c->mark.what = mark;
	memcpy(c->mark.date, ev->date, STAMP_SIZE);
	changes_journal_event(ret, ev, &(struct entry){.warehouse = warehouse,
					       .fact = FACT_CENTRA_SAID,
					       .result = result});
	/* An accepted event has the order fetched again: the event may be older
	 * than what a look has shown since. */
	if (mark == MARK_ACCEPTED)
		changes_task(ret, TASK_FETCH_ORDER, 0, now);
}

/* Handles an unknown action: a line in the journal, and a fetch if the order
 * was offered. */
static void add_unknown(const struct order *o, const struct event *ev,
			int64_t now, struct changes *ret)
{
	changes_journal_event(ret, ev, &(struct entry){.fact = FACT_UNKNOWN_EVENT,
					       .text = ev->action});
	if (o->n_offers)
		changes_task(ret, TASK_FETCH_ORDER, 0, now);
}

/* Adds the facts in the data of a known action. */
static void add_facts(const struct event *ev, const struct check_first *said,
		      int64_t now, struct changes *ret)
{
	static const struct {
		const char *action;
		enum mark mark;
		const char *result; /* of FACT_CENTRA_SAID */
	} marks[] = {
		{"accepted", MARK_ACCEPTED, "accepted"},
		{"rejected", MARK_REJECTED, "rejected"},
		{"timeout", MARK_TIMED_OUT, "timed_out"},
	};

	for (size_t i = 0; i < said->n_offers; i++)
		open_offer(ev, &said->offers[i], ret);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (!strcmp(ev->action, marks[i].action))
			add_mark(ev, said->warehouse, marks[i].mark,
				 marks[i].result, now, ret);
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
