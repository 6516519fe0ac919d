/* SPDX-License-Identifier: MIT
 *
 * test_request_model.c - promise 5 for allocation requests: never ship what is
 * not ours, never answer what no shop was asked, and be right at rest.
 *
 * A plain model of Centra's requests (equal priority, the first confirmation
 * wins, time-outs that can still be confirmed, further requests to one
 * warehouse, people who answer elsewhere) and of everything between it and us:
 * events lost, late, repeated and in any order, which round an expiry otherwise
 * than the list, or name a line that it no longer has; replies lost before and after
 * Centra acted; calls that arrive long after we gave them up; lists that fail or
 * are behind; crashes between a call and its commit.  In some histories the last
 * warehouse is asked by check-first, and answers elsewhere: who wins there ends
 * the requests, and a confirmation ends its offer.  The handlers are the
 * product's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "handlers/answer.h"
#include "handlers/requests.h"
#include "tests/unit/facts.h"
#include "tests/unit/model.h"
#include "tests/unit/stub_centra.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define NUMBER	   19
#define WAREHOUSES 3
#define MOST	   8 /* requests of a history */
#define MAIL_MAX   64

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

struct asked {
	int64_t id;
	int warehouse, line, date;
	int64_t expires, created;
	int64_t rounded; /* ms: what a webhook says of the expiry is that much
			  * later */
	bool shrank; /* webhooks name a line more than the list */
	enum request_status status, before; /* before: what a list may show */
	bool by_us; /* ended by a call of ours */
};

struct mail {
	int which, date;
	bool create, arrived;
	enum request_status status;
	const char *check_first; /* the action of such an event; NULL: it is of
				  * a request */
};

static struct {
	struct asked list[MOST];
	int n, clock;
	struct mail mail[MAIL_MAX];
	int n_mail;
	int64_t ms;
	bool kind, lossy, cancelled;
	int64_t late_id; /* a call that is still on its way; 0: none */
	bool late_confirm;
	int late_list; /* the list is behind for so many readings */
	enum { CF_NONE, CF_OPEN, CF_WON, CF_LOST } check_first; /* of the last
								 * warehouse */
} centra;

static void emit(int which, bool create)
{
	if (centra.n_mail == MAIL_MAX || (centra.lossy && chance(40)))
		return;
	centra.clock++;
	centra.mail[centra.n_mail++] = (struct mail){
		.which = which,
		.date = centra.clock,
		.create = create,
		.status = centra.list[which].status,
	};
}

static void emit_check_first(const char *action)
{
	if (centra.n_mail == MAIL_MAX || (centra.lossy && chance(40)))
		return;
	centra.mail[centra.n_mail++] = (struct mail){
		.date = ++centra.clock,
		.check_first = action,
	};
}

/* Changes a request; the list may show it as it was for a while. */
static void becomes(struct asked *a, enum request_status status)
{
	if (!centra.late_list)
		for (int i = 0; i < centra.n; i++)
			centra.list[i].before = centra.list[i].status;
	a->status = status;
	centra.late_list = chance(25) ? 1 + any(2) : 0;
}

static void ask(int warehouse, int line)
{
	struct asked *a = &centra.list[centra.n];

	if (centra.n == MOST || centra.cancelled ||
	    centra.check_first == CF_WON ||
	    (centra.check_first && warehouse == WAREHOUSES))
		return;
	centra.clock += 2;
	*a = (struct asked){.id = 1141 + centra.n,
			    .warehouse = warehouse,
			    .line = line,
			    .date = centra.clock,
			    .created = centra.ms,
			    .expires = LATER + centra.n * 60000,
			    .rounded = (any(3) - 1) * 1000,
			    .shrank = chance(20)};
	emit(centra.n++, true);
	a->status = a->before = REQUEST_SENT;
}

static void outdate(struct asked *a)
{
	becomes(a, REQUEST_OUTDATED);
	emit((int)(a - centra.list), false);
}

