/* SPDX-License-Identifier: MIT
 *
 * missed.c - see missed.h; and the task `missed`, which decides after
 * `missed_after` whether a webhook was missed.
 *
 * The task's `sub` is the time of the look whose findings it judges; or 0: the
 * order waits for check-first and no offer of it is open here.
 */
#include "handlers/missed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "centra/graphql.h"
#include "handlers/event.h"
#include "handlers/offer.h"
#include "handlers/requests.h"
#include "handlers/run.h"

#define CHECK_FIRST "CHECK_FIRST" /* the policy of a warehouse that is asked
				   * first (CONTRACT 6.4) */

static bool counted(unsigned bits, enum missed kind)
{
	return bits & 1u << kind;
}

/* ---- what looks alone have told ---- */

/* True if looks alone led to the offer's state; *ret: the webhook that should
 * have told it.  `bare`: the state that the offer would have without the
 * looks. */
static bool offer_untold(const struct order *o, const struct offer *f,
			 enum offer_state bare, int64_t by, enum missed *ret)
{
	const struct opening *p = offer_opened(f);
	const char *opened = p ? p->date : "";
	const char *accepted = f->marks[MARK_ACCEPTED];
	enum offer_state ended;

	if (requests_untold(f, by)) {
		*ret = MISSED_CREATE;
		return true;
	}
	if (f->state == bare)
		return false;
	switch (f->state) {
	case STATE_ACCEPTED:
		*ret = MISSED_ACCEPTED;
		return !accepted[0] || strcmp(accepted, opened) < 0;
	case STATE_TAKEN:
		*ret = MISSED_ACCEPTED;
		return !offer_ended(o, f, &ended);
	case STATE_TIMED_OUT:
		*ret = MISSED_TIMEOUT;
		break;
	case STATE_REJECTED:
		*ret = MISSED_REJECTED;
		break;
	default:
		return false;
	}
	return !offer_ended(o, f, &ended) && p && !opening_recovered(p);
}

static bool told_of(const struct order *o, const struct untold *list, size_t n,
		    const struct untold *u)
{
	const struct offer *f = order_offer(o, u->warehouse);

	if (counted(u->warehouse && f ? f->missed : o->missed, u->missed))
		return true;
	for (size_t i = 0; i < n; i++)
		if (list[i].warehouse == u->warehouse &&
		    list[i].missed == u->missed)
			return true;
	return false;
}

void missed_forget_looks(struct offer *f, int64_t by)
{
	if (f->finding.at <= by)
		f->finding = (struct finding){0};
	if (f->sighting.at <= by)
		f->sighting = (struct sighting){0};
}

size_t missed_untold(const struct zone *zone, const struct order *o, int64_t by,
		    struct untold **ret)
{
	struct untold u = {0};
	struct order bare;
	size_t n = 0;

	*ret = NULL;
	if (!o->n_offers)
		return 0;
	*ret = xcalloc(o->n_offers, sizeof(**ret));
	order_copy(&bare, o);
	for (size_t i = 0; i < bare.n_offers; i++)
		missed_forget_looks(&bare.offers[i], by);
	offer_derive(zone, &bare);
	for (size_t i = 0; i < o->n_offers; i++) {
		const struct offer *f = &o->offers[i];

		if (!offer_untold(o, f, bare.offers[i].state, by,
				  &u.missed))
			continue;
		/* An accept is told by one event for all warehouses of the
		 * order. */
		u.warehouse = u.missed == MISSED_ACCEPTED ? 0 : f->warehouse;
		if (!told_of(o, *ret, n, &u))
			(*ret)[n++] = u;
	}
	order_release(&bare);
	return n;
}

bool missed_cancel(const struct order *o, int64_t by)
{
	return o->n_offers && o->cancelled && !strcmp(o->status, "CANCELLED") &&
	       o->fetched_at <= by && o->told_at < o->fetched_at &&
	       !counted(o->missed, MISSED_CANCEL);
}

/* True if no order event explains the cancellation.  If an order event came
 * before this look, it told of the cancellation: Centra may call one an update
 * (CONTRACT 2.1). */
static bool cancel_is_news(const struct order *o, bool was_cancelled,
			   int64_t was_fetched, int64_t now)
{
	return !was_cancelled && missed_cancel(o, now) &&
	       (!o->told_at || o->told_at + RUN_MINUTE <= was_fetched);
}

void missed_follow_up(struct work *w, bool was_cancelled, int64_t was_fetched)
{
	struct untold *list = NULL;

	if (!w->missed_after)
		return;
	if (missed_untold(w->zone, w->order, w->now, &list) ||
	    cancel_is_news(w->order, was_cancelled, was_fetched, w->now))
		changes_task(&w->result.changes, TASK_MISSED, w->now,
			     w->now + w->missed_after);
	free(list);
}

/* True if a shop has the offer before it, or has won it. */
static bool is_held(const struct offer *f)
{
	return f->list == LIST_OPEN || f->state == STATE_ACCEPTED;
}

bool missed_create(const struct order *o, bool recover)
{
	if (o->cancelled)
		return false;
	for (size_t i = 0; i < o->n_offers; i++)
		if (is_held(&o->offers[i]))
			return false;
	/* Shops may be added to the config later, so with `recover` an order
	 * that was offered to no shop counts again; a shop that has answered is
	 * not asked again. */
	return !counted(o->missed, MISSED_CREATE) || (recover && !o->n_offers);
}

/* True if the offer ended by a `no` to our reject.  That settles the reject
 * whoever has the order: it may be this warehouse's, by an accept given
 * elsewhere that we were not told of. */
