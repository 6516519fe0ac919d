/* SPDX-License-Identifier: MIT
 *
 * test_answer_model.c - promise 5: never ship what is not ours.
 *
 * A plain model of Centra (one winner, first accept) and of everything between
 * it and us: events lost, late, repeated and in any order; replies lost; calls
 * that reach Centra long after we gave them up; looks that fail, or show the
 * order as it was a moment ago, in part, on hold for another reason, without
 * allocations, or with its units in a shipment of Centra's own; allocations that
 * come minutes after the ok; crashes between a call and its commit.  The handlers
 * that run against it are the product's.
 *
 * While nobody in Centra takes an order away from who has won it, no shop may
 * ever see `accepted` for an order that another has.  When somebody does, it
 * must be right again once the events have come or looks were made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "handlers/answer.h"
#include "handlers/reconcile.h"
#include "tests/unit/facts.h"
#include "tests/unit/model.h"
#include "tests/unit/stub_centra.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define NUMBER	   19
#define WAREHOUSES 3 /* 1, 2 and 3: each a shop's */
#define DIRECT	   99 /* never asked: holds the order meanwhile */
#define MAIL_MAX   128
#define LINES	   2

/* ---- chance ---- */

static uint64_t seed;

static int any(int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (int)((seed >> 11) % (uint64_t)n);
}

static bool chance(int percent)
{
	return any(100) < percent;
}

/* ---- Centra ---- */

struct truth {
	bool waits, cancelled;
	int winner; /* 0: none */
	bool open[WAREHOUSES + 1];
	int64_t expires[WAREHOUSES + 1];
};

enum word { CREATE, ACCEPTED, REJECTED, TIMED_OUT, CANCEL };

struct mail { /* an event on its way to us */
	enum word word;
	int warehouse, date;
	int64_t expires;
	bool arrived;
};

static struct {
	struct truth now, before; /* before: what a look may still show, */
	int64_t since;		  /* for a minute from then on */
	int clock;		  /* dates */
	int64_t ms;		  /* our clock */
	struct mail mail[MAIL_MAX];
	int n_mail;
	int64_t slow; /* until then looks do not show who has won */
	int late_warehouse; /* a request that is still on its way; 0: none */
	bool late_accept;
	bool by_us; /* an answer of ours has won */
	bool kind; /* nothing fails any more */
	bool lossy; /* some events never arrive */
	bool takes_away;
} centra;

static void emit(enum word word, int warehouse, int64_t expires)
{
	if (centra.n_mail == MAIL_MAX)
		return; /* lost */
	centra.mail[centra.n_mail++] = (struct mail){
		.word = word,
		.warehouse = warehouse,
		.date = centra.clock,
		.expires = expires,
	};
	centra.clock += any(3); /* sometimes the same date */
}

static void offer_to(int w)
{
	int64_t until = centra.ms + 1000 * (60 + any(600));

	if (until == centra.now.expires[w])
		until += 1000;
	centra.clock++;
	centra.now.open[w] = true;
	centra.now.expires[w] = until;
	emit(CREATE, w, until);
}

static void close_all(int but, int told_percent)
{
	for (int w = 1; w <= WAREHOUSES; w++) {
		if (w == but || !centra.now.open[w])
			continue;
		centra.now.open[w] = false;
		if (chance(told_percent))
			emit(REJECTED, w, 0);
	}
}

static bool centra_answer(int w, bool accept, bool by_us)
{
	struct truth *t = &centra.now;

	if (t->cancelled || !t->open[w] || t->winner)
		return false;
	centra.clock++;
	t->open[w] = false;
	if (accept) {
		t->winner = w;
		centra.by_us = by_us;
		t->waits = false;
		if (chance(30))
			centra.slow = centra.ms + any(40) * 60000;
		emit(ACCEPTED, w, 0);
		close_all(w, 60);
	} else {
		emit(REJECTED, w, 0);
	}
	return true;
}

/* Who has won hears of it, one way or the other. */
static void take_away(void)
{
	int was = centra.now.winner;

	centra.now.winner = 0;
	centra.now.waits = true;
	for (int w = 1; w <= WAREHOUSES; w++)
		if (chance(60))
			offer_to(w);
		else if (w == was)
			emit(REJECTED, w, 0);
}