static const char *confirm(struct asked *a)
{
	becomes(a, REQUEST_CONFIRMED);
	for (int i = 0; i < centra.n; i++)
		if (&centra.list[i] != a && centra.list[i].line == a->line &&
		    alloc_request_open(centra.list[i].status))
			outdate(&centra.list[i]);
	if (centra.check_first == CF_OPEN) {
		centra.check_first = CF_LOST;
		emit_check_first("rejected");
	}
	return NULL;
}

/* The shop that check-first asked accepts: nothing else is asked any more. */
static void check_first_wins(void)
{
	centra.check_first = CF_WON;
	emit_check_first("accepted");
	for (int i = 0; i < centra.n; i++)
		if (alloc_request_open(centra.list[i].status))
			outdate(&centra.list[i]);
}

static const char *centra_answers(int64_t id, bool yes, bool by_us)
{
	static char text[80];

	for (int i = 0; i < centra.n; i++) {
		struct asked *a = &centra.list[i];

		if (a->id != id)
			continue;
		if (!alloc_request_open(a->status)) {
			snprintf(text, sizeof(text),
				 "You can't update allocation request, which "
				 "is in status %s.",
				 request_status_name(a->status));
			return text;
		}
		a->by_us = by_us;
		if (yes)
			return confirm(a);
		becomes(a, REQUEST_REJECTED);
		return NULL;
	}
	return "Allocation request not found";
}

static void centra_moves(void)
{
	struct asked *a = centra.n ? &centra.list[any(centra.n)] : NULL;

	centra.clock++;
	switch (any(8 + (centra.check_first != CF_NONE))) {
	case 8:
		if (centra.check_first == CF_OPEN && chance(40))
			check_first_wins();
		break;
	case 0: /* somebody confirms in AMS or at another till */
		if (a && chance(40))
			(void)centra_answers(a->id, chance(70), false);
		break;
	case 1:
	case 2: /* its time passes */
		if (a && a->status <= REQUEST_FAILED) {
			becomes(a, REQUEST_TIMED_OUT);
			if (chance(50))
				emit((int)(a - centra.list), false);
		}
		break;
	case 3:
		if (a && alloc_request_open(a->status) && chance(30))
			outdate(a);
		break;
	case 4: /* a further request */
		ask(1 + any(WAREHOUSES), 1 + any(2));
		break;
	default: /* a call that was under way arrives */
		if (centra.late_id)
			(void)centra_answers(centra.late_id,
					     centra.late_confirm, true);
		centra.late_id = 0;
		break;
	}
}

/* ---- us ---- */

static struct {
	struct order held;
	bool answer[WAREHOUSES + 1], poll, ever_accepted, ever_lost;
	bool check_first_won; /* and a request ended as taken by it */
	enum verb pressed[MOST]; /* what the shop that was shown it said */
	bool listed[MOST];	 /* the list of this run has it */
} us;

static int index_of(int64_t id)
{
	assert_in_range(id, 1141, 1141 + centra.n - 1);
	return (int)(id - 1141);
}

static void failed(struct call *ret, enum call_end end, long status)
{
	ret->end = end;
	ret->status = status;
	snprintf(ret->why.text, sizeof(ret->why.text), "failed with %ld",
		 status);
}

static void requests(const struct requests_query *q,
		     struct centra_requests *ret)
{
	bool behind = !centra.kind && centra.late_list > 0;

	if (!centra.kind && chance(15)) {
		failed(&ret->call, CALL_UNKNOWN, 500);
		return;
	}
	centra.late_list -= behind;
	ret->call.end = CALL_OK;
	ret->call.status = 200;
	for (int i = 0; i < centra.n; i++) {
		const struct asked *a = &centra.list[i];
		enum request_status s = behind ? a->before : a->status;

		if (q->n_warehouses && q->warehouses[0] != a->warehouse)
			continue;
		stub_request(ret, a->id, NUMBER, a->warehouse,
			     request_status_name(s), a->expires, a->line)
			->created = a->created;
		us.listed[i] = true;
	}
}

