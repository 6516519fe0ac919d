/* SPDX-License-Identifier: MIT
 *
 * event.c - see event.h.
 */
#include "handlers/event.h"

#include <string.h>

#include "handlers/handlers.h"
#include "handlers/run.h"

/* clang-format off */
/* The types of events that are applied: the type, the kind of task that applies
 * one later, the function. */
#define EVENT_TYPES(ROW) \
	ROW("check_first", TASK_CHECK_FIRST, check_first_apply) \
	ROW("order",       TASK_ORDER,       order_event_apply) \
	ROW("allocation_request", TASK_ALLOCATION_REQUEST, \
	    allocation_request_apply)
/* clang-format on */

typedef enum rc apply_fn(const struct order *o, const struct event *ev,
			 int64_t now, struct changes *ret, struct err *e);

static const struct {
	const char *type;
	const char *kind;
	apply_fn *apply;
} types[] = {
#define ROW(type, kind, apply) {type, kind, apply},
	EVENT_TYPES(ROW)
#undef ROW
};
#define TYPES (sizeof(types) / sizeof(types[0]))

const char *const event_kinds[] = {
#define ROW(type, kind, apply) kind,
	EVENT_TYPES(ROW)
#undef ROW
	NULL,
};

/* Returns the index of the type's row, or TYPES. */
static size_t row_of(const char *type)
{
	size_t i = 0;

	while (i < TYPES && strcmp(types[i].type, type) != 0)
		i++;
	return i;
}

const char *handler_of_event(const char *type, const char *action)
{
	size_t row = row_of(type);

	(void)action; /* Centra may add actions: an event with a new one is
		       * handled too */
	return row < TYPES ? types[row].kind : NULL;
}

/* True if the offer holds a row that says as much of a request. */
static bool holds_request(const struct offer *f, const struct alloc_request *r)
{
	for (size_t i = 0; i < f->n_requests; i++)
		if (f->requests[i].id == r->id &&
		    f->requests[i].expires == r->expires &&
		    f->requests[i].status >= r->status &&
		    alloc_request_same_lines(&f->requests[i], r))
			return true;
	return false;
}

/* True if the order already holds the fact in a change. */
static bool is_held(const struct order *o, const struct change *c)
{
	const struct offer *f = order_offer(o, c->warehouse);

	switch (c->kind) {
	case CHANGE_MARK:
		return f && strcmp(f->marks[c->mark.what], c->mark.date) >= 0;
	case CHANGE_CANCELLED:
		return o->cancelled;
	case CHANGE_REQUEST:
		return f && holds_request(f, &c->request);
	case CHANGE_OPENING:
		break;
	default:
		return true; /* no fact */
	}
	for (size_t i = 0; f && i < f->n_openings; i++)
		if (f->openings[i].expires == c->opening.expires &&
		    f->openings[i].kind == c->opening.kind)
			return strcmp(f->openings[i].date, c->opening.date) <=
			       0;
	return false;
}

static bool says_nothing_new(const struct order *o, const struct changes *c,
			     size_t from)
{
	for (size_t i = from; i < c->n; i++)
		if (!is_held(o, &c->list[i]))
			return false;
	return true;
}

static bool is_fact(const struct change *c)
{
	return c->kind == CHANGE_OPENING || c->kind == CHANGE_MARK ||
	       c->kind == CHANGE_REQUEST || c->kind == CHANGE_CANCELLED;
}

static bool has_facts(const struct changes *c, size_t from)
{
	for (size_t i = from; i < c->n; i++)
		if (is_fact(&c->list[i]))
			return true;
	return false;
}

static enum rc apply(const struct order *o, const struct event *ev, bool again,
		     int64_t now, struct changes *ret, struct err *e)
{
	size_t from = ret->n, row = row_of(ev->type);
	enum rc rc;

	if (row == TYPES)
		return fail(e, RC_INVALID, "events of type '%s' are not applied",
			    ev->type);
	rc = types[row].apply(o, ev, now, ret, e);
	if (!rc && has_facts(ret, from) &&
	    !(again && says_nothing_new(o, ret, from)))
		changes_add(ret, CHANGE_HEARD, 0);
	return rc;
}

enum rc event_apply(const struct order *o, const struct event *ev, int64_t now,
		    struct changes *ret, struct err *e)
{
	return apply(o, ev, false, now, ret, e);
}

/* ---- the tasks ---- */

/* Applies a task's event.  If the task was created after the event was
 * received, it was added by hand (a replay). */
static void run(struct work *w)
{
	bool again = w->event && w->task->created > w->event->received;
	struct err e = {""};

	if (!w->event)
		run_dead(w, "the event is gone");
	else if (apply(w->order, w->event, again, w->now, &w->result.changes,
		       &e))
		run_dead(w, "%s", e.text);
}

void handle_event(struct work *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run(&w[i]);
}
