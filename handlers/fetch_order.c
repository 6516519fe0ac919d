/* SPDX-License-Identifier: MIT
 *
 * fetch_order.c - the task `fetch_order`: fetches orders, many in one query, as
 * a look at each, and keeps the details that a shop sees.
 */
#include <stdio.h>

#include "centra/graphql.h"
#include "handlers/handlers.h"
#include "handlers/lane.h"
#include "handlers/look.h"
#include "handlers/offer.h"
#include "handlers/run.h"

#define LOOKS_TO_AGREE 6
#define LOOKS_FOR_REST 6    /* looks after which a detail that no decision needs
			     * is given up */
#define TOGETHER       4000 /* ms: a task that waits is due at a multiple of
			     * this, so that tasks share queries */

/* Ends a run that may have to be repeated.  `repeated`: the look before showed
 * nothing either.  The failures of the task until then do not delay the first
 * repetition. */
static void again(struct work *w, bool repeated, uint32_t number,
		  const char *why)
{
	int64_t wait;

	if (!w->order->fetch_due)
		return;
	if (!fetch_shows_nothing(w->order))
		wait = run_wait_long(w, NULL);
	else
		wait = repeated ? run_wait_look(w) : run_wait_second(w);
	run_retry(w, number, wait, "%s", why);
}

/* True if an accept that Centra told us is set aside because the fetched order
 * is still open: the fetch may show the moment before the accept. */
static bool accept_set_aside(const struct order *o)
{
	for (size_t i = 0; i < o->n_offers; i++) {
		const struct offer *f = &o->offers[i];

		if (f->state == STATE_PENDING && offer_found(o, f, FOUND_OPEN))
			return true;
	}
	return false;
}

/* Fetches again, less and less often, an order that someone waits for and that
 * Centra did not show in full.  The address is tried as long as the shop has to
 * ship (offer_derive() then sets fetch_due), and so is a field that decides;
 * names and codes are given up after some looks, since a permission may be
 * missing for good.  A look of reconciliation does not ask for them again: the
 * next reconciliation does. */
static bool wants_rest(const struct work *w, const struct centra_order *co)
{
	if (!fetch_is_waited_for(w->order))
		return false;
	return co->undecided || w->order->fetch_due ||
	       (co->missing && w->task->attempts < LOOKS_FOR_REST &&
		w->task->lane != LANE_LAST);
}

