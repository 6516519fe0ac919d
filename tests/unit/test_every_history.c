/* SPDX-License-Identifier: MIT
 *
 * test_every_history.c - promise 5, not by chance but by trying everything:
 * one order, two shops, what Centra tells of it, one reply that is lost, and one
 * crash or one way in which a look does not show what is so: as it was before
 * something happened, in part, on hold for another reason, or without allocations
 * since they left for a shipment of Centra's own; or allocations that come only
 * after minutes.  Every order in which these can
 * happen is walked, state by state, with the product's own handlers on our side
 * of the wire.
 *
 * What Centra does is written here as plainly as it can be: one holder, the
 * first accept of an offer that is open.  After every single step no shop sees
 * `accepted` unless Centra says so.  And from every state there is, once
 * nothing fails any more, it ends well: whom Centra gave the order knows it,
 * though every webhook may be lost; and nobody waits.  Until a sweep comes a look
 * alone may have ended an offer wrongly; after it none is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "handlers/answer.h"
#include "handlers/run.h"
#include "handlers/reconcile.h"
#include "store/model/record.h"
#include "tests/unit/facts.h"
#include "tests/unit/stub_centra.h"

#include <cmocka.h> /* last: it has a macro called fail */

#define NUMBER 19
#define SHOPS 2	  /* warehouses 1 and 2 */
#define DIRECT 99 /* never asked: holds the order meanwhile */
#define MAIL 6	  /* most that Centra tells of the order */

/* ---- the world ---- */

enum word { CREATE, ACCEPTED, REJECTED, TIMED_OUT, CANCEL };

/* Only ints, so that equal worlds are equal bytes. */
struct centra {
	int holder; /* 0: nobody yet */
	int by_us;  /* it was an answer of ours that won */
	int waits, cancelled;
	int open[SHOPS + 1], again[SHOPS + 1]; /* asked, and how often more */
	struct {
		int word, shop, date, heard;
	} mail[MAIL];
	int n_mail, clock;
	int late_shop, late_accept; /* a request that is still on its way */
	int past;		    /* the deadline of the first offer */
	int was_holder, was_waits;  /* before the newest change */
	int slow; /* whom it gave the order, looks do not show yet */
};

struct we {			      /* what is on disk beside the order */
	int answer[SHOPS + 1], fetch; /* tasks */
	int presses[SHOPS + 1];
	int lost, crashed; /* what went wrong so far: once each */
	int hidden;	   /* a look showed no order, or an older one */
	int moves;	   /* of others in Centra: one */
	int heard;	   /* events: `events` at most */
	int wrong;	   /* looks that do not show what is so: once */
	int minutes, jumps; /* that have passed, and in how many steps: JUMPS */
};

#define JUMPS 1

static struct world {
	struct centra centra;
	struct we we;
	struct order held; /* what is on disk of it */
} world;

/* So many events come before all is at rest.  HISTORY_EVENTS=1 makes the walk
 * short, for `make check`. */
static int events = 3;
static bool kind;	/* nothing fails any more */
static bool same_dates; /* all that Centra tells bears one date */

/* ---- what may go one way or another ---- */

/* A step asks choose() wherever it may go several ways, and is taken again from
 * the same state until each way was gone. */
#define CHOICES 12
static int chosen[CHOICES], of[CHOICES], asked;

static int choose(int n)
{
	if (n < 2)
		return 0;
	assert_true(asked < CHOICES);
	of[asked] = n;
	return chosen[asked++];
}

/* False: each way was gone. */
static bool next_way(void)
{
	while (asked) {
		asked--;
		if (++chosen[asked] < of[asked])
			return true;
		chosen[asked] = 0;
	}
	return false;
}

/* ---- Centra ---- */

static int64_t now(void)
{
	return world.centra.past ? NOW + 700000 : NOW;
}

static int64_t deadline(int nth)
{
	return NOW + (nth + 1) * INT64_C(600000);
}

static void emit(enum word word, int shop)
{
	struct centra *c = &world.centra;

	assert_true(c->n_mail < MAIL);
	c->mail[c->n_mail].word = (int)word;
	c->mail[c->n_mail].shop = shop;
	c->mail[c->n_mail].date = c->clock;
	c->n_mail++;
	c->clock += !same_dates;
}

