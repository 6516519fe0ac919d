/* SPDX-License-Identifier: MIT
 *
 * ship_system.c - see ship_system.h.
 */
#include "handlers/ship_system.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "handlers/run.h"

/* ---- making a shipment for the system ---- */

bool ship_by_system(const struct work *w, int64_t warehouse)
{
	for (size_t i = 0; i < w->n_systems; i++)
		if (w->systems[i] == warehouse)
			return true;
	return false;
}

/* Asks for a new shipment of all that is left. */
static void ask_for_all(struct work *w, const struct offer *f,
			const struct centra_order *co)
{
	struct ship_ask ask = {.goal = GOAL_CREATED,
			       .all = true,
			       .at = w->now,
			       .packages = 1,
			       .by = xstrdup("shipfrom")};

	ask.n_lines = ship_all_wanted(f, co, &ask.lines);
	if (!ask.n_lines) {
		ship_ask_release(&ask);
		return;
	}
	changes_add(&w->result.changes, CHANGE_SHIP_ASKED, f->warehouse)->ask =
		ask;
	changes_task(&w->result.changes, TASK_SHIP_ORDER, f->warehouse, w->now);
}

/* Goes on with a shipment that Centra has, as far as it was asked to go. */
static void ask_again(struct work *w, const struct offer *f,
		      const struct shipment *s)
{
	changes_add(&w->result.changes, CHANGE_SHIP_GOAL, f->warehouse)->goal =
		ship_ask_copy(&s->ask);
	changes_task(&w->result.changes, TASK_SHIP_ORDER, f->warehouse, w->now);
}

static bool is_ours(const struct order *o, const struct offer *f)
{
	return f->state == STATE_ACCEPTED && !f->doubt && !o->cancelled;
}

static void ship_one(struct work *w, const struct offer *f,
		     const struct centra_order *co)
{
	const struct shipment *s = offer_shipment(f);

	if (!ship_by_system(w, f->warehouse) || !is_ours(w->order, f) ||
	    f->shipped || problem_open(&f->problem))
		return;
	if (!s || s->came.stage == SHIP_SHIPPED ||
	    (s->came.stage == SHIP_FAILED && !shipment_stands(s)))
		ask_for_all(w, f, co);
	else if (s->came.stage == SHIP_FAILED && !shipment_goes_on(s))
		ask_again(w, f, s);
}

void ship_for_systems(struct work *w, const struct centra_order *co)
{
	size_t from = w->result.changes.n;

	if (!w->n_systems || co->undecided || co->on_hold ||
	    !strcmp(w->task->kind, TASK_SHIP_ORDER))
		return;
	for (size_t i = 0; i < w->order->n_offers; i++)
		ship_one(w, &w->order->offers[i], co);
	run_apply(w, from);
}

/* ---- what Centra shows of a shipment ---- */

bool ship_is_personal(const char *m)
{
	static const char *const others[] = {
		"selectionId",	   "customerId",      "accountId",
		"poNumber",	   "internalComment", "otherComment",
		"proforma",	   "deliveryNote",    "invoices",
		"trackingNumber",  "trackingUrl",     "returnSlipTracking",
		"shipwallet_pickup", "shipwallet_doorcode",
		"shipwallet_courier_instructions", "shipwallet_id",
	};

	if (!strcmp(m, "deliveryService"))
		return false;
	if (!strncmp(m, "billing", 7) || !strncmp(m, "delivery", 8))
		return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!strcmp(m, others[i]))
			return true;
	return false;
}

static bool personal(const struct json *member)
{
	return ship_is_personal(json_name(member));
}

static bool impersonal(const struct json *member)
{
	return !personal(member);
}

/* Prints the row without the members that are not wanted. */
static char *part_of(const struct json *row,
		     bool (*unwanted)(const struct json *member))
{
	struct json *copy = json_copy(row);
	struct buf b;

	buf_init(&b, SHIP_SHOWN_MAX);
	json_remove(copy, unwanted);
	json_canonical(copy, &b);
	json_free(copy);
	if (!buf_full(&b))
		return buf_detach(&b, NULL);
	buf_release(&b);
	return xstrdup("{}");
}

