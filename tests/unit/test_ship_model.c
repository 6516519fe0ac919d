/* SPDX-License-Identifier: MIT
 *
 * test_ship_model.c - nothing is shipped, paid or made twice.
 *
 * A plain model of Centra's shipments, and of everything that can go wrong on
 * the way to it: calls that do not arrive, that arrive and whose reply is lost,
 * that arrive long after we gave them up; looks that fail; crashes after any
 * call; shipments that Centra makes itself; payments that fail, or are
 * confirmed later; holds and cancels.  The handler that runs against it is the
 * product's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* The product's objects are linked too: the handler takes another name here,
 * and so do the calls it makes. */
#define handle_ship_order	  modelled_ship_order
#define graphql_order_shipments	  model_look
#define graphql_confirm_order	  model_confirm
#define graphql_create_shipment	  model_create
#define graphql_capture_shipment  model_capture
#define graphql_complete_shipment model_complete
#define centra_take_change model_take
#define centra_give_back model_give_back

#include "handlers/ship.c"

#include "tests/unit/facts.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define NUMBER 19
#define OURS   3
#define OTHER  4
#define LINES  2
#define MADE   6
#define SETTLE 2000

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

struct made { /* a shipment */
	int64_t id, units[LINES];
	bool captured, pending, shipped, ours;
	bool in_history; /* a capture of it was tried */
	int captures, completions;
};

struct request {
	enum ship_step step;
	int64_t id; /* of a shipment */
	int64_t units[LINES];
};

static struct {
	int64_t ms;
	bool confirmed, cancelled, hold;
	bool vanish; /* what is in a shipment is no longer allocated */
	int64_t quantity[LINES];
	struct made made[MADE];
	int n_made;
	int64_t next_id;
	int64_t other; /* units of line 1 that the other warehouse holds */

	bool kind; /* nothing fails any more */
	bool taken;	   /* a call may be made */
	bool fails, pends; /* captures */
	bool late_waits; /* a request that is still on its way */
	struct request late;
	int64_t late_until;
} centra;

static int64_t in_all(int line)
{
	int64_t n = 0;

	for (int i = 0; i < centra.n_made; i++)
		n += centra.made[i].units[line];
	return n;
}

static struct made *made_of(int64_t id)
{
	for (int i = 0; i < centra.n_made; i++)
		if (centra.made[i].id == id)
			return &centra.made[i];
	return NULL;
}

static const char *make(const int64_t units[LINES], bool ours)
{
	struct made *m = &centra.made[centra.n_made];

	if (!centra.confirmed || centra.hold || centra.cancelled)
		return "not confirmed, or held";
	for (int l = 0; l < LINES; l++)
		if (units[l] + in_all(l) > centra.quantity[l])
			return "not allocated";
	assert_true(centra.n_made < MADE);
	*m = (struct made){.id = centra.next_id++, .ours = ours};
	memcpy(m->units, units, sizeof(m->units));
	centra.n_made++;
	return NULL;
}

static const char *capture(struct made *m, bool *ret_pending)
{
	*ret_pending = false;
	if (!m || m->captured || m->pending)
		return "captured already";
	m->in_history = true;
	if (centra.fails)
		return "no money";
	m->captures++;
	assert_int_equal(m->captures, 1);
	*ret_pending = m->pending = centra.pends;
	m->captured = !centra.pends;
	return NULL;
}

static const char *completed(struct made *m)
{
	if (!m || m->shipped || !m->captured)
		return "not paid, or completed already";
	m->shipped = true;
	m->completions++;
	assert_int_equal(m->completions, 1);
	return NULL;
}

/* NULL: done. */
static const char *act_on(const struct request *q, bool *ret_pending)
{
	const char *no = NULL;

	*ret_pending = false;
	switch (q->step) {
	case STEP_CONFIRM:
		no = centra.confirmed || centra.hold ? "in this status not" :
						       NULL;
		centra.confirmed |= !no;
		break;
	case STEP_CREATE:
		no = make(q->units, true);
		break;
	case STEP_CAPTURE:
		no = capture(made_of(q->id), ret_pending);
		break;
	case STEP_COMPLETE:
		no = completed(made_of(q->id));
		break;
	case SHIP_STEPS:
		break;
	}
	return no;
}

/* A request that was under way arrives. */
static void arrives(void)
{
	bool pending;

	if (centra.late_waits)
		(void)act_on(&centra.late, &pending);
	centra.late_waits = false;
}

static void pass(int64_t ms)
{
	if (centra.late_waits && centra.ms + ms >= centra.late_until)
		arrives(); /* no call lives for ever */
	centra.ms += ms;
}

