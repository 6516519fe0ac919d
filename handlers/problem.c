/* SPDX-License-Identifier: MIT
 *
 * problem.c - see problem.h.
 */
#include "handlers/problem.h"

#include "base/mem.h"
#include "handlers/offer.h"

/* Taken back for good; one in doubt (accepting) says "do not ship yet". */
static bool taken_back(const struct offer *f)
{
	return f->was_accepted && !f->shipped && !f->stopped &&
	       f->state != STATE_ACCEPTED && f->state != STATE_ACCEPTING;
}

bool offer_stop(const struct order *o, const int64_t *warehouses, size_t n)
{
	const struct offer *f = offer_of_shop(o, warehouses, n);

	/* Another warehouse of the shop ships it. */
	if (!f || f->state == STATE_ACCEPTED)
		return false;
	for (size_t i = 0; i < n; i++) {
		f = order_offer(o, warehouses[i]);
		if (f && taken_back(f))
			return true;
	}
	return false;
}

static enum rc not_offered(const struct order *o, struct err *e)
{
	return fail(e, RC_NOTFOUND, "order '%lld' was not offered to this shop",
		    (long long)o->number);
}

static void note_by(struct saying *s, struct changes *ret)
{
	struct change *note = &ret->list[ret->n - 1];

	note->device = s->device;
	note->at = s->now;
}

enum rc problem_decide(void *arg, const struct order *o, struct changes *ret,
		       struct err *e)
{
	struct saying *s = arg;
	const struct offer *f = offer_of_shop(o, s->warehouses,
					      s->n_warehouses);
	struct change *c;

	s->conflict = NULL;
	if (!f)
		return not_offered(o, e);
	if (f->state != STATE_ACCEPTED || f->shipped) {
		s->conflict = f->shipped ? "shipped"
					 : offer_state_name(f->state);
		return fail(e, RC_CONFLICT, "the order is %s", s->conflict);
	}
	c = changes_add(ret, CHANGE_PROBLEM, f->warehouse);
	c->problem.at = s->now;
	c->problem.device = s->device;
	c->problem.reason = xstrdup(s->reason);
	c->problem.note = xstrdup(s->note);
	c->problem.by = xstrdup(s->by);
	changes_note(ret, f->warehouse, "problem",
		     "cannot be shipped after all, says %s: %s", s->by,
		     s->reason);
	note_by(s, ret);
	return OK;
}

enum rc stopped_decide(void *arg, const struct order *o, struct changes *ret,
		       struct err *e)
{
	struct saying *s = arg;

	s->conflict = NULL;
	if (!offer_of_shop(o, s->warehouses, s->n_warehouses))
		return not_offered(o, e);
	if (!offer_stop(o, s->warehouses, s->n_warehouses))
		return fail(e, RC_EXISTS, "there is no stop to confirm");
	for (size_t i = 0; i < s->n_warehouses; i++) {
		const struct offer *f = order_offer(o, s->warehouses[i]);

		if (!f || !taken_back(f))
			continue;
		changes_add(ret, CHANGE_STOPPED, f->warehouse);
		changes_note(ret, f->warehouse, "stopped",
			     "shipping stopped, says %s", s->by);
		note_by(s, ret);
	}
	return OK;
}