struct ship_shown ship_shown_of(const struct json *rows, const char *number)
{
	const struct json *row;

	json_each(row, json_get(rows, "shipments"))
		if (number && json_is(json_get(row, "shipmentId"), number))
			return (struct ship_shown){
				.shown = part_of(row, personal),
				.person = part_of(row, impersonal),
			};
	return (struct ship_shown){.shown = xstrdup("{}")};
}

/* ---- what the system asks for ---- */

bool ship_system_waits(const struct order *o, const struct offer *f,
		       const struct shipment *s)
{
	return is_ours(o, f) && s->came.id && s->came.number[0] &&
	       s->came.stage != SHIP_SHIPPED &&
	       (s->came.stage != SHIP_FAILED || shipment_goes_on(s) ||
		s->came.fault == FAULT_ON_HOLD ||
		s->came.fault == FAULT_REFUSED);
}

/* True if the number is that of the shipment, or was until the system deleted
 * it. */
static bool has_number(const struct shipment *s, const char *number)
{
	return *number && (!strcmp(s->came.number, number) ||
			   (!s->came.number[0] && !strcmp(s->deleted, number)));
}

const struct shipment *ship_system_find(const struct order *o,
					const int64_t *warehouses,
					size_t n_warehouses,
					const char *number,
					const struct offer **ret_offer)
{
	for (size_t i = 0; i < n_warehouses; i++) {
		const struct offer *f = order_offer(o, warehouses[i]);

		for (size_t k = 0; f && k < f->n_shipments; k++) {
			const struct shipment *s = &f->shipments[k];

			if (!has_number(s, number) ||
			    (s->came.stage != SHIP_SHIPPED &&
			     f->state != STATE_ACCEPTED))
				continue;
			if (ret_offer)
				*ret_offer = f;
			return s;
		}
	}
	return NULL;
}

static enum rc refuse(struct system_decision *d, struct err *e,
		      const char *words)
{
	(void)!fail(&d->refusal, RC_CONFLICT, "%s", words);
	return fail(e, RC_CONFLICT, "%s", words);
}

static enum rc exists(struct err *e)
{
	return fail(e, RC_EXISTS, "it is so already");
}

static bool is_captured(const struct shipment *s)
{
	return s->came.capture == CAPTURE_DONE ||
	       s->came.stage == SHIP_CAPTURED || s->came.stage == SHIP_SHIPPED;
}

/* True if the shipment goes towards a payment, or has one. */
static bool is_being_paid(const struct shipment *s)
{
	return is_captured(s) || s->came.capture == CAPTURE_PENDING ||
	       (s->trying && s->step == STEP_CAPTURE) ||
	       (s->unknown && s->step == STEP_CAPTURE) ||
	       ((s->ask.goal == GOAL_SHIPPED || s->ask.goal == GOAL_CAPTURED) &&
		shipment_goes_on(s));
}

static void go(const struct system_decision *d, const struct offer *f,
	       enum ship_goal goal, struct changes *ret)
{
	struct ship_ask *ask;

	ask = &changes_add(ret, CHANGE_SHIP_GOAL, f->warehouse)->goal;
	*ask = ship_ask_copy(&d->ask);
	ask->goal = goal;
	changes_task(ret, TASK_SHIP_ORDER, f->warehouse, d->ask.at);
}

static void journal_asked(const struct system_decision *d,
			  const struct offer *f, const char *what,
			  struct changes *ret)
{
	changes_journal(ret, &(struct entry){
				     .at = d->ask.at,
				     .warehouse = f->warehouse,
				     .device = d->ask.device,
				     .fact = FACT_SHIP_ASKED,
				     .result = what,
				     .by = d->ask.by ? d->ask.by : "a device",
				     .n = d->ask.packages,
				     .text = d->ask.tracking,
			     });
}