/* Something happens in Centra that is no answer of ours. */
static void centra_moves(void)
{
	struct truth *t = &centra.now;
	int w = 1 + any(WAREHOUSES);

	centra.clock++;
	switch (any(12)) {
	case 0:
	case 1: /* somebody accepts at a till that is not ours */
		(void)centra_answer(w, true, false);
		break;
	case 2:
	case 3: /* an offer times out */
		if (t->open[w] && centra.ms >= t->expires[w]) {
			t->open[w] = false;
			emit(TIMED_OUT, w, 0);
		}
		break;
	case 4: /* Resume is pressed */
		if (t->waits && chance(30)) {
			t->waits = false;
			close_all(0, 60);
		}
		break;
	case 5:
	case 6: /* asked once more */
		if (t->waits && !t->cancelled)
			offer_to(w);
		break;
	case 7:
		if (chance(20) && !t->cancelled) {
			t->cancelled = true;
			t->waits = false;
			emit(CANCEL, 0, 0);
		}
		break;
	case 8: /* taken away from who has won, and asked again */
		if (centra.takes_away && t->winner && !t->cancelled)
			take_away();
		break;
	default: /* a request that was under way arrives */
		if (centra.late_warehouse)
			(void)centra_answer(centra.late_warehouse,
					    centra.late_accept, true);
		centra.late_warehouse = 0;
		break;
	}
}

/* ---- what we reach of it ---- */

static void failed(struct call *ret, enum call_end end, long status)
{
	ret->end = end;
	ret->status = status;
	ret->refused = status == 401;
	snprintf(ret->why.text, sizeof(ret->why.text), "failed with %ld",
		 status);
}

static void post(int64_t number, int64_t warehouse, bool accept,
		 struct check_first_reply *ret)
{
	int how = centra.kind ? 0 : any(14);

	assert_int_equal(number, NUMBER);
	switch (how) {
	case 1:
		failed(&ret->call, CALL_NOT_DONE, 0);
		return;
	case 2:
		failed(&ret->call, CALL_NOT_DONE, chance(50) ? 401 : 429);
		return;
	case 3:
	case 4: /* the reply is lost */
		(void)centra_answer((int)warehouse, accept, true);
		failed(&ret->call, CALL_UNKNOWN, chance(50) ? 0 : 502);
		return;
	case 5: /* it never arrives, which we cannot know */
		failed(&ret->call, CALL_UNKNOWN, 0);
		return;
	case 6: /* it arrives when we have given up long since */
		centra.late_warehouse = (int)warehouse;
		centra.late_accept = accept;
		failed(&ret->call, CALL_UNKNOWN, 0);
		return;
	default:
		ret->call.end = CALL_OK;
		ret->call.status = 200;
		ret->ok = centra_answer((int)warehouse, accept, true);
		if (!ret->ok)
			ret->msg = xstrdup("failed to allocate stock");
		return;
	}
}

static void orders(const int64_t *numbers, size_t n, bool with_address,
		   struct centra_orders *ret)
{
	const struct truth *t = &centra.now;
	struct centra_order *co;
	const char *status = "PENDING";
	int holder, odd = centra.kind ? 100 : any(100);

	assert_int_equal(n, 1);
	if (!centra.kind && chance(15)) {
		failed(&ret->call, CALL_UNKNOWN, 500);
		return;
	}
	ret->call.end = CALL_OK;
	ret->call.status = 200;
	if (!centra.kind && chance(8))
		return; /* not shown: proves nothing */
	/* A look that is behind the events it follows cannot be told from the
	 * truth, when what was won can be lost: the next sweep mends that. */
	if (!centra.kind && !centra.takes_away &&
	    centra.ms - centra.since < 60000 && chance(20))
		t = &centra.before;
	if (t->cancelled)
		status = "CANCELLED";
	else if (!t->waits)
		status = "CONFIRMED";
	co = stub_order(ret, numbers[0], status, t->waits, LINES + 1);
	holder = t->winner && (centra.kind || centra.ms >= centra.slow)
			 ? t->winner
			 : DIRECT;
	co->on_hold |= odd < 10;
	co->undecided = odd >= 10 && odd < 15;
	for (int i = 0; i < LINES && !t->cancelled && (odd < 15 || odd >= 30);
	     i++)
		if (odd >= 35 || i == 0) /* one comes before the other */
			stub_allocate(&co->lines[i], holder, false);
	if (t->winner && odd >= 23 && odd < 30)
		stub_ship(co, 900);
	co->lines[LINES].quantity = 0; /* a cancelled line */
	if (with_address)
		co->address = xstrdup("{\"firstName\":\"Ada\"}");
}

