/* SPDX-License-Identifier: MIT
 *
 * answer.c - tells Centra a shop's answer; the steps are those of OFFERS 3.
 * The shop's decision is in decide.c.
 *
 * One run: ends a try that a crash left open; finishes if events or a look have
 * settled the answer; looks if only a look can tell; and then makes at most one
 * try.
 */
#include "handlers/answer.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "centra/order_api.h"
#include "handlers/answer_private.h"
#include "handlers/look.h"
#include "handlers/offer.h"
#include "handlers/requests.h"
#include "handlers/run.h"

struct offer *answer_offer(const struct work *w)
{
	return order_offer(w->order, w->task->sub);
}

/* Adds an entry about the warehouse that answered. */
void answer_journal(struct work *w, const struct entry *e)
{
	struct entry ours = *e;

	ours.warehouse = w->task->sub;
	changes_journal(&w->result.changes, &ours);
}

/* ---- when the next try is made ---- */

#define TOO_CLOSE 250 /* ms; no wait is shortened to less than this */

/* Shortens a wait that would end after the offer's expiry to half of the time
 * that is left, so that one more try is made before it. */
static int64_t before_expiry(const struct work *w, int64_t wait, int64_t least)
{
	const struct opening *p = offer_opened(answer_offer(w));
	int64_t left, sooner;

	if (!p || p->expires == TIME_NONE || p->expires <= w->now)
		return wait;
	left = p->expires - w->now;
	if (wait < left)
		return wait;
	sooner = left / 2 > least ? left / 2 : least;
	return sooner >= TOO_CLOSE && sooner < left ? sooner : wait;
}

/* Returns how many ms to wait for the next try; `call` failed, or is NULL. */
static int64_t next_try(const struct work *w, const struct call *call)
{
	return before_expiry(w, run_wait(w, call),
			     call ? call->retry_after : 0);
}

/* After so many runs the shop no longer waits for the result.  After LOOKS_LATE
 * runs an expired offer is looked at rarely; reconciliation looks too.  An
 * offer that nothing settles must not use up the budget of others. */
#define LOOKS_SOON 20
#define LOOKS_LATE 40

/* Returns how many ms to wait after a look that failed (call says how), or that
 * proved nothing (call NULL). */
static int64_t next_look(const struct work *w, const struct call *call)
{
	bool expired = offer_expired(answer_offer(w), w->now);

	if (!expired && w->task->attempts < LOOKS_SOON)
		return next_try(w, call);
	if (expired && w->task->attempts >= LOOKS_LATE &&
	    (!call || call->end == CALL_OK))
		return run_wait_look(w);
	return run_wait_long(w, call);
}

/* ---- recording what came of it ---- */

void answer_end_try(struct work *w, enum try_end how, const char *text)
{
	size_t from = w->result.changes.n;
	struct change *c = changes_add(&w->result.changes, CHANGE_TRY_ENDED,
				       w->task->sub);

	c->try_ended.how = how;
	c->try_ended.text = xstrdup(text);
	run_apply(w, from);
}

void answer_settle(struct work *w, enum settled how, const char *text)
{
	size_t from = w->result.changes.n;
	struct change *c = changes_add(&w->result.changes, CHANGE_SETTLED,
				       w->task->sub);

	memcpy(c->settled.opened, answer_offer(w)->answer.opened,
	       sizeof(c->settled.opened));
	c->settled.how = how;
	c->settled.text = xstrdup(text);
	run_apply(w, from);
}

/* After an `ok` to an accept, fetches the order again, now with the address. */
void answer_settle_ok(struct work *w)
{
	bool accept = answer_offer(w)->answer.verb == VERB_ACCEPT;

	answer_settle(w, SETTLED_OK, NULL);
	if (accept)
		changes_task(&w->result.changes, TASK_FETCH_ORDER, 0, w->now);
}

/* ---- step 1 and step 5: is it settled already? ---- */

/* True if the offer has certainly expired.  While the wall clock may be wrong,
 * it does not count as expired. */
static bool is_late(const struct work *w, const struct offer *f)
{
	return !w->clock_unsure && offer_expired(f, w->now);
}