static void put(int64_t id, bool yes, struct request_reply *ret)
{
	int i = index_of(id), how = centra.kind ? 0 : any(12);
	const char *msg;

	/* Never a guess, and never what no shop has said. */
	assert_true(us.listed[i]);
	assert_int_equal(us.pressed[i], yes ? VERB_ACCEPT : VERB_REJECT);
	switch (how) {
	case 1:
		failed(&ret->call, CALL_NOT_DONE, 0);
		return;
	case 2:
	case 3: /* the reply is lost */
		(void)centra_answers(id, yes, true);
		failed(&ret->call, CALL_UNKNOWN, 502);
		return;
	case 4: /* it never arrives */
		failed(&ret->call, CALL_UNKNOWN, 0);
		return;
	case 5: /* it arrives much later */
		centra.late_id = id;
		centra.late_confirm = yes;
		failed(&ret->call, CALL_UNKNOWN, 0);
		return;
	default:
		break;
	}
	msg = how == 6 && yes ? "Warehouse doesn't have sufficient stock to "
				"allocate the request."
			      : centra_answers(id, yes, true);
	ret->call.end = CALL_OK;
	ret->call.status = 200;
	ret->ok = !msg;
	ret->msg = xstrdup(msg);
}

static void check(void)
{
	for (size_t i = 0; i < us.held.n_offers; i++) {
		const struct offer *f = &us.held.offers[i];
		bool won = false, lost = false;

		for (int k = 0; k < centra.n; k++) {
			const struct asked *a = &centra.list[k];

			if (a->warehouse != f->warehouse)
				continue;
			won |= a->status == REQUEST_CONFIRMED;
			lost |= a->status == REQUEST_OUTDATED;
		}
		if (centra.check_first && f->warehouse == WAREHOUSES) {
			won = centra.check_first == CF_WON;
			lost = true; /* its own events, or another's, tell */
		}
		if (f->state == STATE_ACCEPTED) {
			us.ever_accepted = true;
			assert_true(won);
		}
		if (f->state == STATE_TAKEN || f->state == STATE_TIMED_OUT) {
			us.ever_lost = true;
			us.check_first_won |= f->warehouse != WAREHOUSES &&
					      f->state == STATE_TAKEN &&
					      centra.check_first == CF_WON;
			assert_true(lost);
		}
	}
}

static void keep(const struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct change *one = &c->list[i];

		order_apply(&us.held, one);
		if (one->kind != CHANGE_TASK)
			continue;
		if (!strcmp(one->task.kind, TASK_POLL_REQUESTS))
			us.poll = true;
		else if (!strcmp(one->task.kind, TASK_ANSWER_OFFER))
			us.answer[one->task.sub] = true;
	}
	offer_derive(NULL, &us.held);
	check();
}

static enum rc begin(struct work *w, begin_fn *fn, void *arg, struct err *e)
{
	struct changes c = {0};
	enum rc rc;

	if (!centra.kind && chance(5)) {
		snprintf(e->text, sizeof(e->text), "no room");
		return RC_FULL;
	}
	changes_add_copies(&c, &w->result.changes);
	rc = fn(arg, &us.held, &c, e);
	if (!rc)
		keep(&c);
	changes_release(&c);
	if (rc)
		return rc;
	changes_release(&w->result.changes);
	order_release(w->order);
	order_copy(w->order, &us.held);
	return OK;
}

static bool run(handler_fn *fn, const char *kind, int64_t sub,
		const struct event *ev, bool *task)
{
	struct task t = {.id = 7, .number = NUMBER, .sub = sub};
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

	memset(us.listed, 0, sizeof(us.listed));
	snprintf(t.kind, sizeof(t.kind), "%s", kind);
	order_copy(&copy, &us.held);
	if (task)
		*task = false;
	fn(&w, 1);
	assert_int_not_equal(w.result.how, OUTCOME_DEAD);
	crashed = !centra.kind && chance(12);
	if (task && (crashed || w.result.how == OUTCOME_RETRY))
		*task = true;
	if (!crashed)
		keep(&w.result.changes);
	result_release(&w.result);
	order_release(&copy);
	return !crashed;
}