/* Looks may go wrong once, but not in the histories of one date, which are as
 * many as those of several. */
static bool may_be_wrong(void)
{
	return !kind && !same_dates && !world.we.wrong && !world.we.crashed;
}

/* Of what a late look shows. */
static void remember(void)
{
	world.centra.was_holder = world.centra.holder;
	world.centra.was_waits = world.centra.waits;
}

/* An answer, ours or not, reaches Centra.  True: it says ok. */
static bool arrives(int shop, bool accept, bool ours)
{
	struct centra *c = &world.centra;

	if (c->cancelled || c->holder || !c->open[shop])
		return false;
	c->open[shop] = 0;
	remember();
	if (!accept) {
		emit(REJECTED, shop);
		return true;
	}
	c->holder = shop;
	c->slow = may_be_wrong() && choose(2);
	world.we.wrong |= c->slow;
	c->by_us = ours;
	c->waits = 0;
	emit(ACCEPTED, shop);
	for (int s = 1; s <= SHOPS; s++)
		if (c->open[s]) {
			c->open[s] = 0;
			emit(REJECTED, s);
		}
	return true;
}

static void post(int64_t number, int64_t warehouse, bool accept,
		 struct check_first_reply *ret)
{
	/* It is answered; the reply is lost; it never arrives, and we know, or
	 * not; it arrives when we have given up. */
	enum { ANSWERED, REPLY_LOST, NEVER, REFUSED, LATE };
	int shop = (int)warehouse;
	int how = kind || world.we.lost ? ANSWERED : choose(5);

	assert_int_equal(number, NUMBER);
	world.we.lost |= how != ANSWERED;
	ret->call.end = CALL_UNKNOWN;
	snprintf(ret->call.why.text, sizeof(ret->call.why.text), "lost");
	switch (how) {
	case REPLY_LOST:
		(void)arrives(shop, accept, true);
		break;
	case REFUSED:
		ret->call.end = CALL_NOT_DONE;
		break;
	case LATE:
		world.centra.late_shop = shop;
		world.centra.late_accept = accept;
		break;
	case ANSWERED:
		ret->call.end = CALL_OK;
		ret->call.status = 200;
		ret->ok = arrives(shop, accept, true);
		if (!ret->ok)
			ret->msg = xstrdup("failed to allocate stock");
		break;
	default:
		break;
	}
}

/* How a look differs from what is so. */
enum look { RIGHT, HELD, PARTIAL, LEFT, STALE, LOOKS };

static enum look differs(void)
{
	const struct centra *c = &world.centra;
	bool moved = c->was_holder != c->holder || c->was_waits != c->waits;
	enum look ret;

	if (!may_be_wrong())
		return RIGHT;
	/* Only who has won has allocations to lose. */
	ret = (enum look)choose(moved ? LOOKS : c->holder ? STALE : LEFT);
	world.we.wrong |= ret != RIGHT;
	world.we.hidden |= ret == STALE;
	return ret;
}

static void show(const struct centra *c, enum look look,
		 struct centra_order *co)
{
	int holder = look == STALE ? c->was_holder : c->holder;

	co->on_hold |= look == HELD;
	co->undecided = look == PARTIAL;
	/* For a shipment that Centra made by itself, and of which looks do not
	 * say whose it is. */
	if (look == LEFT)
		stub_ship(co, 900);
	else if (!c->cancelled)
		stub_allocate(&co->lines[0],
			      holder && !c->slow ? holder : DIRECT, false);
}

static void orders(const int64_t *numbers, size_t n, bool with_address,
		   struct centra_orders *ret)
{
	const struct centra *c = &world.centra;
	struct centra_order *co;
	enum look look;
	int how;

	assert_int_equal(n, 1);
	how = kind || world.we.lost ? 0 : choose(3);
	world.we.lost |= how > 0;
	if (how == 1) {
		ret->call.end = CALL_UNKNOWN;
		snprintf(ret->call.why.text, sizeof(ret->call.why.text),
			 "lost");
		return;
	}
	ret->call.end = CALL_OK;
	ret->call.status = 200;
	world.we.hidden |= how == 2;
	if (how == 2)
		return; /* not shown to us, which proves nothing */
	look = differs();
	co = stub_order(ret, numbers[0],
			c->cancelled ? "CANCELLED"
			: c->waits   ? "PENDING"
				     : "CONFIRMED",
			look == STALE ? c->was_waits : c->waits, 1);
	show(c, look, co);
	if (with_address)
		co->address = xstrdup("{\"city\":\"Malmo\"}");
}