/* True if the one try after the expiry that is allowed was made. */
static bool used_up(const struct work *w, const struct offer *f)
{
	return is_late(w, f) && f->answer.late_tries > 0;
}

/* Ends the answer after the expiry and the last try, unless a try may have
 * reached Centra.  A reject needs no proof: the order is not this shop's either
 * way. */
static bool end_used_up(struct work *w, const struct offer *f)
{
	if (f->answer.verb == VERB_ACCEPT &&
	    (f->answer.unknown || f->answer.was_ok || f->answer.try_begun))
		return false;
	answer_settle(w, SETTLED_NO,
	       "the offer expired before Centra could be told");
	answer_journal(w, &(struct entry){.fact = FACT_SETTLED, .result = "expired"});
	return true;
}

/* Finishes the run if what is known of the order settles the answer.  False: it
 * does not.  `text`: Centra's words, for a no. */
static bool finished(struct work *w, const char *text)
{
	const struct offer *f = answer_offer(w);
	bool accept = f->answer.verb == VERB_ACCEPT;
	enum offer_state ended;

	if (!offer_answered(f)) {
		/* An accept whose reply was lost may have won: a look will
		 * tell. */
		if (accept && f->answer.unknown)
			changes_task(&w->result.changes, TASK_FETCH_ORDER, 0,
				     w->now);
		answer_journal(w, &(struct entry){.fact = FACT_SETTLED,
					   .result = "replaced"});
		answer_settle(w, SETTLED_NO, "a newer offer replaced it");
		return true;
	}
	switch (f->state) {
	case STATE_ACCEPTING:
	case STATE_REJECTING:
		return used_up(w, f) && end_used_up(w, f);
	case STATE_ACCEPTED:
		if (accept)
			answer_settle_ok(w);
		else
			answer_settle(w, SETTLED_NO, text);
		break;
	case STATE_REJECTED:
		/* A reject of ours counts as done if Centra's event says so,
		 * not if a look found the offer over. */
		answer_settle(w,
		       !accept && offer_ended(w->order, f, &ended) ? SETTLED_OK
								   : SETTLED_NO,
		       text);
		break;
	default:
		answer_settle(w, SETTLED_NO, text);
		break;
	}
	answer_journal(w, &(struct entry){
			   .fact = FACT_SETTLED,
			   .to = offer_state_name(answer_offer(w)->state),
		   });
	return true;
}

/* ---- step 2: looking ---- */

/* True if only a look can settle the answer, or if a try would not be safe
 * before a look. */
static bool must_look(const struct work *w, const struct offer *f)
{
	if (offer_in_conflict(w->zone, w->order, f))
		return true;
	if (f->answer.verb != VERB_ACCEPT || !f->answer.unknown)
		return false;
	return used_up(w, f) || !offer_found(w->order, f, FOUND_OPEN);
}

void answer_retry_look(struct work *w, const struct call *call)
{
	bool failed = call->end != CALL_OK;
	uint32_t number = failed ? run_why_call(call) :
				   run_why(WHY_NOT_SHOWN, 0);
	const char *why = failed ? call->why.text :
				   "Centra does not show the order to us";

	if (failed && !call->held && !run_repeats(w, number))
		answer_journal(w, &(struct entry){.fact = FACT_LOOK_FAILED,
					   .text = why});
	run_retry(w, number, next_look(w, call), "%s", why);
}

void answer_retry_rarely(struct work *w, uint32_t why, const char *words)
{
	run_retry(w, why, next_look(w, NULL), "%s", words);
}

/* Looks, and settles the answer if the look does.  True: a try may be made.
 * False: the run has ended. */
static bool looked(struct work *w)
{
	struct call call = {0};
	const struct offer *f;

	if (!look(w, &call)) {
		answer_retry_look(w, &call);
		return false;
	}
	if (finished(w, NULL))
		return false;
	f = answer_offer(w);
	if (!must_look(w, f))
		return true;
	if (offer_found(w->order, f, FOUND_OPEN))
		run_retry(w, run_why(WHY_LOOK_OPEN, 0), next_look(w, NULL),
			  "the offer expired and the order is open still");
	else
		run_retry(w, run_why(WHY_LOOK_NOTHING, 0), next_look(w, NULL),
			  "a look at the order proved nothing");
	return false;
}

