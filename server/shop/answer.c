/* SPDX-License-Identifier: MIT
 *
 * answer.c - accept and reject, and what a shop says after it: a problem, that
 * it is solved, and that shipping has stopped.  Each is a kind of action
 * (action.h).
 */
#include <string.h>

#include "base/log.h"
#include "handlers/answer.h"
#include "handlers/offer.h"
#include "handlers/problem.h"
#include "handlers/requests.h"
#include "server/shop/action.h"
#include "server/shop/orders.h"

#define NOTE_MAX 500 /* characters; their bytes fit into ORDER_TEXT_MAX */

/* ---- what a state means to whom pressed ---- */

int accept_status(enum offer_state s, const char **ret_code)
{
	*ret_code = NULL;
	switch (s) {
	case STATE_ACCEPTED:
		return 200;
	case STATE_PENDING: /* the offer was made anew meanwhile */
	case STATE_ACCEPTING:
		return 202;
	case STATE_REJECTING:
		*ret_code = "answered";
		return 409;
	default:
		*ret_code = offer_state_name(s);
		return 409;
	}
}

int reject_status(enum offer_state s, const char **ret_code)
{
	*ret_code = NULL;
	switch (s) {
	case STATE_REJECTED:
		return 200;
	case STATE_PENDING:
	case STATE_REJECTING:
		return 202;
	case STATE_ACCEPTING:
		*ret_code = "answered";
		return 409;
	default:
		*ret_code = offer_state_name(s);
		return 409;
	}
}

/* ---- accept and reject ---- */

static void decision_begin(struct action *p, enum verb verb)
{
	struct decision *d = p->own;

	*d = (struct decision){
		.warehouses = p->shop->warehouses.ids,
		.n_warehouses = p->shop->warehouses.n,
		.verb = verb,
		.device = p->device,
		.device_name = p->by,
		.now = p->now,
	};
}

static bool accept_read(struct action *p, struct response *res)
{
	(void)res;
	decision_begin(p, VERB_ACCEPT);
	return true;
}

static bool reject_read(struct action *p, struct response *res)
{
	static const char *const reasons[] = {"out_of_stock", "damaged",
					      "cannot_find", "too_busy",
					      "other", NULL};
	struct decision *d = p->own;

	decision_begin(p, VERB_REJECT);
	if (!action_word(p, res, "reason", reasons,
			"is out_of_stock, damaged, cannot_find, too_busy or "
			"other",
			&d->reason) ||
	    !action_text(p, res, "note", NOTE_MAX, &d->note))
		return false;
	if (!d->reason)
		d->reason = "other";
	return true;
}

static const char *decision_code(const struct action *p)
{
	const struct decision *d = p->own;

	return d->conflict ? d->conflict : "answered";
}

static void decision_count(struct action *p)
{
	const struct decision *d = p->own;

	if (d->verb == VERB_ACCEPT)
		COUNT(p->room->counters, answers_accept_total);
	else
		COUNT(p->room->counters, answers_reject_total);
}

/* Returns the offer that the action is about.  A reject is about all offers of
 * the shop. */
static const struct offer *action_offer(const struct decision *d,
				       const struct order *o)
{
	const struct offer *f = NULL;

	if (d->verb == VERB_ACCEPT)
		f = order_offer(o, d->warehouse);
	return f ? f : offer_of_shop(o, d->warehouses, d->n_warehouses);
}

/* True if the shop's reject is done, although the order is the shop's: it had
 * confirmed other allocation requests of it before. */
static bool rejected_the_rest(const struct offer *f)
{
	return offer_kind(f) == KIND_ALLOCATION_REQUEST &&
	       f->state == STATE_ACCEPTED && offer_answered(f) &&
	       f->answer.verb == VERB_REJECT &&
	       f->answer.settled == SETTLED_OK;
}