/* ---- us ---- */

static struct {
	struct order held; /* what is on disk */
	bool answer[WAREHOUSES + 1]; /* tasks */
	unsigned attempts[WAREHOUSES + 1];
	bool fetch;
	bool ever_accepted;
} us;

static void check(void)
{
	for (size_t i = 0; i < us.held.n_offers; i++) {
		const struct offer *f = &us.held.offers[i];

		/* Nor is told no what Centra gave it for an answer of ours;
		 * but for the moment until a look that showed so is repeated,
		 * since newer events have come. */
		if (!centra.takes_away && f->state == STATE_REFUSED &&
		    centra.by_us && !us.held.fetch_due)
			assert_int_not_equal(centra.now.winner, f->warehouse);
		if (f->state != STATE_ACCEPTED)
			continue;
		us.ever_accepted = true;
		if (!centra.takes_away)
			assert_int_equal(centra.now.winner, f->warehouse);
	}
}

static void changed(void)
{
	offer_derive(NULL, &us.held);
	if (us.held.fetch_due)
		us.fetch = true;
	check();
}

static void keep(const struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct change *one = &c->list[i];

		order_apply(&us.held, one);
		if (one->kind == CHANGE_DETAILS)
			us.held.has_details = true;
		if (one->kind == CHANGE_ADDRESS)
			us.held.has_address = true;
		if (one->kind != CHANGE_TASK)
			continue;
		if (!strcmp(one->task.kind, TASK_FETCH_ORDER))
			us.fetch = true;
		else
			us.answer[one->task.sub] = true;
	}
	changed();
}

static enum rc begin(struct work *w, begin_fn *fn, void *arg, struct err *e)
{
	struct changes c = {0};
	enum rc rc;

	if (!centra.kind && chance(5)) {
		snprintf(e->text, sizeof(e->text), "no room");
		return RC_FULL;
	}
	rc = fn(arg, &us.held, &c, e);
	for (size_t i = 0; !rc && i < c.n; i++)
		order_apply(&us.held, &c.list[i]);
	changes_release(&c);
	if (rc)
		return rc;
	changed();
	order_release(w->order);
	order_copy(w->order, &us.held);
	return OK;
}

/* One run of a task; the end of a run that crashes is never kept.  False: it
 * crashed. */
static bool run(handler_fn *fn, const char *kind, int64_t sub,
		const struct event *ev, bool *task)
{
	struct task t = {.id = (uint64_t)sub + 1, .number = NUMBER, .sub = sub};
	struct order copy;
	struct work w = {
		.task = &t,
		.event = ev,
		.order = &copy,
		.now = centra.ms,
		.steady = centra.ms - NOW,
		.boot = 1,
		.centra = stub_conn,
		.begin = begin,
	};
	bool crashed;

	snprintf(t.kind, sizeof(t.kind), "%s", kind);
	t.attempts = (unsigned)any(12);
	order_copy(&copy, &us.held);
	if (task)
		*task = false;
	fn(&w, 1);
	assert_int_not_equal(w.result.how, OUTCOME_DEAD);
	crashed = !centra.kind && chance(10);
	if (task && (crashed || w.result.how == OUTCOME_RETRY))
		*task = true;
	if (!crashed)
		keep(&w.result.changes);
	result_release(&w.result);
	order_release(&copy);
	return !crashed;
}