/* ---- what we reach of it ---- */

static void lost(struct call *ret, enum call_end end)
{
	ret->end = end;
	snprintf(ret->why.text, sizeof(ret->why.text), "lost");
}

bool model_take(struct centra_conn *n, struct call *ret)
{
	(void)n;
	assert_false(centra.taken);
	centra.taken = centra.kind || !chance(8);
	*ret = (struct call){
		.end = CALL_NOT_DONE, .held = true, .retry_after = 1};
	return centra.taken;
}

void model_give_back(struct centra_conn *n, enum centra_api api)
{
	(void)n;
	assert_int_equal(api, CENTRA_GRAPHQL);
	centra.taken = false;
}

/* True: Centra was reached and its word is heard. */
static bool reached(const struct request *q, struct centra_done *ret)
{
	const char *no;
	bool pending;
	int how = centra.kind ? 9 : any(12);

	*ret = (struct centra_done){0};
	assert_true(centra.taken);
	centra.taken = false;
	if (how == 0) {
		lost(&ret->call, CALL_NOT_DONE);
		return false;
	}
	if (how == 1) { /* never arrives, which we cannot know */
		lost(&ret->call, CALL_UNKNOWN);
		return false;
	}
	if (how == 2 && !centra.late_waits) {
		centra.late_waits = true;
		centra.late = *q;
		centra.late_until = centra.ms + SETTLE;
		lost(&ret->call, CALL_UNKNOWN);
		return false;
	}
	no = act_on(q, &pending);
	if (how == 3 || how == 4) {
		lost(&ret->call, CALL_UNKNOWN);
		return false;
	}
	ret->call.end = CALL_OK;
	ret->error = no ? xstrdup(no) : NULL;
	if (!no)
		ret->payment = pending ? PAYMENT_PENDING : PAYMENT_DONE;
	return !no;
}

static void show_shipment(const struct made *m, struct centra_shipment *to)
{
	*to = (struct centra_shipment){
		.id = m->id,
		.number = xasprintf("19-%d", (int)m->id),
		.good_to_go = true,
		.captured = m->captured,
		.paid = m->captured,
		.shipped = m->shipped,
	};
	to->lines = xcalloc(LINES, sizeof(*to->lines));
	for (int l = 0; l < LINES; l++)
		if (m->units[l])
			to->lines[to->n_lines++] =
				(struct centra_shipment_line){l + 1,
							      m->units[l]};
}

static struct centra_conn *conn(void)
{
	static char place;

	return (struct centra_conn *)(void *)&place;
}

void model_confirm(struct centra_conn *n, int64_t number,
		   struct centra_done *ret)
{
	struct request q = {.step = STEP_CONFIRM};

	(void)n;
	assert_int_equal(number, NUMBER);
	(void)reached(&q, ret);
}

void model_create(struct centra_conn *n, int64_t number,
		  const struct centra_shipment_line *lines, size_t n_lines,
		  struct centra_done *ret)
{
	struct request q = {.step = STEP_CREATE};

	(void)n;
	assert_int_equal(number, NUMBER);
	for (size_t i = 0; i < n_lines; i++)
		q.units[lines[i].line - 1] = lines[i].quantity;
	if (reached(&q, ret))
		show_shipment(&centra.made[centra.n_made - 1],
			      &ret->shipment);
}

void model_capture(struct centra_conn *n, int64_t id, struct centra_done *ret)
{
	struct request q = {.step = STEP_CAPTURE, .id = id};

	(void)n;
	(void)reached(&q, ret);
}

void model_complete(struct centra_conn *n, int64_t id,
		    const struct centra_parcel *p, struct centra_done *ret)
{
	struct request q = {.step = STEP_COMPLETE, .id = id};

	(void)n;
	assert_string_equal(p->carrier, "PostNord");
	if (reached(&q, ret))
		show_shipment(made_of(id), &ret->shipment);
}

static void allocate(struct centra_line *l, int64_t warehouse, int64_t units)
{
	if (units > 0)
		l->allocations[l->n_allocations++] =
			(struct centra_allocation){warehouse, units, false};
}

static void show_lines(struct centra_order *co)
{
	co->lines = xcalloc(LINES, sizeof(*co->lines));
	co->n_lines = LINES;
	for (int l = 0; l < LINES; l++) {
		int64_t other = l ? centra.other : 0;
		int64_t ours = centra.quantity[l] - other;

		co->lines[l].id = l + 1;
		co->lines[l].quantity = centra.quantity[l];
		co->lines[l].allocations = xcalloc(
			2, sizeof(*co->lines[l].allocations));
		if (centra.cancelled)
			continue;
		if (centra.vanish)
			ours -= in_all(l);
		allocate(&co->lines[l], OURS, ours);
		allocate(&co->lines[l], OTHER, other);
	}
}