static bool decision_settle(struct action *p, struct response *res,
			    const struct order *o)
{
	const struct decision *d = p->own;
	const struct offer *f = action_offer(d, o);
	const char *code, *detail;
	int status;

	if (!f) {
		respond_not_found(res);
		return true;
	}
	status = d->verb == VERB_ACCEPT ? accept_status(f->state, &code) :
					  reject_status(f->state, &code);
	if (d->verb == VERB_REJECT && rejected_the_rest(f))
		status = 200;
	if (status == 202 && f->state != STATE_PENDING && action_may_wait(p))
		return false;
	if (status != 409) {
		respond_order(p->pending.req, res, o, status, false);
		return true;
	}
	detail = conflict_detail(code);
	if (f->state == STATE_REFUSED && f->answer.refusal)
		detail = f->answer.refusal;
	respond_conflict(p->pending.req, res, o, 409, code, detail);
	return true;
}

/* ---- a problem, its end, and a stop ---- */

static bool statement_read(struct action *p, struct response *res)
{
	struct statement *s = p->own;

	(void)res;
	*s = (struct statement){
		.warehouses = p->shop->warehouses.ids,
		.n_warehouses = p->shop->warehouses.n,
		.device = p->device,
		.by = p->by,
		.now = p->now,
		.by_system = !strcmp(config_ships_with(p->config, p->shop),
				     "order_api"),
	};
	return true;
}

static bool problem_read(struct action *p, struct response *res)
{
	static const char *const reasons[] = {"lost", "damaged", "cannot_find",
					      "other", NULL};
	static const char want[] = "is lost, damaged, cannot_find or other";
	struct statement *s = p->own;

	(void)statement_read(p, res);
	if (!action_word(p, res, "reason", reasons, want, &s->reason) ||
	    !action_text(p, res, "note", NOTE_MAX, &s->note))
		return false;
	if (!s->reason)
		respond_field(res, "reason", want);
	return s->reason;
}

static const char *statement_code(const struct action *p)
{
	const struct statement *s = p->own;

	return s->conflict;
}

static void problem_count(struct action *p)
{
	COUNT(p->room->counters, problems_total);
}

static void solved_count(struct action *p)
{
	COUNT(p->room->counters, problems_solved_total);
}

static bool statement_settle(struct action *p, struct response *res,
			  const struct order *o)
{
	respond_order(p->pending.req, res, o, 200, false);
	return true;
}

/* ---- the routes ---- */

void staff_accept(struct request *req, struct response *res)
{
	static const struct action_kind kind = {
		.own_size = sizeof(struct decision),
		.versioned = true,
		.read = accept_read,
		.said = LOG_MSG("a shop accepts"),
		.decide = answer_decide,
		.code = decision_code,
		.count = decision_count,
		.settle = decision_settle,
	};

	action_begin(req, res, &kind);
}

void staff_reject(struct request *req, struct response *res)
{
	static const struct action_kind kind = {
		.own_size = sizeof(struct decision),
		.read = reject_read,
		.said = LOG_MSG("a shop rejects"),
		.decide = answer_decide,
		.code = decision_code,
		.count = decision_count,
		.settle = decision_settle,
	};

	action_begin(req, res, &kind);
}

void staff_problem(struct request *req, struct response *res)
{
	static const struct action_kind kind = {
		.own_size = sizeof(struct statement),
		.read = problem_read,
		.said = LOG_MSG("a shop has a problem"),
		.decide = problem_decide,
		.code = statement_code,
		.count = problem_count,
		.settle = statement_settle,
	};

	action_begin(req, res, &kind);
}

void staff_solved(struct request *req, struct response *res)
{
	static const struct action_kind kind = {
		.own_size = sizeof(struct statement),
		.read = statement_read,
		.said = LOG_MSG("a shop has solved its problem"),
		.decide = solved_decide,
		.code = statement_code,
		.count = solved_count,
		.settle = statement_settle,
	};

	action_begin(req, res, &kind);
}

void staff_stopped(struct request *req, struct response *res)
{
	static const struct action_kind kind = {
		.own_size = sizeof(struct statement),
		.read = statement_read,
		.said = LOG_MSG("a shop has stopped"),
		.decide = stopped_decide,
		.code = statement_code,
		.settle = statement_settle,
	};

	action_begin(req, res, &kind);
}