static void deliver(struct mail *m)
{
	static const char *const actions[] = {"create", "accepted", "rejected",
					      "timeout", "cancel"};
	struct event ev = {.received = centra.ms, .id = NUMBER};
	char until[TIME_ISO_SIZE];

	snprintf(ev.type, sizeof(ev.type), "%s",
		 m->word == CANCEL ? "order" : "check_first");
	snprintf(ev.action, sizeof(ev.action), "%s", actions[m->word]);
	snprintf(ev.date, sizeof(ev.date), "%s", at(m->date));
	if (m->word == CREATE)
		ev.data = xasprintf("{\"warehouses\":[{\"expirationAt\":\"%s\","
				    "\"warehouseId\":%d}]}",
				    time_iso(until, m->expires, 60, false),
				    m->warehouse);
	else if (m->word != CANCEL)
		ev.data = xasprintf("{\"warehouseId\":%d}", m->warehouse);
	if (run(handle_event,
		"event", 0, &ev, NULL))
		m->arrived = true;
	event_release(&ev);
}

static void press(int w, enum verb verb)
{
	const int64_t shop[] = {w};
	struct decision d = {
		.warehouses = shop,
		.n_warehouses = 1,
		.verb = verb,
		.device_name = "Till 1",
		.now = centra.ms,
	};
	struct changes c = {0};
	struct err e;

	if (answer_decide(&d, &us.held, &c, &e) == OK)
		keep(&c);
	changes_release(&c);
}

static void step(void)
{
	struct truth was = centra.now;
	int64_t began = centra.ms;
	int w = 1 + any(WAREHOUSES);

	centra.ms += any(4) ? any(2000) : any(200000);
	switch (any(10)) {
	case 0:
	case 1:
	case 2: /* of what was sent, anything may arrive, also again */
		if (centra.n_mail)
			deliver(&centra.mail[any(centra.n_mail)]);
		break;
	case 3:
		press(w, chance(80) ? VERB_ACCEPT : VERB_REJECT);
		break;
	case 4:
	case 5:
	case 6:
		if (us.answer[w])
			run(handle_answer_offer, TASK_ANSWER_OFFER, w, NULL,
			    &us.answer[w]);
		break;
	case 7:
		if (us.fetch || chance(10))
			run(handle_fetch_order, TASK_FETCH_ORDER, 0, NULL,
			    &us.fetch);
		break;
	default:
		centra_moves();
		break;
	}
	check();
	if (chance(50)) {
		centra.before = was;
		centra.since = began;
	}
}

/* Everything that was not lost arrives, and nothing fails any more. */
static void come_to_rest(void)
{
	bool busy = true;

	centra.kind = true;
	if (centra.late_warehouse)
		(void)centra_answer(centra.late_warehouse, centra.late_accept, true);
	for (int i = 0; i < centra.n_mail; i++)
		if (!centra.mail[i].arrived && !(centra.lossy && chance(20)))
			deliver(&centra.mail[i]);
	for (int round = 0; busy && round < 50; round++) {
		busy = false;
		centra.ms += 60000;
		for (int w = 1; w <= WAREHOUSES; w++) {
			if (!us.answer[w])
				continue;
			run(handle_answer_offer, TASK_ANSWER_OFFER, w, NULL,
			    &us.answer[w]);
			busy = true;
		}
		for (int i = 0; i < centra.n_mail; i++)
			if (!centra.mail[i].arrived && !centra.lossy)
				deliver(&centra.mail[i]);
		if (us.fetch) {
			run(handle_fetch_order, TASK_FETCH_ORDER, 0, NULL,
			    &us.fetch);
			busy = true;
		}
	}
}

static bool is_looked_at(void)
{
	for (size_t i = 0; i < us.held.n_offers; i++)
		if (us.held.offers[i].list != LIST_DONE)
			return true;
	return reconcile_may_reopen(NULL, &us.held, centra.ms);
}

/* The sweep looks at what is open or won, or was ended by a look alone. */
static void sweep(void)
{
	for (int i = 0; i < 3 && is_looked_at(); i++) {
		centra.ms += 11 * 60000;
		run(handle_fetch_order, TASK_FETCH_ORDER, 0, NULL,
		    &us.fetch);
	}
}