static enum rc capture(struct system_decision *d, const struct offer *f,
		       const struct shipment *s, struct changes *ret,
		       struct err *e)
{
	if (is_captured(s))
		return exists(e);
	if (s->n_edit)
		return refuse(d, e, "shipment is being updated");
	if (s->ask.goal != GOAL_CREATED && shipment_goes_on(s)) {
		/* A payment that is being confirmed is looked at at once. */
		if (s->came.capture != CAPTURE_PENDING)
			return exists(e);
		changes_task(ret, TASK_SHIP_ORDER, f->warehouse, d->ask.at);
		return OK;
	}
	go(d, f, GOAL_CAPTURED, ret);
	return OK;
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_parcel(const struct ship_ask *a, const struct ship_ask *b)
{
	return same(a->carrier, b->carrier) && same(a->service, b->service) &&
	       same(a->tracking, b->tracking) && a->packages == b->packages;
}

static enum rc complete(struct system_decision *d, const struct offer *f,
			const struct shipment *s, struct changes *ret,
			struct err *e)
{
	if (s->came.stage == SHIP_SHIPPED)
		return exists(e);
	if (s->n_edit)
		return refuse(d, e, "shipment is being updated");
	if (!d->may_capture && !is_captured(s))
		return refuse(d, e, "shipment is not captured");
	if (s->ask.goal == GOAL_SHIPPED && shipment_under_way(s)) {
		if (!same_parcel(&s->ask, &d->ask))
			return refuse(d, e, "shipment is being completed");
		if (s->came.capture != CAPTURE_PENDING)
			return exists(e);
		changes_task(ret, TASK_SHIP_ORDER, f->warehouse, d->ask.at);
		return OK;
	}
	go(d, f, GOAL_SHIPPED, ret);
	journal_asked(d, f, "all", ret);
	return OK;
}

static const struct ship_line *line_in(const struct ship_line *list, size_t n,
				       int64_t line)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].line == line)
			return &list[i];
	return NULL;
}

/* Lists what the shipment is to have; the caller frees *ret.  RC_CONFLICT: the
 * edit names what the shipment does not have. */
static enum rc edited_lines(struct system_decision *d, const struct shipment *s,
			    struct ship_lines *ret, struct err *e)
{
	const struct ship_line *l;

	for (size_t i = 0; i < d->n_lines; i++) {
		l = line_in(s->ask.lines, s->ask.n_lines, d->lines[i].line);
		if (!l)
			return refuse(d, e, "product line does not exist");
		if (d->lines[i].quantity > l->quantity)
			return refuse(d, e,
				      "quantity can not be more than the "
				      "shipment has");
	}
	ret->list = xcalloc(s->ask.n_lines + 1, sizeof(*ret->list));
	for (size_t i = 0; i < s->ask.n_lines; i++) {
		l = line_in(d->lines, d->n_lines, s->ask.lines[i].line);
		if (!l)
			l = &s->ask.lines[i];
		if (l->quantity)
			ret->list[ret->n++] = *l;
	}
	return ret->n ? OK
		      : refuse(d, e, "shipment would be empty: delete it");
}

static bool same_lines(const struct ship_line *a, size_t n,
		       const struct ship_line *b, size_t m)
{
	return n == m && (!n || !memcmp(a, b, n * sizeof(*a)));
}

static enum rc edit(struct system_decision *d, const struct offer *f,
		    const struct shipment *s, struct changes *ret,
		    struct err *e)
{
	struct ship_lines to = {0};
	enum rc rc = edited_lines(d, s, &to, e);

	if (rc)
		goto out;
	if (same_lines(to.list, to.n, s->n_edit ? s->edit : s->ask.lines,
		       s->n_edit ? s->n_edit : s->ask.n_lines))
		rc = exists(e);
	else if (s->came.stage == SHIP_SHIPPED)
		rc = refuse(d, e, "shipment is sent and can not be updated");
	else if (is_being_paid(s))
		rc = refuse(d, e, is_captured(s) ?
			"shipment is captured and can not be updated" :
			"shipment is paid and can not be updated");
	else if (s->n_edit)
		rc = refuse(d, e, "shipment is being updated");
	if (rc)
		goto out;
	changes_add(ret, CHANGE_SHIP_EDIT, f->warehouse)->edit = to;
	to = (struct ship_lines){0};
	changes_task(ret, TASK_SHIP_ORDER, f->warehouse, d->ask.at);
out:
	free(to.list);
	return rc;
}