static bool by_a_no(const struct order *o, const struct offer *f)
{
	enum offer_state ended;

	return f->state == STATE_REJECTED && offer_answered(f) &&
	       f->answer.verb == VERB_REJECT &&
	       f->answer.settled == SETTLED_NO && !offer_ended(o, f, &ended);
}

static int64_t ended_at(const struct order *o, const struct offer *f)
{
	int64_t at = f->finding.at > f->sighting.at ? f->finding.at :
						      f->sighting.at;

	return by_a_no(o, f) && f->answer.at > at ? f->answer.at : at;
}

bool missed_may_reopen(const struct order *o, const struct offer *f,
		       const struct offer *bare, int64_t since)
{
	return !is_held(f) && (is_held(bare) || by_a_no(o, f)) &&
	       ended_at(o, f) > since;
}

/* ---- the second thought ---- */

static void add(struct work *w, int64_t warehouse, enum missed missed)
{
	struct changes *c = &w->result.changes;

	changes_add(c, CHANGE_MISSED, warehouse)->missed = missed;
	changes_journal(c, &(struct entry){
				   .warehouse = warehouse,
				   .fact = FACT_MISSED,
				   .result = missed_name(missed),
			   });
	w->result.unless = event_kinds; /* may tell it yet */
}

static void judge(struct work *w)
{
	struct untold *list = NULL;
	size_t n;

	run_derive(w);
	if (missed_cancel(w->order, w->task->sub))
		add(w, 0, MISSED_CANCEL);
	n = missed_untold(w->zone, w->order, w->task->sub, &list);
	for (size_t i = 0; i < n; i++)
		add(w, list[i].warehouse, list[i].missed);
	free(list);
}

/* ---- recover = offer ---- */

/* True if Centra would ask this warehouse.  If Centra does not show the
 * policies of its warehouses, all warehouses in the config count as asked. */
static bool is_asked(const struct centra_warehouses *all, int64_t warehouse)
{
	if (all->call.end != CALL_OK)
		return true;
	for (size_t i = 0; i < all->n; i++)
		if (all->list[i].id == warehouse)
			return all->list[i].policy &&
			       !strcmp(all->list[i].policy, CHECK_FIRST);
	return false;
}

/* Offers the order to the shops without a deadline, with a date behind all
 * events that we hold and before all that are still to come.  That no shop is
 * to be asked is noted once, since each reconciliation comes here
 * again. */
static void offer(struct work *w, const struct centra_warehouses *all)
{
	struct changes *c = &w->result.changes;
	struct opening *opening;
	size_t n = 0;

	for (size_t i = 0; i < w->n_warehouses; i++) {
		if (!is_asked(all, w->warehouses[i]))
			continue;
		opening = &changes_add(c, CHANGE_RECOVERED,
				       w->warehouses[i])
				   ->recovered;
		opening->expires = TIME_NONE;
		offer_recovery_date(w->order, opening->date);
		n++;
	}
	if (!n && counted(w->order->missed, MISSED_CREATE))
		return;
	changes_journal(c, &(struct entry){.fact = FACT_RECOVERED,
					   .n = (int64_t)n});
	w->result.unless = event_kinds; /* may tell it yet */
}

static void recover(struct work **w, size_t n)
{
	struct centra_warehouses all = {0};

	graphql_warehouses(w[0]->centra, &all);
	run_called(w[0], CENTRA_GRAPHQL, "warehouses", &all.call);
	for (size_t i = 0; i < n; i++) {
		if (all.call.end == CALL_NOT_DONE && !all.call.refused)
			run_retry(w[i], run_why_call(&all.call),
				  run_wait_long(w[i], &all.call), "%s",
				  all.call.why.text);
		else
			offer(w[i], &all);
	}
	centra_warehouses_release(&all);
}

/* ---- the second look at orders that we were never asked about ---- */

static bool still_waits(const struct centra_orders *got, int64_t number)
{
	for (size_t i = 0; i < got->n; i++)
		if (got->list[i].number == number)
			return got->list[i].waits && !got->list[i].undecided;
	return false;
}

static void look_again(struct work **w, size_t n)
{
	struct work *found[ORDERS_QUERY_MAX];
	int64_t numbers[ORDERS_QUERY_MAX];
	struct centra_orders got = {0};
	size_t n_found = 0;

	for (size_t i = 0; i < n; i++)
		numbers[i] = w[i]->task->number;
	graphql_orders(w[0]->centra, numbers, n, false, &got);
	run_called(w[0], CENTRA_GRAPHQL, "orders", &got.call);
	for (size_t i = 0; i < n; i++) {
		if (got.call.end != CALL_OK) {
			run_retry(w[i], run_why_call(&got.call),
				  run_wait_long(w[i], &got.call), "%s",
				  got.call.why.text);
			continue;
		}
		if (!still_waits(&got, numbers[i]))
			continue;
		if (!counted(w[i]->order->missed, MISSED_CREATE))
			add(w[i], 0, MISSED_CREATE);
		if (w[i]->recover && w[i]->n_warehouses)
			found[n_found++] = w[i];
	}
	if (n_found)
		recover(found, n_found);
	centra_orders_release(&got);
}

void handle_missed(struct work *w, size_t n)
{
	struct work *some[ORDERS_QUERY_MAX];
	size_t n_some = 0;

	for (size_t i = 0; i < n && n_some < ORDERS_QUERY_MAX; i++) {
		if (w[i].task->sub)
			judge(&w[i]);
		else if (w[i].centra &&
			 missed_create(w[i].order, w[i].recover))
			some[n_some++] = &w[i];
	}
	if (!n_some)
		return;
	centra_conn_lane(some[0]->centra, CENTRA_RECONCILE);
	look_again(some, n_some);
	centra_conn_lane(some[0]->centra, CENTRA_LIVE);
}
