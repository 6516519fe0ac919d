/* SPDX-License-Identifier: MIT
 *
 * test_ship_model.c - nothing is shipped, paid or made twice, and no piece that
 * is not ours.
 *
 * A plain model of Centra's shipments, and of everything that can go wrong on
 * the way to it: calls that do not arrive, that arrive and whose reply is lost,
 * that arrive long after we gave them up; looks that fail; crashes after any
 * call; shipments that Centra makes itself, and that another warehouse makes of
 * the lines that we share; allocations that leave with a shipment, or stay;
 * pieces that are taken from us; payments that fail, or are confirmed later;
 * refusals of what is paid; holds.  The handler that runs against it is the
 * product's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "handlers/ship.h"

#include "centra/graphql_private.h" /* graphql_shipment_end() */
#include "tests/unit/facts.h"
#include "tests/unit/model.h"
#include "tests/unit/stub_centra.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define NUMBER 19
#define OURS   3
#define OTHER  4
#define LINES  2 /* with stock; a third is a gift card */
#define MADE   12
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

enum maker { BY_US, BY_CENTRA, BY_OTHER };

struct made { /* a shipment */
	int64_t id, units[LINES];
	enum maker by;
	bool captured, pending, shipped, good;
	bool in_history; /* a capture of it was tried */
	int captures, completions; /* by us */
};

struct request {
	enum ship_step step;
	int64_t id; /* of a shipment */
	int64_t units[LINES];
};

static struct {
	int64_t ms;
	int64_t ahead; /* of our clock, before Centra's */
	bool confirmed, hold;
	bool leave; /* what is in a shipment leaves the allocations */
	bool gift_card, listed; /* in the order; in Centra's own shipment too */
	int64_t quantity[LINES];
	int64_t owned[LINES]; /* units that are for our shop to send */
	int64_t ours[LINES]; /* those of them that are in no shipment */
	int64_t other[LINES]; /* the same of the other warehouse */
	struct made made[MADE];
	int n_made;
	int64_t next_id;

	bool kind; /* nothing fails any more */
	bool taken;	   /* a call may be made */
	bool fails, pends; /* captures */
	bool stubborn;	   /* what is paid is not let go */
	bool missed; /* the newest look lacked the shipments */
	bool late_waits; /* a request that is still on its way */
	struct request late;
	int64_t late_until;
} centra;

static struct made *made_of(int64_t id)
{
	for (int i = 0; i < centra.n_made; i++)
		if (centra.made[i].id == id)
			return &centra.made[i];
	return NULL;
}

static void add_made(const int64_t units[LINES], enum maker by)
{
	struct made *m = &centra.made[centra.n_made];

	assert_true(centra.n_made < MADE);
	*m = (struct made){.id = centra.next_id++,
			   .by = by,
			   .good = by != BY_US && chance(50)};
	memcpy(m->units, units, sizeof(m->units));
	for (int l = 0; l < LINES; l++) {
		int64_t *from = by == BY_OTHER ? &centra.other[l] :
						 &centra.ours[l];
		int64_t n = m->units[l] < *from ? m->units[l] : *from;

		*from -= n;
		centra.other[l] -= m->units[l] - n; /* ours are too few */
	}
	centra.n_made++;
}

static int64_t sent_by_us(int line);
static bool knows_newest(void);

/* Centra knows no warehouse of a createShipment: it would let us take what is
 * the other's.  Our shop never sends more than is its own. */
static const char *make(const int64_t units[LINES])
{
	if (!centra.confirmed || centra.hold)
		return "not confirmed, or held";
	for (int l = 0; l < LINES; l++)
		if (units[l] > centra.ours[l] + centra.other[l])
			return "The order line is already fully shipped.";
	for (int l = 0; l < LINES; l++)
		assert_true(units[l] + sent_by_us(l) <= centra.owned[l]);
	add_made(units, BY_US);
	return NULL;
}

static const char *capture(struct made *m, bool *ret_pending)
{
	*ret_pending = false;
	if (!m || m->captured || m->pending)
		return "The shipment is already captured.";
	assert_int_not_equal(m->by, BY_OTHER);
	m->in_history = true;
	if (centra.fails)
		return "no money";
	m->captures++;
	assert_int_equal(m->captures, 1);
	*ret_pending = m->pending = centra.pends;
	m->captured = !centra.pends;
	return NULL;
}