/* ---- us ---- */

static void fail_of(const char *what, int shop)
{
	const struct centra *c = &world.centra;
	const struct offer *f = order_offer(&world.held, shop);

	print_message("shop %d: %s; it sees %s\n", shop, what,
		      f ? offer_state_name(f->state) : "nothing");
	print_message("Centra: holder %d, by us %d, waits %d, cancelled %d, "
		      "open %d %d, past %d; lost %d, crashed %d\n",
		      c->holder, c->by_us, c->waits, c->cancelled, c->open[1],
		      c->open[2], c->past, world.we.lost, world.we.crashed);
	if (f)
		print_message("finding %d, sighting %d for %u, blank %d; answer "
			      "%d settled %d; wrong %d, minutes %d, slow %d\n",
			      f->finding.what, f->sighting.what,
			      f->sighting.sure, f->sighting.blank,
			      f->answer.verb, f->answer.settled, world.we.wrong,
			      world.we.minutes, c->slow);
	for (int i = 0; i < c->n_mail; i++)
		print_message("  told %d of %d, dated %d, heard %d\n",
			      c->mail[i].word, c->mail[i].shop, c->mail[i].date,
			      c->mail[i].heard);
	fail();
}

/* Never ship what is not ours. */
static void derived(void)
{
	struct order *o = &world.held;

	offer_derive(NULL, o);
	if (o->fetch_due)
		world.we.fetch = 1;
	for (size_t i = 0; i < o->n_offers; i++)
		if (o->offers[i].state == STATE_ACCEPTED &&
		    world.centra.holder != o->offers[i].warehouse)
			fail_of("accepted, and Centra did not say so",
				(int)o->offers[i].warehouse);
}

static void keep(const struct changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct change *one = &c->list[i];

		order_apply(&world.held, one);
		if (one->kind == CHANGE_DETAILS)
			world.held.has_details = true;
		if (one->kind == CHANGE_ADDRESS)
			world.held.has_address = true;
		if (one->kind != CHANGE_TASK)
			continue;
		if (!strcmp(one->task.kind, TASK_FETCH_ORDER))
			world.we.fetch = 1;
		else
			world.we.answer[one->task.sub] = 1;
	}
	derived();
}

struct dies {
	bool before_call;
};

static enum rc begin(struct work *w, begin_fn *fn, void *arg, struct err *e)
{
	struct changes c = {0};
	struct dies *dies = w->worker;
	enum rc rc = fn(arg, &world.held, &c, e);

	if (!rc) {
		keep(&w->result.changes);
		keep(&c);
		changes_release(&w->result.changes);
	}
	changes_release(&c);
	if (rc)
		return rc;
	if (!kind && !world.we.crashed && !world.we.wrong &&
	    choose(2)) {
		/* What comes after is never made: the call not either. */
		world.we.crashed = 1;
		dies->before_call = true;
		snprintf(e->text, sizeof(e->text), "it died");
		return RC_FULL;
	}
	order_release(w->order);
	order_copy(w->order, &world.held);
	return OK;
}

/* One run of a task. */
static void run(handler_fn *fn, const char *name, int sub,
		const struct event *ev, int *task)
{
	struct task t = {.id = 7, .number = NUMBER, .sub = sub};
	struct order copy;
	struct dies dies = {0};
	struct work w = {
		.task = &t,
		.event = ev,
		.order = &copy,
		.now = now(),
		.steady = world.we.minutes * RUN_MINUTE,
		.boot = 1,
		.centra = stub_conn,
		.begin = begin,
		.worker = &dies,
	};
	bool again;

	snprintf(t.kind, sizeof(t.kind), "%s", name);
	order_copy(&copy, &world.held);
	fn(&w, 1);
	assert_int_not_equal(w.result.how, OUTCOME_DEAD);
	again = w.result.how == OUTCOME_RETRY;
	if (!dies.before_call && !kind && !world.we.crashed &&
	    !world.we.wrong && task && choose(2)) {
		world.we.crashed = 1; /* after the call, before the commit */
		dies.before_call = true;
	}
	if (task)
		*task = dies.before_call || again;
	if (!dies.before_call)
		keep(&w.result.changes);
	result_release(&w.result);
	order_release(&copy);
}