/* ---- step 3 and step 4: a try ---- */

/* Handles a `no` that may be the result of an earlier try of ours.  It is
 * believed only if looks agree: two of them, some time apart, have to show the
 * order open, since the first may be a reading of the moment before that try
 * took effect. */
static void doubt_no(struct work *w)
{
	struct call call = {0};
	const struct offer *f;

	if (!look(w, &call)) {
		answer_retry_look(w, &call);
		return;
	}
	f = answer_offer(w);
	if (finished(w, f->answer.refusal))
		return;
	f = answer_offer(w);
	if (offer_is_surely_open(f))
		answer_settle(w, SETTLED_NO, f->answer.refusal);
	else if (f->sighting.what == FOUND_OPEN)
		run_retry(w, run_why(WHY_LOOK_OPEN, 0), run_wait_second(w),
			  "one look alone shows the order open");
	else
		run_retry(w, run_why(WHY_LOOK_NOTHING, 0), next_look(w, NULL),
			  "a look at the order proved nothing");
}

static void told_no(struct work *w, const struct check_first_reply *r)
{
	const struct answer *a = &answer_offer(w)->answer;
	bool doubtful = a->verb == VERB_ACCEPT && (a->unknown || a->was_ok);
	const char *msg = r->msg ? r->msg : "Centra gave no reason";

	answer_journal(w, &(struct entry){.fact = FACT_REPLY,
				   .result = "no",
				   .latency_ms = r->call.latency,
				   .text = r->msg});
	if (r->our_fault || (r->no_order && *w->order->status))
		run_alarm(w, CENTRA_ORDER_API, msg);
	answer_end_try(w, TRY_NO, msg);
	if (doubtful)
		doubt_no(w);
	else
		answer_settle(w, SETTLED_NO, msg);
}

void answer_told_nothing(struct work *w, const struct call *call)
{
	bool unknown = call->end == CALL_UNKNOWN;
	bool said = run_repeats(w, run_why_call(call));

	if (unknown || !said)
		answer_journal(w, &(struct entry){
				   .fact = FACT_NO_REPLY,
				   .result = unknown ? "unknown" : "not_done",
				   .status = call->status,
				   .latency_ms = call->latency,
				   .text = call->why.text,
			   });
	answer_end_try(w, unknown ? TRY_UNKNOWN : TRY_NOT_DONE, call->why.text);
	run_retry(w, run_why_call(call), next_try(w, call), "%s",
		  call->why.text);
}

static void told(struct work *w, const struct check_first_reply *r)
{
	if (r->call.end != CALL_OK) {
		answer_told_nothing(w, &r->call);
	} else if (!r->ok) {
		told_no(w, r);
	} else {
		answer_journal(w, &(struct entry){.fact = FACT_REPLY,
					   .result = "ok",
					   .latency_ms = r->call.latency});
		answer_end_try(w, TRY_OK, NULL);
		answer_settle_ok(w);
	}
}

/* True if the answer still has to be given, by the order as it was when the try
 * was made durable. */
static bool still_wanted(const struct work *w, enum verb verb)
{
	const struct offer *f = answer_offer(w);

	return f && f->answer.verb == verb &&
	       (offer_answered(f) || offer_kind(f) != KIND_CHECK_FIRST) &&
	       f->answer.settled == SETTLED_NOT &&
	       f->state == (verb == VERB_ACCEPT ? STATE_ACCEPTING :
						  STATE_REJECTING);
}

/* The try that is about to be made. */
struct begun {
	const struct order *known; /* the order as this run knows it */
	int64_t warehouse;
	bool late;
	int64_t now;
};

/* True if the answer is still the one that this run decided to send: a shop may
 * have pressed since it began. */
static bool same_answer(const struct offer *was, const struct offer *is)
{
	return was && is && is->answer.verb != VERB_NONE &&
	       is->answer.verb == was->answer.verb &&
	       strcmp(is->answer.opened, was->answer.opened) == 0;
}

