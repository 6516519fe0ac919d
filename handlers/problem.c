/* SPDX-License-Identifier: MIT
 *
 * problem.c - see problem.h.
 */
#include "handlers/problem.h"

#include <string.h>

#include "base/mem.h"
#include "handlers/handlers.h"
#include "handlers/offer.h"
#include "handlers/requests.h"

/* True if the order was taken back for good.  An order that is accepting again
 * was not: its shop is told "do not ship yet".  Nor was one of which Centra asks
 * for further lines. */
static bool taken_back(const struct offer *f)
{
	return f->was_accepted && !f->shipped && !f->stopped &&
	       f->state != STATE_ACCEPTED && f->state != STATE_ACCEPTING &&
	       !(f->list == LIST_OPEN && requests_confirmed(f));
}

bool offer_stop(const struct order *o, const int64_t *warehouses, size_t n)
{
	const struct offer *f = offer_of_shop(o, warehouses, n);

	/* True if the shop has the order by another of its warehouses. */
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

static void journal_statement(const struct statement *s, int64_t warehouse,
			 enum fact fact, const char *reason,
			 struct changes *ret)
{
	changes_journal(ret, &(struct entry){
				     .at = s->now,
				     .warehouse = warehouse,
				     .device = s->device,
				     .fact = fact,
				     .by = s->by,
				     .reason = reason,
			     });
}

static enum rc conflict(struct statement *s, const char *code, struct err *e)
{
	s->conflict = code;
	return fail(e, RC_CONFLICT, "the order's code is '%s'", code);
}

/* Finds the shop's offer that is to be shipped.  RC_CONFLICT: there is none. */
static enum rc to_ship(struct statement *s, const struct order *o,
		       const struct offer **ret, struct err *e)
{
	const struct offer *f = offer_of_shop(o, s->warehouses,
					      s->n_warehouses);

	s->conflict = NULL;
	*ret = f;
	if (!f)
		return not_offered(o, e);
	if (f->shipped)
		return conflict(s, "shipped", e);
	if (f->state != STATE_ACCEPTED)
		return conflict(s, offer_state_name(f->state), e);
	return OK;
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

enum rc problem_decide(void *arg, const struct order *o, struct changes *ret,
		       struct err *e)
{
	struct statement *s = arg;
	const struct offer *f;
	struct change *c;
	enum rc rc = to_ship(s, o, &f, e);

	if (rc)
		return rc;
	if (problem_open(&f->problem) &&
	    same_text(f->problem.reason, s->reason) &&
	    same_text(f->problem.note, s->note))
		return fail(e, RC_EXISTS, "this problem is known");
	c = changes_add(ret, CHANGE_PROBLEM, f->warehouse);
	c->problem.at = s->now;
	c->problem.device = s->device;
	c->problem.reason = xstrdup(s->reason);
	c->problem.note = xstrdup(s->note);
	c->problem.by = xstrdup(s->by);
	journal_statement(s, f->warehouse, FACT_PROBLEM, s->reason, ret);
	return OK;
}

enum rc solved_decide(void *arg, const struct order *o, struct changes *ret,
		      struct err *e)
{
	struct statement *s = arg;
	const struct offer *f;
	struct change *c;
	enum rc rc = to_ship(s, o, &f, e);

	if (f && f->problem.solved_at) {
		s->conflict = NULL;
		return fail(e, RC_EXISTS, "it was solved before");
	}
	if (rc)
		return rc;
	if (!f->problem.at)
		return conflict(s, "no_problem", e);
	c = changes_add(ret, CHANGE_SOLVED, f->warehouse);
	c->solved.solved_at = s->now;
	c->solved.solved_device = s->device;
	c->solved.solved_by = xstrdup(s->by);
	journal_statement(s, f->warehouse, FACT_SOLVED, NULL, ret);
	if (s->by_system)
		changes_task(ret, TASK_FETCH_ORDER, 0, s->now);
	return OK;
}

enum rc stopped_decide(void *arg, const struct order *o, struct changes *ret,
		       struct err *e)
{
	struct statement *s = arg;

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
		journal_statement(s, f->warehouse, FACT_STOPPED, NULL, ret);
	}
	return OK;
}