static void run_answer(int shop)
{
	run(handle_answer_offer, TASK_ANSWER_OFFER, shop, NULL,
	    &world.we.answer[shop]);
}

static void run_fetch(void)
{
	run(handle_fetch_order, TASK_FETCH_ORDER, 0, NULL, &world.we.fetch);
}

/* The webhook that says it comes, and is applied. */
static void hear(int i)
{
	static const char *const actions[] = {"create", "accepted", "rejected",
					      "timeout", "cancel"};
	int word = world.centra.mail[i].word;
	int shop = world.centra.mail[i].shop;
	struct event ev = {.received = now(), .id = NUMBER};
	char one[TIME_ISO_SIZE];

	world.centra.mail[i].heard = 1;
	snprintf(ev.type, sizeof(ev.type), "%s",
		 word == CANCEL ? "order" : "check_first");
	snprintf(ev.action, sizeof(ev.action), "%s", actions[word]);
	snprintf(ev.date, sizeof(ev.date), "%s", at(world.centra.mail[i].date));
	time_iso(one, deadline(shop ? 1 : 0), 60, false);
	if (word == CREATE && !shop) /* both are asked at once */
		ev.data =
			xasprintf("{\"warehouses\":[{\"expirationAt\":\"%s\","
				  "\"warehouseId\":1},{\"expirationAt\":\"%s\","
				  "\"warehouseId\":2}]}",
				  one, one);
	else if (word == CREATE)
		ev.data = xasprintf("{\"warehouses\":[{\"expirationAt\":"
				    "\"%s\",\"warehouseId\":%d}]}",
				    one, shop);
	else if (word != CANCEL)
		ev.data = xasprintf("{\"warehouseId\":%d}", shop);
	run(handle_event, "event", 0, &ev,
	    NULL);
	event_release(&ev);
}

static void press(int shop, enum verb verb)
{
	const int64_t warehouses[] = {shop};
	struct decision d = {
		.warehouses = warehouses,
		.n_warehouses = 1,
		.verb = verb,
		.device_name = "Till",
		.now = now(),
	};
	struct changes c = {0};
	struct err e;

	world.we.presses[shop]++;
	if (answer_decide(&d, &world.held, &c, &e) == OK)
		keep(&c);
	changes_release(&c);
}

/* What was on its way arrives. */
static void arrive_late(void)
{
	struct centra *c = &world.centra;

	(void)arrives(c->late_shop, c->late_accept, true);
	c->late_shop = 0;
	derived();
}

/* ---- the steps ---- */

/* Others do one thing in Centra. */
enum other {
	TILL_1,
	TILL_2,
	TIMEOUT_1,
	TIMEOUT_2,
	TIME, /* passes, and Centra says nothing */
	RESUME,
	AGAIN_1,
	AGAIN_2,
	CANCELLED,
	OTHERS
};

/* False: it cannot be done now, and nothing was. */
static bool other(int which)
{
	struct centra *c = &world.centra;
	int shop = which == TILL_2 || which == TIMEOUT_2 || which == AGAIN_2
			   ? 2
			   : 1;

	switch (which) {
	case TILL_1:
	case TILL_2:
		return arrives(shop, true, false);
	case TIMEOUT_1:
	case TIMEOUT_2:
		if (!c->open[shop])
			return false;
		c->past = 1;
		c->open[shop] = 0;
		emit(TIMED_OUT, shop);
		return true;
	case TIME:
		c->past = 1;
		return true;
	case RESUME: /* nobody is asked any more */
		if (!c->waits)
			return false;
		remember();
		c->waits = c->open[1] = c->open[2] = 0;
		return true;
	case AGAIN_1:
	case AGAIN_2:
		if (!c->waits)
			return false;
		c->open[shop] = 1;
		c->again[shop] = 1;
		emit(CREATE, shop);
		return true;
	default:
		remember();
		c->cancelled = 1;
		c->waits = c->open[1] = c->open[2] = 0;
		emit(CANCEL, 0);
		return true;
	}
}

