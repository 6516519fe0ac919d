/* SPDX-License-Identifier: MIT
 *
 * decide.c - the decision when a shop presses accept or reject; see answer.h.
 *
 * A shop answers as one, however many warehouses it has.
 */
#include <stdio.h>

#include "base/mem.h"
#include "handlers/answer.h"
#include "handlers/offer.h"

/* Returns the shop's first offer, in config order, that is in this state. */
static const struct offer *first_in(const struct decision *d,
				    const struct order *o,
				    enum offer_state state)
{
	for (size_t i = 0; i < d->n_warehouses; i++) {
		const struct offer *f = order_offer(o, d->warehouses[i]);

		if (f && f->state == state)
			return f;
	}
	return NULL;
}

static bool rejected_by_us(const struct offer *f)
{
	return f->state == STATE_REJECTING ||
	       (f->state == STATE_REJECTED && offer_answered(f) &&
		f->answer.verb == VERB_REJECT);
}

static const struct offer *first_rejected_by_us(const struct decision *d,
						const struct order *o)
{
	for (size_t i = 0; i < d->n_warehouses; i++) {
		const struct offer *f = order_offer(o, d->warehouses[i]);

		if (f && rejected_by_us(f))
			return f;
	}
	return NULL;
}

static enum rc conflict(struct decision *d, const struct offer *f,
			const char *code, struct err *e)
{
	d->warehouse = f->warehouse;
	d->conflict = code;
	return fail(e, RC_CONFLICT, "the offer to warehouse '%lld' is %s",
		    (long long)f->warehouse, code);
}

static enum rc stands(struct decision *d, const struct offer *f, struct err *e)
{
	d->warehouse = f->warehouse;
	return fail(e, RC_EXISTS, "warehouse '%lld' has answered so already",
		    (long long)f->warehouse);
}

static void add_answer(struct decision *d, const struct offer *f,
		       struct changes *ret)
{
	const struct opening *p = offer_opened(f);
	const char *reason = d->verb == VERB_REJECT ? d->reason : NULL;
	struct change *c = changes_add(ret, CHANGE_ANSWER, f->warehouse);

	c->answer.verb = d->verb;
	c->answer.at = d->now;
	c->answer.device = d->device;
	c->answer.reason = xstrdup(reason);
	c->answer.note = xstrdup(d->verb == VERB_REJECT ? d->note : NULL);
	snprintf(c->answer.opened, sizeof(c->answer.opened), "%s",
		 p ? p->date : "");

	changes_journal(ret, &(struct entry){
				     .at = d->now,
				     .warehouse = f->warehouse,
				     .device = d->device,
				     .fact = FACT_ANSWERED,
				     .result = verb_name(d->verb),
				     .by = d->device_name ? d->device_name
							  : "a device",
				     .reason = reason,
			     });
	changes_task(ret, TASK_ANSWER_OFFER, f->warehouse, d->now);
}

/* True if the answer to this offer is under way or done. */
static bool answer_stands(const struct offer *f)
{
	return offer_answered(f) && f->answer.settled != SETTLED_NO;
}

/* Returns the shop's first offer that is accepting; preferably one that the
 * shop has answered. */
static const struct offer *first_accepting(const struct decision *d,
					   const struct order *o)
{
	const struct offer *ret = NULL;

	for (size_t i = 0; i < d->n_warehouses; i++) {
		const struct offer *f = order_offer(o, d->warehouses[i]);

		if (!f || f->state != STATE_ACCEPTING)
			continue;
		if (answer_stands(f))
			return f;
		if (!ret)
			ret = f;
	}
	return ret;
}

/* Decides an accept.  An offer that is accepting without an answer (its events
 * contradict each other) can still be answered: it may be open. */
static enum rc decide_accept(struct decision *d, const struct order *o,
			     struct changes *ret, struct err *e)
{
	const struct offer *f;

	f = first_in(d, o, STATE_ACCEPTED);
	if (f)
		return stands(d, f, e);
	f = first_accepting(d, o);
	if (f && answer_stands(f))
		return stands(d, f, e);
	if (!f)
		f = first_in(d, o, STATE_PENDING);
	if (!f)
		f = first_in(d, o, STATE_REFUSED);
	if (f) {
		add_answer(d, f, ret);
		d->warehouse = f->warehouse;
		return OK;
	}
	f = first_rejected_by_us(d, o);
	if (f)
		return conflict(d, f, "answered", e);
	f = offer_of_shop(o, d->warehouses, d->n_warehouses);
	return conflict(d, f, offer_state_name(f->state), e);
}

/* Returns, as the API's code, why a reject is too late for an offer that is won
 * or being won. */
static const char *against_reject(const struct offer *f)
{
	return offer_answered(f) && f->answer.verb == VERB_ACCEPT ?
		       "answered" :
		       "accepted";
}

static enum rc decide_reject(struct decision *d, const struct order *o,
			     struct changes *ret, struct err *e)
{
	const struct offer *f, *first = NULL;

	f = first_in(d, o, STATE_ACCEPTED);
	if (!f)
		f = first_in(d, o, STATE_ACCEPTING);
	if (f)
		return conflict(d, f, against_reject(f), e);
	for (size_t i = 0; i < d->n_warehouses; i++) {
		f = order_offer(o, d->warehouses[i]);
		if (!f || (f->state != STATE_PENDING &&
			   f->state != STATE_REFUSED))
			continue;
		add_answer(d, f, ret);
		if (!first)
			first = f;
	}
	if (first) {
		d->warehouse = first->warehouse;
		return OK;
	}
	f = first_rejected_by_us(d, o);
	if (!f)
		f = first_in(d, o, STATE_REJECTED);
	if (f)
		return stands(d, f, e);
	f = offer_of_shop(o, d->warehouses, d->n_warehouses);
	return conflict(d, f, offer_state_name(f->state), e);
}

enum rc answer_decide(void *arg, const struct order *o, struct changes *ret,
		      struct err *e)
{
	struct decision *d = arg;

	d->warehouse = 0;
	d->conflict = NULL;
	if (!offer_of_shop(o, d->warehouses, d->n_warehouses))
		return fail(e, RC_NOTFOUND,
			    "order '%lld' was not offered to this shop",
			    (long long)o->number);
	return d->verb == VERB_ACCEPT ? decide_accept(d, o, ret, e) :
					decide_reject(d, o, ret, e);
}