static const char *stubborn(void)
{
	static const char *const words[] = {"shippedAt lies in the future",
					    "The carrier is unknown",
					    "The order is \"shipped\"."};

	return words[any(3)];
}

static const char *set_good(struct made *m)
{
	if (!m)
		return "Not found";
	if (centra.stubborn)
		return stubborn();
	assert_int_not_equal(m->by, BY_OTHER);
	assert_true(m->captured); /* never before it is paid */
	m->good = true;
	return NULL;
}

static const char *completed(struct made *m)
{
	if (!m || m->shipped)
		return "The shipment is already shipped.";
	assert_int_not_equal(m->by, BY_OTHER);
	assert_true(m->captured && m->good);
	if (centra.stubborn)
		return stubborn();
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
		no = make(q->units);
		break;
	case STEP_CAPTURE:
		no = capture(made_of(q->id), ret_pending);
		break;
	case STEP_GOOD_TO_GO:
		no = set_good(made_of(q->id));
		break;
	case STEP_COMPLETE:
		no = completed(made_of(q->id));
		break;
	case STEP_EDIT:
	case STEP_DELETE:
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

/* ---- what others do in Centra ---- */

/* Centra puts all that is ours into a shipment, unasked. */
static void centra_makes(void)
{
	int64_t n = 0;

	for (int l = 0; l < LINES; l++)
		n += centra.ours[l];
	if (n && centra.confirmed && centra.n_made < MADE - 2)
		add_made(centra.ours, BY_CENTRA);
}

/* A person deletes a shipment of our shop that is not paid: its pieces are in no
 * shipment again. */
static void deletes_unpaid(void)
{
	for (int i = 0; i < centra.n_made; i++) {
		struct made *m = &centra.made[i];

		if (m->by != BY_US || m->captured || m->pending ||
		    centra.late_waits)
			continue;
		for (int l = 0; l < LINES; l++)
			centra.ours[l] += m->units[l];
		*m = centra.made[--centra.n_made];
		return;
	}
}

/* The other warehouse makes a shipment, or sends the one that it has. */
static void other_ships(void)
{
	int64_t units[LINES] = {0};
	int l = any(LINES);

	for (int i = 0; i < centra.n_made; i++) {
		struct made *m = &centra.made[i];

		if (m->by != BY_OTHER || m->shipped)
			continue;
		m->shipped = m->captured && m->good;
		m->good = m->captured;
		m->captured = true;
		return;
	}
	units[l] = 1;
	if (centra.other[l] && centra.confirmed && centra.n_made < MADE - 2)
		add_made(units, BY_OTHER);
}

/* A unit that is ours goes to the other warehouse, to nobody, or is cancelled.
 * What is on its way to Centra was decided before. */
static void lose_one(void)
{
	int l = any(LINES);

	if (!centra.ours[l] || centra.late_waits)
		return;
	centra.ours[l]--;
	centra.owned[l]--;
	if (chance(40))
		centra.other[l]++;
	else if (chance(50))
		centra.quantity[l]--;
}

/* ---- what we reach of it ---- */

static void lost(struct call *ret, enum call_end end)
{
	ret->end = end;
	snprintf(ret->why.text, sizeof(ret->why.text), "lost");
}

static bool model_take(enum centra_api api, struct call *ret)
{
	assert_int_equal(api, CENTRA_GRAPHQL);
	assert_false(centra.taken);
	centra.taken = centra.kind || !chance(8);
	*ret = (struct call){
		.end = CALL_NOT_DONE, .held = true, .retry_after = 1};
	return centra.taken;
}

static void model_give_back(enum centra_api api)
{
	assert_int_equal(api, CENTRA_GRAPHQL);
	centra.taken = false;
}

/* True: Centra was reached and its word is heard. */
static bool reached(const struct request *q, struct centra_done *ret)
{
	const char *no;
	bool pending;
	int how = centra.kind ? 9 : any(12);

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
	return !no;
}

/* The gift card is listed in a shipment of Centra's own, and not in ours. */
static void show_shipment(const struct made *m, struct centra_shipment *to)
{
	*to = (struct centra_shipment){
		.id = m->id,
		.number = xasprintf("19-%d", (int)m->id),
		.good_to_go = m->good,
		.captured = m->captured,
		.paid = m->captured,
		.shipped = m->shipped,
	};
	to->lines = xcalloc(LINES + 1, sizeof(*to->lines));
	for (int l = 0; l < LINES; l++)
		if (m->units[l])
			to->lines[to->n_lines++] =
				(struct centra_shipment_line){l + 1,
							      m->units[l]};
	if (m->by == BY_CENTRA && centra.gift_card && centra.listed)
		to->lines[to->n_lines++] =
			(struct centra_shipment_line){LINES + 1, 1};
}

static void model_confirm(int64_t number,
		   struct centra_done *ret)
{
	struct request q = {.step = STEP_CONFIRM};

	assert_int_equal(number, NUMBER);
	(void)reached(&q, ret);
}

static void model_create(int64_t number,
		  const struct centra_shipment_line *lines, size_t n_lines,
		  struct centra_done *ret)
{
	struct request q = {.step = STEP_CREATE};

	assert_int_equal(number, NUMBER);
	for (size_t i = 0; i < n_lines; i++) {
		assert_true(lines[i].line <= LINES); /* no gift card */
		q.units[lines[i].line - 1] = lines[i].quantity;
	}
	if (reached(&q, ret))
		show_shipment(&centra.made[centra.n_made - 1],
			      &ret->shipment);
}

/* The entry of the history may be missing from the payload. */
static void model_capture(int64_t id, struct centra_done *ret)
{
	struct request q = {.step = STEP_CAPTURE, .id = id};
	const struct made *m;

	if (!reached(&q, ret))
		return;
	m = made_of(id);
	if (!m) {
		fail_msg("no shipment %lld was made", (long long)id);
		return;
	}
	ret->captured = ret->paid = m->captured;
	if (centra.kind || chance(70))
		ret->payment = m->pending ? PAYMENT_PENDING :
						      PAYMENT_DONE;
}

static void model_good_to_go(int64_t id,
		      struct centra_done *ret)
{
	struct request q = {.step = STEP_GOOD_TO_GO, .id = id};

	if (reached(&q, ret))
		show_shipment(made_of(id), &ret->shipment);
}

static void model_complete(int64_t id,
		    const struct centra_parcel *p, struct centra_done *ret)
{
	struct request q = {.step = STEP_COMPLETE, .id = id};

	assert_string_equal(p->carrier, "PostNord");
	assert_true(p->shipped_at <= centra.ms - centra.ahead);
	if (reached(&q, ret))
		show_shipment(made_of(id), &ret->shipment);
}

static void allocate(struct centra_line *l, int64_t warehouse, int64_t units)
{
	if (units > 0)
		l->allocations[l->n_allocations++] =
			(struct centra_allocation){warehouse, units, false};
}

/* Units of the line in shipments of the other warehouse, or in those of ours. */
static int64_t in_shipments(int line, bool others)
{
	int64_t n = 0;

	for (int i = 0; i < centra.n_made; i++)
		if ((centra.made[i].by == BY_OTHER) == others)
			n += centra.made[i].units[line];
	return n;
}

static void show_lines(struct centra_order *co)
{
	co->lines = xcalloc(LINES + 1, sizeof(*co->lines));
	co->n_lines = LINES + centra.gift_card;
	for (int l = 0; l < LINES; l++) {
		struct centra_line *to = &co->lines[l];
		bool stay = !centra.leave;

		to->id = l + 1;
		to->quantity = centra.quantity[l];
		to->allocations = xcalloc(2, sizeof(*to->allocations));
		allocate(to, OURS,
			 centra.ours[l] + (stay ? in_shipments(l, false) : 0));
		allocate(to, OTHER,
			 centra.other[l] + (stay ? in_shipments(l, true) : 0));
	}
	if (centra.gift_card)
		co->lines[LINES] = (struct centra_line){
			.id = LINES + 1, .quantity = 1, .stockless = true};
}

/* Once in a while a reply lacks what an earlier one showed, but not twice in a
 * row among those that the task can read: shipments whose ids we know are not
 * gone because of it. */
static bool misses_shipments(void)
{
	if (centra.kind)
		return false;
	centra.missed = !centra.missed && knows_newest() && chance(6);
	return centra.missed;
}

static void hide_shipments(struct centra_order *co)
{
	for (size_t i = 0; i < co->n_shipments; i++)
		graphql_shipment_end(&co->shipments[i]);
	co->n_shipments = 0;
}

static void model_look(int64_t number, bool with_payment,
		       struct centra_orders *ret)
{
	struct centra_order *co;

	if (!centra.kind && chance(10)) {
		lost(&ret->call, CALL_UNKNOWN);
		return;
	}
	if (!centra.kind && chance(4))
		return; /* not shown to us */
	ret->call.date = centra.ms - centra.ahead; /* by Centra's clock */
	ret->list = xcalloc(1, sizeof(*ret->list));
	ret->n = 1;
	co = ret->list;
	co->number = number;
	co->status = xstrdup(centra.confirmed ? "CONFIRMED" : "PENDING");
	co->on_hold = centra.hold;
	show_lines(co);
	co->undecided = !centra.kind && chance(4);
	co->shipments = xcalloc(MADE, sizeof(*co->shipments));
	for (int i = 0; i < centra.n_made; i++) {
		struct made *m = &centra.made[i];

		if (!co->undecided) /* else nothing may be concluded from it */
			show_shipment(m, &co->shipments[co->n_shipments++]);
		if (with_payment && m->in_history)
			co->payment = m->pending    ? PAYMENT_PENDING :
				      m->captured   ? PAYMENT_DONE :
						      PAYMENT_FAILED;
	}
	if (!co->undecided && misses_shipments())
		hide_shipments(co);
}

/* ---- us ---- */

static struct {
	struct order held; /* what is on disk */
	bool task;
	unsigned attempts;
	uint64_t presses;
} us;

static const struct offer *offer_held(void)
{
	return order_offer(&us.held, OURS);
}

/* Centra told us the id of the shipment that is under way. */
static bool knows_newest(void)
{
	const struct shipment *s = offer_shipment(offer_held());

	return s && s->came.id;
}

/* Units in shipments that we made, or took for ours. */
static int64_t sent_by_us(int line)
{
	int64_t n = 0;

	for (int i = 0; i < centra.n_made; i++)
		if (centra.made[i].by == BY_US ||
		    ship_is_claimed(&us.held, NULL, centra.made[i].id))
			n += centra.made[i].units[line];
	return n;
}

static void keep(const struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		order_apply(&us.held, &c->list[i]);
		us.task |= c->list[i].kind == CHANGE_TASK &&
			   !strcmp(c->list[i].task.kind, TASK_SHIP_ORDER);
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
		.centra = stub_conn,
		.begin = model_begin,
		.settle = SETTLE,
	};
	const struct shipment *s = offer_shipment(order_offer(&us.held, OURS));

	/* The model's one clock is as steady as any. */
	w.since_try = s && s->try_at ? centra.ms - s->try_at : centra.ms;

	t.attempts = us.attempts;
	order_copy(&copy, &us.held);
	us.task = false;
	handle_ship_order(&w, 1);
	if (!centra.kind && chance(12)) {
		us.task = true; /* it crashed: nothing more is kept */
		centra.missed = true; /* what the look showed was lost too */
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

/* Presses ship: for all that is left (line 0), or a unit of a line; with this
 * key (0: none). */
static enum rc press(int line, unsigned key)
{
	const int64_t shop[] = {OURS};
	struct ship_line one = {line, 1};
	char carrier[] = "PostNord", tracking[32];
	struct ship_decision d = {
		.warehouses = shop,
		.n_warehouses = 1,
		.ask = {.carrier = carrier,
			.tracking = tracking,
			.packages = 1,
			.at = centra.ms,
			.all = !line,
			.keyed = key,
			.key = {.device = 7, .hash = {(unsigned char)key}}},
		.configured = true,
	};
	struct changes c = {0};
	struct err e;
	enum rc rc;

	/* Of equal parcels only the keys differ. */
	snprintf(tracking, sizeof(tracking), "T%d",
		 key ? 0 : (int)us.presses++);
	if (line) {
		d.ask.lines = &one;
		d.ask.n_lines = 1;
	}
	rc = ship_decide(&d, &us.held, &c, &e);
	if (rc == OK)
		keep(&c);
	changes_release(&c);
	return rc;
}

/* A payment is confirmed, or is not. */
static void payments_end(void)
{
	for (int i = 0; i < centra.n_made; i++) {
		struct made *m = &centra.made[i];

		if (!m->pending || chance(50))
			continue;
		m->pending = false;
		m->captured = chance(70);
		m->captures = m->captured;
	}
}

/* `presses`: what the shop does, now and then. */
static void step(void (*presses)(void))
{
	pass(any(4) ? any(800) : any(30000));
	switch (any(14)) {
	case 0:
		presses();
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
		centra.stubborn = chance(40);
		break;
	case 4:
		payments_end();
		break;
	case 5:
		other_ships();
		break;
	case 6:
		if (chance(20))
			deletes_unpaid();
		break;
	default:
		if (us.task)
			run_task();
		break;
	}
}

/* The look that follows an accept, or that of the sweep. */
static void some_look(void)
{
	struct work w = {.order = &us.held, .now = NOW};
	struct centra_orders got = {0};
	bool kind = centra.kind;

	centra.kind = true;
	model_look(NUMBER, false, &got);
	ship_look(&w, got.list);
	centra.kind = kind;
	centra_orders_release(&got);
	result_release(&w.result);
}

/* ---- coming to rest ---- */

/* What the office does that is told of a shipment that may be ours: it removes
 * what the shop made and does not know of.  True: there was one. */
static bool office_removes(void)
{
	for (int i = 0; i < centra.n_made; i++) {
		struct made *m = &centra.made[i];

		if (m->by != BY_US || m->captured ||
		    ship_is_claimed(&us.held, NULL, m->id))
			continue;
		for (int l = 0; l < LINES; l++)
			centra.ours[l] += m->units[l];
		*m = centra.made[--centra.n_made];
		return true;
	}
	return false;
}

static bool is_doubtful(void)
{
	const struct shipment *s = offer_shipment(offer_held());

	return s && s->came.error && strstr(s->came.error, "ask the office");
}

static void calm_down(void)
{
	centra.kind = true;
	centra.hold = centra.fails = centra.pends = centra.stubborn = false;
	arrives();
	for (int i = 0; i < centra.n_made; i++)
		if (centra.made[i].pending) {
			centra.made[i].pending = false;
			centra.made[i].captured = true;
		}
}

/* Nothing fails any more, and the shop ships all that it has. */
static void come_to_rest(void)
{
	calm_down();
	for (int i = 0; i < 80 && !offer_held()->shipped; i++) {
		pass(i < 40 ? SETTLE : 900000);
		if (is_doubtful())
			(void)office_removes();
		if (!us.task)
			(void)press(0, 0);
		if (us.task)
			run_task();
	}
}

/* Pieces that are for our shop to send, and that it did not send. */
static int64_t left(void)
{
	int64_t n = 0;

	for (int l = 0; l < LINES; l++)
		n += centra.owned[l];
	for (int i = 0; i < centra.n_made; i++)
		for (int l = 0; l < LINES; l++)
			if (centra.made[i].completions)
				n -= centra.made[i].units[l];
	return n;
}

static struct {
	uint64_t all, several, own, shared, doubtful, told, lost;
} seen;

/* Each that was sent was paid and sent once; no other's was touched. */
static void check_made(void)
{
	for (int i = 0; i < centra.n_made; i++) {
		const struct made *m = &centra.made[i];
		bool sent = m->by != BY_OTHER && m->shipped;

		assert_int_equal(m->completions, sent);
		assert_true(m->captures <= 1);
		assert_true(!sent || m->captures == 1);
		if (m->by == BY_OTHER)
			assert_int_equal(m->captures, 0);
	}
}

/* Pieces that we know as sent are those that Centra knows. */
static void check_told(void)
{
	const struct offer *f = offer_held();
	int64_t told = 0, sent = 0;

	for (size_t i = 0; i < f->n_shipments; i++) {
		const struct shipment *s = &f->shipments[i];

		for (size_t k = 0; k < s->ask.n_lines; k++)
			told += s->came.stage == SHIP_SHIPPED ?
					s->ask.lines[k].quantity :
					0;
	}
	for (int i = 0; i < centra.n_made; i++)
		for (int l = 0; l < LINES; l++)
			sent += centra.made[i].by != BY_OTHER &&
						centra.made[i].shipped ?
					centra.made[i].units[l] :
					0;
	assert_int_equal(told, sent);
}

/* Another warehouse has to do with the order, or Centra made a shipment of its
 * own: then people may have to see to it. */
static bool is_shared_or_made(void)
{
	for (int i = 0; i < centra.n_made; i++)
		if (centra.made[i].by != BY_US)
			return true;
	return centra.other[0] || centra.other[1];
}

/* It is shipped and nothing is left; or nothing more is ours; or people know
 * why not. */
static void check_at_rest(uint64_t which)
{
	const struct offer *f = offer_held();
	bool told = problem_open(&f->problem), doubt = is_doubtful();
	bool nothing = !left() && !f->shipped;

	check_made();
	check_told();
	if ((!f->shipped && !told && !doubt && !nothing) ||
	    (f->shipped && left() && !told))
		print_message("history %llu: shipped %d, left %d, %s\n",
			      (unsigned long long)which, f->shipped,
			      (int)left(),
			      offer_shipment(f) &&
					      offer_shipment(f)->came.error ?
				      offer_shipment(f)->came.error :
				      "");
	assert_true(f->shipped || told || doubt || nothing);
	assert_true(!f->shipped || !left() || told);
	if (!is_shared_or_made())
		assert_true(f->shipped || told);
	seen.told += told;
	seen.doubtful += doubt;
	seen.all += f->shipped;
}

/* ---- histories ---- */

static void begin_history(uint64_t which)
{
	memset(&centra, 0, sizeof(centra));
	memset(&us, 0, sizeof(us));
	seed = (which + 1) * 0x9e3779b97f4a7c15u;
	centra.ms = NOW;
	centra.ahead = any(4) * 900000;
	centra.next_id = 500;
	centra.confirmed = chance(60);
	centra.leave = chance(50);
	centra.gift_card = chance(30);
	centra.listed = chance(50);
	stub_centra = (struct stub_centra){
		.order_shipments = model_look,
		.confirm = model_confirm,
		.create = model_create,
		.capture = model_capture,
		.good_to_go = model_good_to_go,
		.complete = model_complete,
		.take = model_take,
		.give_back = model_give_back,
	};
	order_init(&us.held, "se", NUMBER);
	us.held.has_details = us.held.has_address = true;
	opened(&us.held, OURS, at(1));
	marked(&us.held, OURS, MARK_ACCEPTED, at(2));
	offer_derive(NULL, &us.held);
}

static void press_something(void)
{
	(void)press(chance(60) ? 0 : 1 + any(LINES), 0);
}

static void play(uint64_t which)
{
	begin_history(which);
	for (int l = 0; l < LINES; l++) {
		centra.ours[l] = centra.owned[l] = 1 + any(2);
		centra.other[l] = chance(20);
		centra.quantity[l] = centra.ours[l] + centra.other[l];
	}
	seen.shared += centra.other[0] || centra.other[1];
	if (centra.confirmed && chance(15))
		centra_makes();
	if (centra.confirmed && chance(30))
		other_ships();
	if (chance(80))
		some_look();
	if (centra.confirmed && chance(15))
		centra_makes();
	press_something();
	for (int i = 5 + (int)(which % 60); i > 0; i--)
		step(press_something);
	come_to_rest();
}

#define HISTORIES 40000
#define LEAST	  2000
#define SECONDS	  6

static void nothing_is_made_paid_or_completed_twice(void **state)
{
	time_t end = model_end(SECONDS);
	uint64_t i;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	for (i = 0; i < HISTORIES; i++) {
		play(i);
		check_at_rest(i);
		seen.several += centra.n_made > 1;
		for (int k = 0; k < centra.n_made; k++)
			seen.own += centra.made[k].by == BY_CENTRA;
		order_release(&us.held);
		if (i > LEAST && time(NULL) >= end)
			break;
	}
	print_message("%llu histories: %llu shipped, %llu in parts, %llu with "
		      "Centra's own, %llu shared, %llu doubtful, %llu told\n",
		      (unsigned long long)i, (unsigned long long)seen.all,
		      (unsigned long long)seen.several,
		      (unsigned long long)seen.own,
		      (unsigned long long)seen.shared,
		      (unsigned long long)seen.doubtful,
		      (unsigned long long)seen.told);
	assert_true(seen.several > i / 50);
	assert_true(seen.own > i / 50);
	assert_true(seen.shared > i / 50);
	assert_true(seen.all > i / 2);
}

/* ---- pieces are taken from us while we ship ---- */

static void press_or_lose(void)
{
	if (!chance(30)) {
		press_something();
		return;
	}
	lose_one();
	some_look(); /* before the other warehouse has made its shipment */
}

static void no_piece_that_was_taken_from_us_is_shipped(void **state)
{
	time_t end = model_end(SECONDS);
	uint64_t i, told = 0;

	(void)state;
	for (i = 0; i < HISTORIES; i++) {
		begin_history(i);
		centra.ours[0] = centra.quantity[0] = 1 + any(4);
		centra.ours[1] = centra.quantity[1] = any(3);
		memcpy(centra.owned, centra.ours, sizeof(centra.owned));
		some_look();
		press_something();
		for (int k = 5 + (int)(i % 60); k > 0; k--)
			step(press_or_lose);
		come_to_rest();
		check_made();
		check_told();
		/* What is not certain is told; nobody forgets a piece. */
		told += problem_open(&offer_held()->problem);
		if (offer_held()->shipped &&
		    !problem_open(&offer_held()->problem))
			assert_int_equal(left(), 0);
		order_release(&us.held);
		if (i > LEAST && time(NULL) >= end)
			break;
	}
	print_message("%llu histories, %llu told to the office\n",
		      (unsigned long long)i, (unsigned long long)told);
	assert_true(told > 0 && told < i / 4);
}

/* ---- equal parcels ---- */

static struct {
	unsigned now; /* the key that is pressed */
	int parcels;
} keys;

/* The next parcel, once this one is sent; or an old press comes again. */
static void press_parcels(void)
{
	const struct shipment *s = offer_shipment(offer_held());
	unsigned known = (unsigned)offer_held()->n_shipments;
	enum rc rc;

	if (keys.now > 1 && chance(30)) {
		rc = press(1, 1 + (unsigned)any((int)keys.now));
		assert_true(rc == OK || rc == RC_EXISTS || rc == RC_CONFLICT);
		assert_true(offer_held()->n_shipments <= keys.now);
		return;
	}
	if (s && s->came.stage == SHIP_SHIPPED && known == keys.now &&
	    (int)keys.now < keys.parcels)
		keys.now++;
	(void)press(1, keys.now);
}

static void equal_parcels_with_a_key_each_are_as_many(void **state)
{
	time_t end = model_end(SECONDS);
	uint64_t i;

	(void)state;
	for (i = 0; i < HISTORIES; i++) {
		begin_history(i);
		keys.parcels = 3;
		keys.now = 1;
		centra.ours[0] = centra.quantity[0] = centra.owned[0] = 3;
		some_look();
		for (int k = 5 + (int)(i % 200); k > 0; k--)
			step(press_parcels);
		calm_down();
		for (int k = 0; k < 100 && !offer_held()->shipped; k++) {
			pass(k < 60 ? SETTLE : 900000);
			press_parcels();
			if (us.task)
				run_task();
		}
		check_made();
		check_told();
		assert_int_equal(centra.n_made, 3);
		assert_int_equal(offer_held()->n_shipments, 3);
		assert_true(offer_held()->shipped);
		for (unsigned k = 1; k <= 3; k++)
			assert_int_equal(press(1, k), RC_EXISTS);
		order_release(&us.held);
		if (i > LEAST && time(NULL) >= end)
			break;
	}
	print_message("%llu histories\n", (unsigned long long)i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_made_paid_or_completed_twice),
		cmocka_unit_test(no_piece_that_was_taken_from_us_is_shipped),
		cmocka_unit_test(equal_parcels_with_a_key_each_are_as_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