static void deliver_check_first(struct mail *m)
{
	struct event ev = {.received = centra.ms, .id = NUMBER};
	char until[TIME_ISO_SIZE];
	bool create = !strcmp(m->check_first, "create");

	snprintf(ev.type, sizeof(ev.type), "check_first");
	snprintf(ev.action, sizeof(ev.action), "%s", m->check_first);
	snprintf(ev.date, sizeof(ev.date), "%s", at(m->date));
	time_iso(until, LATER, 60, false);
	ev.data = create ? xasprintf("{\"warehouses\":[{\"warehouseId\":%d,"
				     "\"expirationAt\":\"%s\"}]}",
				     WAREHOUSES, until)
			 : xasprintf("{\"warehouseId\":%d}", WAREHOUSES);
	if (run(handle_event, TASK_CHECK_FIRST, 0, &ev, NULL))
		m->arrived = true;
	event_release(&ev);
}

static void deliver_request(struct mail *m)
{
	const struct asked *a = &centra.list[m->which];
	struct event ev = {.received = centra.ms, .id = NUMBER};
	char until[TIME_ISO_SIZE];

	snprintf(ev.type, sizeof(ev.type), "allocation_request");
	snprintf(ev.action, sizeof(ev.action), "%s",
		 m->create ? "create" : "update");
	snprintf(ev.date, sizeof(ev.date), "%s", at(m->date));
	ev.data = xasprintf(
		"{\"status\":\"%s\",\"warehouseId\":%d,\"expirationDate\":\"%s\","
		"\"order\":{\"number\":%d},"
		"\"lines\":[{\"lineId\":%d,\"quantity\":1}%s]}",
		request_status_name(m->status), a->warehouse,
		time_iso(until, a->expires + a->rounded, 60, false), NUMBER,
		a->line,
		a->shrank ? ",{\"lineId\":9,\"quantity\":1}" : "");
	if (run(handle_event, TASK_ALLOCATION_REQUEST, 0, &ev, NULL))
		m->arrived = true;
	event_release(&ev);
}

static void deliver(struct mail *m)
{
	if (m->check_first) {
		deliver_check_first(m);
		return;
	}
	deliver_request(m);
}

/* Whether the shop's card showed the request: some row of it is held. */
static bool is_shown(const struct offer *f, const struct asked *a)
{
	for (size_t i = 0; f && i < f->n_requests; i++)
		if (f->requests[i].expires >= a->expires - 1000 &&
		    f->requests[i].expires <= a->expires + 1000)
			return true;
	return false;
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

	if (centra.check_first && w == WAREHOUSES)
		return; /* it answers elsewhere */
	if (answer_decide(&d, &us.held, &c, &e) == OK) {
		for (int i = 0; i < centra.n; i++)
			if (centra.list[i].warehouse == w &&
			    is_shown(order_offer(&us.held, w),
				     &centra.list[i]))
				us.pressed[i] = verb;
		keep(&c);
	}
	changes_release(&c);
}

static void step(void)
{
	int w = 1 + any(WAREHOUSES);

	centra.ms += 1000 + any(20000);
	switch (any(10)) {
	case 0:
	case 1:
	case 2:
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
		run(handle_poll_requests, TASK_POLL_REQUESTS, 0, NULL,
		    &us.poll);
		break;
	default:
		centra_moves();
		break;
	}
	check();
}