/* Adds a journal entry for each part that Centra did not show. */
static void journal_not_shown(struct work *w, const struct centra_order *co)
{
	const struct {
		bool missing;
		const char *what;
	} parts[] = {
		{co->undecided, "decides"},
		{co->missing & MISSING_ADDRESS, "address"},
		{co->missing & MISSING_SHIPMENTS, "shipments"},
		{co->missing & MISSING_WORDS, "words"},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (parts[i].missing)
			changes_journal(&w->result.changes,
					&(struct entry){
						.fact = FACT_NOT_SHOWN,
						.result = parts[i].what,
					});
}

static void fetch_rest(struct work *w, const struct centra_order *co)
{
	uint32_t number = run_why(WHY_NOT_SHOWN,
				  co->missing * 2u + co->undecided);
	char why[140];

	snprintf(why, sizeof(why), "Centra did not show all of the order:%s%s%s%s",
		 co->undecided ? " not what decides" : "",
		 co->missing & MISSING_ADDRESS ? " not the address" : "",
		 co->missing & MISSING_SHIPMENTS ? " not the shipments" : "",
		 co->missing & MISSING_WORDS ? " not all names and codes"
					     : "");
	if (!run_repeats(w, number))
		journal_not_shown(w, co);
	run_retry(w, number, run_wait_long(w, NULL), "%s", why);
}

/* True if someone waits for the fetch, so that it may use the live work's share
 * of the budget.  Nobody waits for what reconciliation asked for. */
static bool is_live(const struct work *w)
{
	return w->task->lane != LANE_LAST && fetch_is_live(w->order);
}

static enum centra_lane class_of(const struct work *w)
{
	if (!is_live(w))
		return CENTRA_RECONCILE;
	return w->task->lane == LANE_ANSWERS ? CENTRA_LIVE : CENTRA_FETCH;
}

/* Ends the wait at the next multiple of TOGETHER, so that orders that are due
 * at about the same time share one query. */
static int64_t wait_with_others(const struct work *w, const struct call *call)
{
	int64_t wait = run_wait(w, NULL);

	if (wait < call->retry_after)
		wait = call->retry_after;
	return wait + TOGETHER - (w->now + wait) % TOGETHER;
}

static void end_one(struct work *w, const struct centra_orders *got)
{
	const struct centra_order *co = NULL;
	bool repeated = fetch_shows_nothing(w->order);

	w->result.how = OUTCOME_DONE;
	if (got->call.end != CALL_OK) {
		if (!got->call.held &&
		    !run_repeats(w, run_why_call(&got->call)))
			changes_journal(&w->result.changes,
					&(struct entry){
						.fact = FACT_LOOK_FAILED,
						.text = got->call.why.text,
					});
		/* Nothing was learnt, so a fetch that reconciliation asked for
		 * stays in its lane (result.stays). */
		w->result.stays = true;
		run_retry(w, run_why_call(&got->call),
			  got->call.held && !is_live(w)
				  ? wait_with_others(w, &got->call)
				  : run_wait_long(w, &got->call),
			  "%s", got->call.why.text);
		return;
	}
	for (size_t i = 0; i < got->n && !co; i++)
		if (got->list[i].number == w->task->number)
			co = &got->list[i];
	if (!co) {
		look_record_absent(w);
		again(w, repeated, run_why(WHY_NOT_SHOWN, 0),
		      "Centra does not show the order to us");
		return;
	}
	look_record(w, co);
	if (accept_set_aside(w->order) && w->task->attempts < LOOKS_TO_AGREE)
		run_retry(w, run_why(WHY_DISAGREE, 0), run_wait_long(w, NULL),
			  "an accept and the order as fetched disagree");
	else if ((co->undecided || co->missing) && wants_rest(w, co))
		fetch_rest(w, co);
	else
		again(w, repeated, run_why(WHY_LOOK_NOTHING, 0),
		      "the order as fetched does not settle it");
}

/* Fetches the orders of these runs in one query; with up to `spare` further
 * queries if some orders spoil the reply for the others. */
static void fetch(struct work **w, size_t n, bool with_address, unsigned *spare)
{
	int64_t numbers[ORDERS_QUERY_MAX] = {0};
	struct centra_orders got = {0};
	int64_t began = w[0]->now;
	enum centra_lane lane = CENTRA_RECONCILE;

	for (size_t i = 0; i < n; i++) {
		numbers[i] = w[i]->task->number;
		w[i]->look_began = w[i]->steady;
		if (class_of(w[i]) < lane)
			lane = class_of(w[i]);
	}
	centra_conn_lane(w[0]->centra, lane);
	graphql_orders(w[0]->centra, numbers, n, with_address, &got);
	centra_conn_lane(w[0]->centra, CENTRA_LIVE);
	run_called(w[0], CENTRA_GRAPHQL, "orders", &got.call);
	for (size_t i = 1; i < n; i++) {
		w[i]->now += w[0]->now - began;
		w[i]->steady += w[0]->now - began;
		w[i]->clock_ahead = w[0]->clock_ahead;
	}
	if (n > 1 && *spare >= 2 && look_spoiled(&got.call)) {
		*spare -= 2;
		fetch(w, n / 2, with_address, spare);
		fetch(w + n / 2, n - n / 2, with_address, spare);
	} else {
		for (size_t i = 0; i < n; i++)
			end_one(w[i], &got);
	}
	centra_orders_release(&got);
}

/* Orders that were never offered are not fetched, and neither are cancelled
 * ones: their state is final. */
static bool is_wanted(struct work *w)
{
	if (!w->order->n_offers)
		return false;
	run_derive(w);
	if (w->order->offers[0].state == STATE_CANCELLED)
		return false;
	if (w->centra)
		return true;
	if (w->order->fetch_due)
		run_retry(w, run_why(WHY_NOT_CONFIGURED, 0),
			  run_wait_long(w, NULL),
			  "no Centra is configured for instance '%s'",
			  w->task->instance);
	return false;
}

/* Usually takes two rounds: an order that the first query shows as ours is
 * fetched again with its address. */
static void fetch_some(struct work *w, size_t n)
{
	unsigned spare = LOOK_SPARE;

	for (int with_address = 0; with_address < 2; with_address++) {
		struct work *some[ORDERS_QUERY_MAX];
		size_t n_some = 0;

		for (size_t i = 0; i < n; i++)
			if (is_wanted(&w[i]) &&
			    look_wants_address(&w[i]) == with_address)
				some[n_some++] = &w[i];
		if (n_some)
			fetch(some, n_some, with_address, &spare);
	}
}

void handle_fetch_order(struct work *w, size_t n)
{
	while (n > ORDERS_QUERY_MAX) {
		fetch_some(w, ORDERS_QUERY_MAX);
		w += ORDERS_QUERY_MAX;
		n -= ORDERS_QUERY_MAX;
	}
	fetch_some(w, n);
}