/* Once all was heard and done, `accepted` is right before any sweep too. */
static void check_accepted(uint64_t which)
{
	for (size_t i = 0; i < us.held.n_offers; i++) {
		const struct offer *f = &us.held.offers[i];

		if (f->state != STATE_ACCEPTED)
			continue;
		if (centra.now.winner != f->warehouse)
			print_message("history %llu: not warehouse %d's\n",
				      (unsigned long long)which,
				      (int)f->warehouse);
		assert_int_equal(centra.now.winner, f->warehouse);
	}
}

static void check_at_rest(uint64_t which)
{
	for (size_t i = 0; i < us.held.n_offers; i++) {
		const struct offer *f = &us.held.offers[i];
		bool won = centra.now.winner == f->warehouse &&
			   !centra.now.cancelled;

		/* What was given and taken away without a word, and is nobody's
		 * now, only the office can tell. */
		if (f->doubt && !won && centra.takes_away &&
		    !centra.now.winner && !centra.now.waits)
			continue;
		if ((f->state == STATE_ACCEPTED) != won)
			print_message("history %llu: warehouse %d is %s\n",
				      (unsigned long long)which,
				      (int)f->warehouse,
				      offer_state_name(f->state));
		assert_int_equal(f->state == STATE_ACCEPTED, won);
		/* What had ended for a shop is no concern of it any more. */
		if (centra.now.cancelled)
			assert_int_equal(f->list, LIST_DONE);
		if (f->doubt)
			print_message("history %llu: doubts what is clear\n",
				      (unsigned long long)which);
		assert_false(f->doubt);
		/* Nobody hopes for what is over. */
		if (!won && !centra.now.waits && f->list != LIST_DONE)
			print_message("history %llu: warehouse %d is %s\n",
				      (unsigned long long)which,
				      (int)f->warehouse,
				      offer_state_name(f->state));
		assert_true(won || centra.now.waits || f->list == LIST_DONE);
		/* Nobody waits for what will never come. */
		if (f->state == STATE_ACCEPTING || f->state == STATE_REJECTING)
			assert_true(us.answer[f->warehouse]);
		if (f->state == STATE_ACCEPTED)
			assert_true(us.held.has_address);
	}
}

static bool play(uint64_t which, bool takes_away)
{
	int n = 5 + (int)(which % 60);

	memset(&centra, 0, sizeof(centra));
	memset(&us, 0, sizeof(us));
	seed = (which + 1) * 0x9e3779b97f4a7c15u;
	centra.ms = NOW;
	centra.takes_away = takes_away;
	centra.lossy = which % 2;
	centra.now.waits = true;
	order_init(&us.held, "se", NUMBER);
	for (int w = 1; w <= WAREHOUSES; w++)
		offer_to(w);
	centra.before = centra.now;
	for (int i = 0; i < n; i++)
		step();
	come_to_rest();
	if (!centra.lossy)
		check_accepted(which);
	sweep();
	check_at_rest(which);
	order_release(&us.held);
	return us.ever_accepted;
}

/* As many histories as fit into a few seconds, always the same ones first. */
#define HISTORIES 40000
#define LEAST	  2000
#define SECONDS	  8

static void play_all(bool takes_away)
{
	time_t end = model_end(SECONDS);
	uint64_t i, won = 0;

	stub_centra = (struct stub_centra){.post = post, .orders = orders};
	for (i = 0; i < HISTORIES; i++) {
		won += play(i, takes_away);
		if (i > LEAST && time(NULL) >= end)
			break;
	}
	print_message("%llu histories, %llu with an order won\n",
		      (unsigned long long)i, (unsigned long long)won);
	assert_true(won > i / 10); /* else nothing was tried */
}

static void no_shop_sees_accepted_for_what_another_has(void **s)
{
	(void)s;
	play_all(false);
}

static void what_is_taken_away_is_right_again_at_rest(void **s)
{
	(void)s;
	play_all(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_shop_sees_accepted_for_what_another_has),
		cmocka_unit_test(what_is_taken_away_is_right_again_at_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