static void come_to_rest(void)
{
	bool busy = true;

	centra.kind = true;
	if (centra.late_id)
		(void)centra_answers(centra.late_id, centra.late_confirm,
				     true);
	for (int round = 0; busy && round < 30; round++) {
		busy = false;
		centra.ms += 60000;
		run(handle_poll_requests, TASK_POLL_REQUESTS, 0, NULL,
		    &us.poll);
		for (int w = 1; w <= WAREHOUSES; w++) {
			if (!us.answer[w])
				continue;
			run(handle_answer_offer, TASK_ANSWER_OFFER, w, NULL,
			    &us.answer[w]);
			busy = true;
		}
	}
	for (int i = 0; i < centra.n_mail; i++)
		if (chance(70))
			deliver(&centra.mail[i]);
	run(handle_poll_requests, TASK_POLL_REQUESTS, 0, NULL, &us.poll);
	assert_false(busy);
}

static void check_at_rest(uint64_t which)
{
	for (int w = 1; w <= WAREHOUSES - (centra.check_first != CF_NONE);
	     w++) {
		const struct offer *f = order_offer(&us.held, w);
		int open = 0, confirmed = 0, all = 0;

		for (int i = 0; i < centra.n; i++) {
			const struct asked *a = &centra.list[i];

			if (a->warehouse != w)
				continue;
			all++;
			open += alloc_request_open(a->status);
			confirmed += a->status == REQUEST_CONFIRMED;
		}
		if (!all) {
			assert_null(f);
			continue;
		}
		assert_non_null(f);
		if ((f->state == STATE_ACCEPTED) != (confirmed && !open) &&
		    !(open && confirmed && f->state == STATE_ACCEPTED))
			print_message("history %llu: warehouse %d is %s, open "
				      "%d, confirmed %d\n",
				      (unsigned long long)which, w,
				      offer_state_name(f->state), open,
				      confirmed);
		/* What is confirmed is the shop's; what is open is asked, but
		 * for what it said no to. */
		if (!open)
			assert_int_equal(f->state == STATE_ACCEPTED,
					 confirmed > 0);
		if (open && !confirmed)
			assert_int_equal(f->list == LIST_OPEN ||
						 f->state == STATE_REJECTED,
					 true);
		assert_int_not_equal(f->state, STATE_ACCEPTING);
		assert_int_not_equal(f->state, STATE_REJECTING);
	}
}

static void play(uint64_t which, unsigned *won, unsigned *lost, unsigned *both)
{
	int n = 4 + (int)(which % 50);

	memset(&centra, 0, sizeof(centra));
	memset(&us, 0, sizeof(us));
	seed = (which + 1) * 0x9e3779b97f4a7c15u;
	centra.ms = NOW;
	centra.lossy = which % 2;
	order_init(&us.held, "se", NUMBER);
	us.held.has_details = us.held.has_address = true;
	if (which % 4 == 3) {
		centra.check_first = CF_OPEN;
		emit_check_first("create");
	}
	for (int w = 1; w <= 2; w++)
		ask(w, 1);
	if (which % 3 == 0)
		ask(1, 2);
	for (int i = 0; i < n; i++)
		step();
	come_to_rest();
	check_at_rest(which);
	*won += us.ever_accepted;
	*lost += us.ever_lost;
	*both += us.check_first_won;
	order_release(&us.held);
}

#define HISTORIES 60000
#define LEAST	  2000
#define SECONDS	  8

static void no_history_ends_wrong(void **s)
{
	time_t end = model_end(SECONDS);
	unsigned won = 0, lost = 0, both = 0;
	uint64_t i;

	(void)s;
	stub_centra = (struct stub_centra){.requests = requests,
					   .request = put};
	for (i = 0; i < HISTORIES; i++) {
		play(i, &won, &lost, &both);
		if (i > LEAST && time(NULL) >= end)
			break;
	}
	print_message("%llu histories, %u with an order won, %u with one lost, "
		      "%u to a shop of check-first\n",
		      (unsigned long long)i, won, lost, both);
	assert_true(both > i / 200);
	assert_true(won > i / 10);
	assert_true(lost > i / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_history_ends_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