/* A begin_fn. */
static enum rc say_begun(void *arg, const struct order *o, struct changes *ret,
			 struct err *e)
{
	const struct begun *b = arg;
	const struct offer *f = order_offer(o, b->warehouse);
	struct change *c;

	if (!same_answer(order_offer(b->known, b->warehouse), f))
		return fail(e, RC_CONFLICT,
			    "the answer of warehouse '%" PRId64
			    "' is another by now",
			    b->warehouse);
	c = changes_add(ret, CHANGE_TRY_BEGUN, b->warehouse);
	c->try_begun.at = b->now;
	c->try_begun.late = b->late;
	changes_journal(ret, &(struct entry){
				     .warehouse = b->warehouse,
				     .fact = FACT_TRY,
				     .result = verb_name(f->answer.verb),
				     .n = f->answer.tries + 1,
			     });
	return OK;
}

bool answer_begin_try(struct work *w, const char *what)
{
	const struct offer *f = answer_offer(w);
	enum verb verb = f->answer.verb;
	struct begun b = {
		.known = w->order,
		.warehouse = w->task->sub,
		.late = is_late(w, f),
		.now = w->now,
	};
	struct call held = {0};
	struct err e = {0};

	/* A call that is held back must not use up the last try, so the call is
	 * reserved before the try is made durable. */
	if (!centra_take(w->centra, CENTRA_ORDER_API, &held)) {
		run_called(w, CENTRA_ORDER_API, what, &held);
		run_retry(w, run_why_call(&held), next_try(w, &held), "%s",
			  held.why.text);
		return false;
	}
	if (w->begin(w, say_begun, &b, &e)) {
		centra_give_back(w->centra, CENTRA_ORDER_API);
		run_retry(w, run_why(WHY_TRY_NOT_STORED, 0), next_try(w, NULL),
			  "%s", e.text);
		return false;
	}
	/* The order is now as it is stored; what this run has found is applied
	 * to it again. */
	run_apply(w, 0);
	if (still_wanted(w, verb))
		return true;
	centra_give_back(w->centra, CENTRA_ORDER_API);
	answer_end_try(w, TRY_NOT_DONE, NULL);
	run_retry(w, run_why(WHY_ORDER_CHANGED, 0), next_try(w, NULL),
		  "the order changed as Centra was to be told");
	return false;
}

static void try_once(struct work *w)
{
	struct check_first_reply r = {0};

	if (!answer_begin_try(w, "check-first"))
		return;
	order_api_check_first(w->centra, w->task->number, w->task->sub,
			      answer_offer(w)->answer.verb == VERB_ACCEPT, &r);
	run_called(w, CENTRA_ORDER_API, "check-first", &r.call);
	told(w, &r);
	check_first_reply_release(&r);
}

/* ---- the run ---- */

/* Step 0: a try began, and the process died before it could record how the try
 * ended. */
static void end_lost_try(struct work *w)
{
	answer_journal(w, &(struct entry){.fact = FACT_TRY_LOST});
	answer_end_try(w, TRY_UNKNOWN, NULL);
}

static void answer_one(struct work *w)
{
	struct offer *f = answer_offer(w);

	if (!f || f->answer.verb == VERB_NONE)
		return;
	run_derive(w);
	if (f->answer.try_begun)
		end_lost_try(w);
	if (f->answer.settled != SETTLED_NOT)
		return;
	if (offer_kind(f) == KIND_ALLOCATION_REQUEST) {
		answer_requests(w);
		return;
	}
	if (finished(w, NULL))
		return;
	if (!w->centra) {
		run_retry(w, run_why(WHY_NOT_CONFIGURED, 0),
			  run_wait_long(w, NULL),
			  "no Centra is configured for instance '%s'",
			  w->task->instance);
		return;
	}
	if (f->answer.denied) {
		doubt_no(w);
		return;
	}
	if (must_look(w, f) && !looked(w))
		return;
	try_once(w);
}

void handle_answer_offer(struct work *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		answer_one(&w[i]);
}