void model_look(struct centra_conn *n, int64_t number, bool with_address,
		bool with_payment, struct centra_orders *ret)
{
	struct centra_order *co;

	(void)n;
	(void)with_address;
	*ret = (struct centra_orders){0};
	if (!centra.kind && chance(10)) {
		lost(&ret->call, CALL_UNKNOWN);
		return;
	}
	if (!centra.kind && chance(4))
		return; /* not shown to us */
	ret->list = xcalloc(1, sizeof(*ret->list));
	ret->n = 1;
	co = ret->list;
	co->number = number;
	co->status = xstrdup(centra.cancelled	? "CANCELLED" :
			     centra.confirmed	? "CONFIRMED" :
						  "PENDING");
	co->on_hold = centra.hold;
	show_lines(co);
	co->shipments = xcalloc(MADE, sizeof(*co->shipments));
	for (int i = 0; i < centra.n_made; i++) {
		struct made *m = &centra.made[i];

		show_shipment(m, &co->shipments[co->n_shipments++]);
		if (with_payment && m->in_history)
			co->payment = m->pending    ? PAYMENT_PENDING :
				      m->captured   ? PAYMENT_DONE :
						      PAYMENT_FAILED;
	}
}

/* ---- us ---- */

static struct {
	struct order held; /* what is on disk */
	bool task;
	unsigned attempts;
	uint64_t presses;
} us;

static void keep(const struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		order_apply(&us.held, &c->list[i]);
		us.task |= c->list[i].kind == CHANGE_TASK &&
			   !strcmp(c->list[i].what, TASK_SHIP_ORDER);
	}
	offer_derive(NULL, &us.held);
}

static enum rc model_begin(struct work *w, begin_fn *fn, void *arg,
			   struct err *e)
{
	struct changes c = {0};
	enum rc rc;

	if (!centra.kind && chance(3)) {
		snprintf(e->text, sizeof(e->text), "no room");
		return RC_FULL;
	}
	rc = fn(arg, &us.held, &c, e);
	if (!rc) {
		keep(&w->result.changes);
		keep(&c);
		changes_release(&w->result.changes);
		order_release(w->order);
		order_copy(w->order, &us.held);
	}
	changes_release(&c);
	return rc;
}

static void run_task(void)
{
	struct task t = {.id = 1, .number = NUMBER, .sub = OURS};
	struct order copy;
	struct work w = {
		.task = &t,
		.order = &copy,
		.now = centra.ms,
		.centra = conn(),
		.begin = model_begin,
		.settle = SETTLE,
	};

	t.attempts = us.attempts;
	order_copy(&copy, &us.held);
	us.task = false;
	modelled_ship_order(&w, 1);
	if (!centra.kind && chance(12)) {
		us.task = true; /* it crashed: nothing more is kept */
	} else {
		us.attempts = w.result.how == OUTCOME_RETRY ?
				      us.attempts + 1 :
				      0;
		us.task = w.result.how == OUTCOME_RETRY;
		keep(&w.result.changes);
	}
	result_release(&w.result);
	order_release(&copy);
}

/* Presses ship: for all that is left, or one unit of a line. */
static void press(bool all)
{
	const int64_t shop[] = {OURS};
	struct ship_line one = {1 + any(LINES), 1};
	char carrier[] = "PostNord", tracking[32];
	struct ship_decision d = {
		.warehouses = shop,
		.n_warehouses = 1,
		.ask = {.carrier = carrier,
			.tracking = tracking,
			.packages = 1,
			.at = centra.ms,
			.all = all},
		.configured = true,
	};
	struct changes c = {0};
	struct err e;

	snprintf(tracking, sizeof(tracking), "T%d", (int)us.presses++);
	if (!all) {
		d.ask.lines = &one;
		d.ask.n_lines = 1;
	}
	if (ship_decide(&d, &us.held, &c, &e) == OK)
		keep(&c);
	changes_release(&c);
}

static void step(void)
{
	pass(any(4) ? any(800) : any(30000));
	switch (any(12)) {
	case 0:
		press(chance(60));
		break;
	case 1:
		arrives();
		break;
	case 2:
		centra.hold = chance(30);
		break;
	case 3:
		centra.fails = chance(40);
		centra.pends = chance(40);
		break;
	case 4: /* a payment is confirmed, or is not */
		for (int i = 0; i < centra.n_made; i++) {
			struct made *m = &centra.made[i];

			if (!m->pending || chance(50))
				continue;
			m->pending = false;
			m->captured = chance(70);
			m->captures = m->captured;
		}
		break;
	default:
		if (us.task)
			run_task();
		break;
	}
}