#define PRESSES 3
#define STEPS (MAIL + PRESSES + SHOPS + OTHERS + 5)

/* A step that needs nobody but us. */
static bool is_task(int n)
{
	n -= MAIL + PRESSES;
	return (n >= 0 && n < SHOPS) || n >= SHOPS + OTHERS;
}

static bool counts_time(void)
{
	for (size_t i = 0; i < world.held.n_offers; i++)
		if (world.held.offers[i].sighting.what != FOUND_NOTHING)
			return true;
	return false;
}

/* Takes the nth step; false: there is no such step now. */
static bool step(int n)
{
	struct centra *c = &world.centra;

	if (n < MAIL) {
		if (n >= c->n_mail || c->mail[n].heard ||
		    world.we.heard == events)
			return false;
		world.we.heard++;
		hear(n);
		return true;
	}
	n -= MAIL;
	if (n < PRESSES) { /* both may accept, and one may not want it */
		int shop = n ? 2 : 1;

		if (!order_offer(&world.held, shop) || world.we.presses[shop])
			return false;
		press(shop, n == 2 ? VERB_REJECT : VERB_ACCEPT);
		return true;
	}
	n -= PRESSES;
	if (n < SHOPS) {
		if (!world.we.answer[n + 1])
			return false;
		run_answer(n + 1);
		return true;
	}
	n -= SHOPS;
	if (n < OTHERS) {
		if (world.we.moves || !other(n))
			return false;
		world.we.moves = 1;
		return true;
	}
	n -= OTHERS;
	if (n == 0) {
		if (!world.we.fetch)
			return false;
		run_fetch();
		return true;
	}
	if (n == 1) {
		if (!c->late_shop)
			return false;
		arrive_late();
		return true;
	}
	if (n == 2) {
		if (!c->slow)
			return false;
		c->slow = 0;
		return true;
	}
	/* Time matters once a look has begun to count it. */
	if (world.we.jumps == JUMPS || !counts_time())
		return false;
	world.we.jumps++;
	world.we.minutes += n == 3 ? 1 : 10;
	return true;
}

/* ---- all of them ---- */

static void copy_world(struct world *to, const struct world *from)
{
	to->centra = from->centra;
	to->we = from->we;
	order_copy(&to->held, &from->held);
}

static void put_back(const struct world *was)
{
	order_release(&world.held);
	copy_world(&world, was);
}

static bool all_is_heard(void)
{
	for (int i = 0; i < world.centra.n_mail; i++)
		if (!world.centra.mail[i].heard)
			return false;
	return true;
}

static bool is_busy(void)
{
	return world.we.answer[1] || world.we.answer[2] || world.we.fetch ||
	       world.centra.late_shop || world.centra.slow;
}

/* Nothing fails any more, and all that is still to be done is. */
static void come_to_rest(void)
{
	kind = true;
	for (int round = 0; is_busy() && round < 20; round++) {
		if (world.centra.late_shop)
			arrive_late();
		world.centra.slow = 0;
		world.we.minutes += 11;
		for (int s = 1; s <= SHOPS; s++)
			if (world.we.answer[s])
				run_answer(s);
		if (world.we.fetch)
			run_fetch();
	}
	kind = false;
}

/* The reference: what a shop must see at rest, from Centra alone.  `heard`: no
 * webhook was lost. */