static enum rc delete(struct system_decision *d, const struct offer *f,
		      const struct shipment *s, struct changes *ret,
		      struct err *e)
{
	if (strcmp(s->came.number, d->number) != 0)
		return exists(e); /* the number of one that was deleted */
	if (s->ask.goal == GOAL_DELETED && shipment_goes_on(s))
		return exists(e);
	if (is_being_paid(s))
		return refuse(d, e, "shipment has invoices or creditnotes and "
				    "could not be deleted.");
	go(d, f, GOAL_DELETED, ret);
	return OK;
}

enum rc ship_system_decide(void *arg, const struct order *o,
			   struct changes *ret, struct err *e)
{
	static enum rc (*const verbs[])(struct system_decision *,
					const struct offer *,
					const struct shipment *,
					struct changes *, struct err *) = {
		[SYSTEM_CAPTURE] = capture,
		[SYSTEM_COMPLETE] = complete,
		[SYSTEM_EDIT] = edit,
		[SYSTEM_DELETE] = delete,
	};
	struct system_decision *d = arg;
	const struct offer *f = NULL;
	const struct shipment *s;

	s = ship_system_find(o, d->warehouses, d->n_warehouses, d->number, &f);
	if (!s)
		return fail(e, RC_NOTFOUND, "shipment does not exist");
	if (d->verb != SYSTEM_DELETE && strcmp(s->came.number, d->number) != 0)
		return fail(e, RC_NOTFOUND, "shipment does not exist");
	if (s->came.stage != SHIP_SHIPPED && s->came.number[0]) {
		if (f->doubt)
			return refuse(d, e, "order is in doubt: ask the office "
					    "before you ship");
		if (o->on_hold && d->verb != SYSTEM_DELETE)
			return refuse(d, e, "order is on hold");
		if (s->ask.goal == GOAL_DELETED && shipment_goes_on(s) &&
		    d->verb != SYSTEM_DELETE)
			return refuse(d, e, "shipment is being deleted");
	}
	return verbs[d->verb](d, f, s, ret, e);
}

/* ---- what became of it ---- */

static enum system_outcome refused(const struct shipment *s,
				   const char **ret_msg)
{
	*ret_msg = s->came.stage == SHIP_CAPTURE_FAILED ? "capture failed" :
		   s->came.error ? s->came.error : "shipment does not exist";
	return SYSTEM_REFUSED;
}

static enum system_outcome edit_outcome(const struct system_decision *d,
					const struct shipment *s,
					const char **ret_msg)
{
	if (s->n_edit && shipment_goes_on(s))
		return SYSTEM_WAITS;
	for (size_t i = 0; i < d->n_lines; i++) {
		const struct ship_line *l = line_in(
			s->ask.lines, s->ask.n_lines, d->lines[i].line);

		if ((l ? l->quantity : 0) != d->lines[i].quantity)
			return refused(s, ret_msg);
	}
	return SYSTEM_DONE;
}

enum system_outcome ship_system_outcome(const struct system_decision *d,
					const struct order *o,
					const char **ret_msg)
{
	const struct offer *f = NULL;
	const struct shipment *s = ship_system_find(
		o, d->warehouses, d->n_warehouses, d->number, &f);

	*ret_msg = o->cancelled ? "order is cancelled"
				: "shipment does not exist";
	if (!s)
		return SYSTEM_REFUSED;
	if (d->verb == SYSTEM_EDIT)
		return edit_outcome(d, s, ret_msg);
	if (d->verb == SYSTEM_DELETE) {
		if (strcmp(s->came.number, d->number) != 0)
			return SYSTEM_DONE;
		return s->ask.goal == GOAL_DELETED && shipment_goes_on(s)
			       ? SYSTEM_WAITS
			       : refused(s, ret_msg);
	}
	if (s->came.stage == SHIP_SHIPPED ||
	    (d->verb == SYSTEM_CAPTURE && is_captured(s)))
		return SYSTEM_DONE;
	return shipment_under_way(s) ? SYSTEM_WAITS : refused(s, ret_msg);
}