/* What is left of the offer, by Centra's own count. */
static int64_t left(void)
{
	int64_t n = -centra.other;

	for (int l = 0; l < LINES; l++)
		n += centra.quantity[l];
	for (int i = 0; i < centra.n_made; i++)
		for (int l = 0; l < LINES; l++)
			n -= centra.made[i].shipped ? centra.made[i].units[l] :
						      0;
	return n;
}

/* Nothing fails any more, and the shop ships all that it has. */
static void come_to_rest(void)
{
	const struct offer *f = order_offer(&us.held, OURS);

	centra.kind = true;
	centra.hold = centra.fails = centra.pends = false;
	arrives();
	for (int i = 0; i < centra.n_made; i++)
		if (centra.made[i].pending) {
			centra.made[i].pending = false;
			centra.made[i].captured = true;
		}
	for (int i = 0; i < 60 && !f->shipped; i++) {
		pass(SETTLE);
		if (!us.task)
			press(true);
		if (us.task)
			run_task();
		f = order_offer(&us.held, OURS);
	}
}

static void check_at_rest(uint64_t which)
{
	const struct offer *f = order_offer(&us.held, OURS);
	int64_t told = 0;

	for (size_t i = 0; i < f->n_shipments; i++)
		for (size_t k = 0; k < f->shipments[i].ask.n_lines; k++)
			told += f->shipments[i].ask.lines[k].quantity;
	if (!f->shipped || left())
		print_message("history %llu: shipped %d, left %d, %s\n",
			      (unsigned long long)which, f->shipped,
			      (int)left(),
			      offer_shipment(f) &&
					      offer_shipment(f)->came.error ?
				      offer_shipment(f)->came.error :
				      "");
	assert_true(f->shipped);
	assert_int_equal(left(), 0);
	assert_int_equal(told, centra.quantity[0] + centra.quantity[1] -
				       centra.other);
	for (int i = 0; i < centra.n_made; i++) {
		assert_int_equal(centra.made[i].captures, 1);
		assert_int_equal(centra.made[i].completions, 1);
	}
}

static void play(uint64_t which)
{
	memset(&centra, 0, sizeof(centra));
	memset(&us, 0, sizeof(us));
	seed = (which + 1) * 0x9e3779b97f4a7c15u;
	centra.ms = NOW;
	centra.next_id = 500;
	centra.confirmed = chance(60);
	centra.vanish = chance(50);
	centra.quantity[0] = 1 + any(2);
	centra.quantity[1] = 1 + any(2);
	if (centra.quantity[1] == 2 && chance(30))
		centra.other = 1;
	order_init(&us.held, "se", NUMBER);
	us.held.has_details = us.held.has_address = true;
	opened(&us.held, OURS, at(1));
	marked(&us.held, OURS, MARK_ACCEPTED, at(2));
	offer_derive(NULL, &us.held);
	if (centra.confirmed && !centra.vanish && !centra.other && chance(20))
		(void)make(centra.quantity, false); /* Centra's own */
	press(centra.n_made || chance(60));
	for (int i = 5 + (int)(which % 60); i > 0; i--)
		if (!centra.n_made || centra.made[0].ours || chance(50))
			step();
	come_to_rest();
}

#define HISTORIES 40000
#define LEAST	  2000
#define SECONDS	  6

static void nothing_is_made_paid_or_completed_twice(void **state)
{
	time_t end = time(NULL) + SECONDS;
	uint64_t i, several = 0, own = 0;

	(void)state;
	for (i = 0; i < HISTORIES; i++) {
		play(i);
		/* With Centra's own whole shipment, parts cannot be sent. */
		if (centra.n_made && !centra.made[0].ours) {
			own++;
			assert_int_equal(centra.n_made, 1);
			assert_true(centra.made[0].captures <= 1);
		} else {
			check_at_rest(i);
			several += centra.n_made > 1;
		}
		order_release(&us.held);
		if (i > LEAST && time(NULL) >= end)
			break;
	}
	print_message("%llu histories, %llu in parts, %llu of Centra's own\n",
		      (unsigned long long)i, (unsigned long long)several,
		      (unsigned long long)own);
	assert_true(several > i / 50);
	assert_true(own > i / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_made_paid_or_completed_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