static void check_shop(int shop, bool heard)
{
	const struct centra *c = &world.centra;
	const struct offer *f = order_offer(&world.held, shop);
	bool its_own = c->holder == shop && !c->cancelled;
	bool told = heard ||
		    (c->by_us && !world.we.hidden && !world.we.wrong);

	if (!f)
		return; /* it was never told of the order */
	if (its_own && told && f->state != STATE_ACCEPTED)
		fail_of("its own, and it does not know", shop);
	if (!its_own && f->state == STATE_ACCEPTED && (heard || !c->cancelled))
		fail_of("not its own, and it thinks so", shop);
	if (heard && c->cancelled && f->state != STATE_CANCELLED)
		fail_of("cancelled, and it does not know", shop);
	if (heard && c->holder && c->holder != shop && !c->cancelled &&
	    (f->state == STATE_PENDING || f->state == STATE_ACCEPTING))
		fail_of("another's, and it still hopes", shop);
	/* An answer is on its way for ever only past the deadline, while
	 * Centra itself still waits. */
	if ((f->state == STATE_ACCEPTING || f->state == STATE_REJECTING) &&
	    !(world.we.answer[shop] && c->past && c->waits))
		fail_of("it waits for what never comes", shop);
	/* Only Centra ends what it asks. */
	if (c->open[shop] && !c->again[shop] && !c->past &&
	    f->list == LIST_DONE)
		fail_of("still asked, and it is told that it is over", shop);
	/* What was pressed reached Centra, if there was time. */
	if (f->answer.verb == VERB_ACCEPT && c->open[shop] && !c->past &&
	    !c->again[shop] && !c->cancelled)
		fail_of("its accept never reached Centra", shop);
}

/* What sweeps do: they look at what is open or won, and at what a look alone
 * has ended. */
static void sweep(void)
{
	const struct order *o = &world.held;

	kind = true;
	for (int round = 0; round < 3; round++) {
		bool wanted = reconcile_may_reopen(NULL, o, now());

		for (size_t i = 0; i < o->n_offers; i++)
			wanted |= o->offers[i].list != LIST_DONE;
		world.we.minutes += 11;
		if (wanted)
			run_fetch();
	}
	kind = false;
}

/* The reference, once looks show what is so: what each shop must see. */
static void check_swept(int shop)
{
	const struct centra *c = &world.centra;
	const struct offer *f = order_offer(&world.held, shop);
	bool won = c->holder == shop && !c->cancelled;

	if (!f)
		return;
	/* Events that are still to come may yet speak against it. */
	if (won && all_is_heard() && f->state != STATE_ACCEPTED)
		fail_of("its own, and no sweep finds it", shop);
	if (won && f->state != STATE_ACCEPTED && f->list == LIST_DONE &&
	    f->sighting.sure)
		fail_of("its own, and looks ended it for good", shop);
	if (f->doubt)
		fail_of("it doubts what every look shows", shop);
	if (!won && f->state == STATE_ACCEPTED &&
	    !(c->cancelled && !all_is_heard() && f->shipped))
		fail_of("not its own, and no sweep tells it", shop);
	if (!c->waits && !won && f->list != LIST_DONE)
		fail_of("over, and it still hopes", shop);
}

static uint64_t rests;

static void check_at_rest(void)
{
	struct world was;

	/* What a look alone has ended, a look may open again. */
	for (int s = 1; s <= SHOPS; s++)
		if (!reconcile_may_reopen(NULL, &world.held, now()))
			check_shop(s, all_is_heard());
	copy_world(&was, &world);
	sweep();
	for (int s = 1; s <= SHOPS; s++)
		check_swept(s);
	put_back(&was);
	order_release(&was.held);
	rests++;
}

/* ---- where we have been ---- */

static uint64_t *been;
static size_t been_cap, n_been;

/* Eight bytes at a time: this is done for each step that is taken. */
static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	const unsigned char *b = p;
	uint64_t v;
	size_t some;

	for (; n; b += some, n -= some) {
		some = n < sizeof(v) ? n : sizeof(v);
		v = n;
		memcpy(&v, b, some);
		h = (h ^ v) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	return h;
}

/* Versions are only compared with each other, and only grow: which of them are
 * below which says it all.  How many tries there were is for the journal. */
static void normalise(struct order *o)
{
	uint64_t *all[1 + 5 * SHOPS], least, rank = 0;
	size_t n = 0;

	all[n++] = &o->version;
	for (size_t i = 0; i < o->n_offers; i++) {
		struct offer *f = &o->offers[i];

		all[n++] = &f->finding.knew;
		all[n++] = &f->answer.settled_version;
		all[n++] = &f->accepted_version;
		all[n++] = &f->sighting.knew;
		all[n++] = &f->sighting.blank_knew;
		f->answer.tries = f->answer.tries > 0;
	}
	for (;; rank++) { /* the least that is left is the next */
		least = UINT64_MAX;
		for (size_t i = 0; i < n; i++)
			if (*all[i] >= rank && *all[i] < least)
				least = *all[i];
		if (least == UINT64_MAX)
			return;
		for (size_t i = 0; i < n; i++)
			if (*all[i] == least)
				*all[i] = rank;
	}
}

/* Of all that a world is: 64 bits are enough to tell some millions apart. */
static uint64_t print_of(void)
{
	uint64_t h = 0xcbf29ce484222325u;
	struct order o;
	struct buf b;

	buf_init(&b, 1 << 20);
	order_copy(&o, &world.held);
	normalise(&o);
	encode_order(&b, &o);
	order_release(&o);
	assert_false(buf_full(&b));
	h = mix(h, b.data, b.len);
	h = mix(h, &world.centra, sizeof(world.centra));
	h = mix(h, &world.we, sizeof(world.we));
	buf_release(&b);
	return h ? h : 1;
}

static bool add_been(uint64_t h)
{
	size_t i = h & (been_cap - 1);

	while (been[i] && been[i] != h)
		i = (i + 1) & (been_cap - 1);
	if (been[i])
		return false;
	been[i] = h;
	n_been++;
	assert_true(n_been < been_cap / 2);
	return true;
}

/* ---- the walk ---- */

#define DEPTH_MAX 30

static int deepest;
static uint64_t ended[STATES];

/* Where no task waits all is at rest as it is.  Where nothing but tasks is
 * left, they come to an end, or are to be tried for ever. */
static void check(const struct world *was, bool only_tasks)
{
	if (!is_busy()) {
		check_at_rest();
	} else if (only_tasks) {
		come_to_rest();
		check_at_rest();
		put_back(was);
	}
}

static void walk(int depth)
{
	struct world was;
	bool only_tasks = true;

	if (!add_been(print_of()))
		return;
	assert_true(depth < DEPTH_MAX);
	if (depth > deepest)
		deepest = depth;
	for (size_t i = 0; i < world.held.n_offers; i++)
		ended[world.held.offers[i].state]++;
	copy_world(&was, &world);
	for (int n = 0; n < STEPS; n++) {
		int way[CHOICES] = {0}, ways[CHOICES], asks;
		bool more;

		do {
			memcpy(chosen, way, sizeof(way));
			asked = 0;
			more = step(n);
			if (!more)
				break; /* and nothing has changed */
			only_tasks &= is_task(n);
			asks = asked;
			memcpy(ways, of, sizeof(ways));
			walk(depth + 1);
			put_back(&was);
			memcpy(chosen, way, sizeof(way));
			memcpy(of, ways, sizeof(ways));
			asked = asks;
			more = next_way();
			memcpy(way, chosen, sizeof(way));
		} while (more);
	}
	check(&was, only_tasks);
	order_release(&was.held);
}

static void walk_all(bool same)
{
	memset(&world, 0, sizeof(world));
	memset(ended, 0, sizeof(ended));
	stub_centra = (struct stub_centra){.post = post, .orders = orders};
	same_dates = same;
	kind = false;
	n_been = rests = 0;
	deepest = 0;
	been_cap = (size_t)1 << 24;
	been = xcalloc(been_cap, sizeof(*been));
	order_init(&world.held, "se", NUMBER);
	world.held.has_details = true;
	world.centra.waits = world.centra.open[1] = world.centra.open[2] = 1;
	world.centra.clock = 1;
	emit(CREATE, 0);
	walk(0);
	print_message("%zu states, %llu ends, %d steps at most\n", n_been,
		      (unsigned long long)rests, deepest);
	for (int i = 0; i < STATES; i++) /* else it walked nowhere */
		assert_true(ended[i] > 0);
	order_release(&world.held);
	free(been);
}

static void every_history_ends_in_what_centra_says(void **s)
{
	(void)s;
	walk_all(false);
}

static void so_does_every_history_of_one_date(void **s)
{
	(void)s;
	walk_all(true);
}

int main(void)
{
	const char *short_walk = getenv("HISTORY_EVENTS");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_history_ends_in_what_centra_says),
		cmocka_unit_test(so_does_every_history_of_one_date),
	};

	if (short_walk)
		events = (int)strtol(short_walk, NULL, 10);
	if (events < 1 || events > 3) {
		fputs("HISTORY_EVENTS: 1, 2 or 3\n", stderr);
		return 64;
	}
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
