/* SPDX-License-Identifier: MIT
 *
 * test_apply.c - events are applied in the transaction that records them.
 *
 * The store, the handlers' pure function and the merge are the real ones.
 */
#include <semaphore.h>

#include "base/buf.h"
#include "handlers/event.h"
#include "handlers/handlers.h"
#include "handlers/offer.h"
#include "store/lmdb/store_private.h"
#include "tests/unit/store_fixture.h"

#define NOW   1610380000000
#define UNTIL "\"expirationAt\":\"2021-01-12T16:21:00+01:00\""

static void derive(void *arg, struct order *o)
{
	(void)arg;
	offer_derive(NULL, o);
}

static struct store *open_applying(const char *dir, store_apply_fn *fn,
				   bool serve)
{
	const struct store_options o = {
		.url = url_of(dir),
		.max_bytes = (size_t)256 << 20,
		.serve = serve,
		.apply = fn,
		.event_kinds = event_kinds,
		.derive = derive,
		.fetch_kind = TASK_FETCH_ORDER,
	};

	return open_with(&o);
}

static struct store *open_real(const char *dir)
{
	return open_applying(dir, event_apply, true);
}

/* The second of a morning as Centra writes it. */
static struct event ev_of(int64_t id, const char *action, int second,
			  const char *data)
{
	bool order = !strcmp(action, "cancel") || !strcmp(action, "update") ||
		     !strcmp(action, "insert");
	struct event ev = event_of(id, data, order ? TASK_ORDER
						   : TASK_CHECK_FIRST);

	if (order)
		snprintf(ev.type, sizeof(ev.type), "order");
	snprintf(ev.action, sizeof(ev.action), "%s", action);
	snprintf(ev.date, sizeof(ev.date), "2021-01-11 16:21:%02d.000000",
		 second);
	ev.received = NOW;
	return ev;
}

static struct event create_of(int64_t id, int second)
{
	return ev_of(id, "create", second,
		     "{\"warehouses\":[{" UNTIL ",\"warehouseId\":3},"
		     "{" UNTIL ",\"warehouseId\":4}]}");
}

static enum rc record(struct store *s, struct event *evs, size_t n,
		      struct recorded *got)
{
	struct delivery d = {.instance = "se",
			     .received = NOW,
			     .events = evs,
			     .n_events = n};

	return store_record(s, &d, got, NULL, &err);
}

static void release(struct event *evs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		event_release(&evs[i]);
}

static struct order order_of(struct store *s, int64_t number)
{
	struct order o = {0};

	if (store_order(s, "se", number, &o, &err))
		order_init(&o, "se", number);
	return o;
}

/* "" when there is no such offer. */
static const char *state_of(struct store *s, int64_t number, int64_t warehouse)
{
	struct order o = order_of(s, number);
	const struct offer *f = order_offer(&o, warehouse);
	const char *ret = f ? offer_state_name(f->state) : "";

	order_release(&o);
	return ret;
}

static bool count_kind(void *arg, const struct task *t)
{
	unsigned *n = arg;

	*n += strcmp(t->kind, TASK_CHECK_FIRST) == 0 ||
	      strcmp(t->kind, TASK_ORDER) == 0;
	return true;
}

/* Tasks that apply events: waiting ones, or dead ones. */
static unsigned event_tasks(struct store *s, bool dead)
{
	unsigned n = 0;

	assert_ok(store_tasks(s, dead, 0, count_kind, &n, &err));
	return n;
}

static bool find_fact(void *arg, const struct entry *e)
{
	enum fact *want = arg;

	if (e->fact == *want)
		*want = FACTS;
	return *want != FACTS;
}

static bool journal_has(struct store *s, int64_t number, enum fact fact)
{
	assert_ok(store_journal(s, "se", number, find_fact, &fact, &err));
	return fact == FACTS;
}

static void add_task(struct store *s, int64_t number, const char *kind)
{
	struct task t = {.number = number, .instance = "se", .created = NOW,
			 .due = NOW};

	snprintf(t.kind, sizeof(t.kind), "%s", kind);
	assert_ok(store_task_add(s, &t, &err));
}

static enum rc lease(struct store *s, struct task *t)
{
	int64_t next;
	size_t n;

	return store_lease(s, NOW + 1000, NULL, t, 1, &n, &next, &err);
}

/* ---- what is applied ---- */

static void an_event_is_applied_by_the_commit_that_records_it(void **state)
{
	struct store *s = open_real(*state);
	uint64_t commits = stats_of(s).commits;
	struct event ev = create_of(19, 1);
	struct recorded got;

	assert_ok(record(s, &ev, 1, &got));
	assert_int_equal(got.fresh, 1);
	assert_int_equal(got.applied, 1);
	assert_int_equal(ev.end, EVENT_APPLIED);
	assert_int_equal(stats_of(s).commits, commits + 1);
	assert_string_equal(state_of(s, 19, 3), "pending");
	assert_string_equal(state_of(s, 19, 4), "pending");
	assert_int_equal(event_tasks(s, false), 0);
	assert_true(store_newest_change(s) > 0);
	release(&ev, 1);
	store_close(s);
}

static void a_create_and_an_accept_in_one_delivery_join(void **state)
{
	struct store *s = open_real(*state);

	for (int turned = 0; turned < 2; turned++) {
		int64_t id = 19 + turned;
		struct event evs[2];
		struct recorded got;

		evs[turned] = create_of(id, 1);
		evs[!turned] = ev_of(id, "accepted", 2, "{\"warehouseId\":3}");
		assert_ok(record(s, evs, 2, &got));
		assert_int_equal(got.applied, 2);
		assert_string_equal(state_of(s, id, 3), "accepted");
		assert_string_equal(state_of(s, id, 4), "taken");
		release(evs, 2);
	}
	store_close(s);
}

static void a_repeat_is_not_applied(void **state)
{
	struct store *s = open_real(*state);
	struct event evs[3] = {create_of(19, 1), create_of(19, 1),
			       create_of(19, 1)};
	struct recorded got;
	struct order o;

	assert_ok(record(s, evs, 2, &got));
	assert_int_equal(got.applied, 1);
	assert_int_equal(got.duplicates, 1);
	assert_int_equal(evs[1].end, EVENT_STORED);
	assert_ok(record(s, evs + 2, 1, &got));
	assert_int_equal(got.applied, 0);
	o = order_of(s, 19);
	assert_int_equal(o.version, 1);
	order_release(&o);
	release(evs, 3);
	store_close(s);
}

static void a_hundred_events_of_one_order_are_one_commit(void **state)
{
	struct store *s = open_real(*state);
	uint64_t commits = stats_of(s).commits;
	struct event evs[100];
	struct recorded got;
	struct order o;

	evs[0] = create_of(19, 0);
	for (int i = 1; i < 100; i++)
		evs[i] = ev_of(19, i % 2 ? "rejected" : "timeout", i % 60,
			       i < 60 ? "{\"warehouseId\":3}"
				      : "{\"warehouseId\":4}");
	assert_ok(record(s, evs, 100, &got));
	assert_int_equal(got.applied, 100);
	assert_int_equal(stats_of(s).commits, commits + 1);
	assert_string_equal(state_of(s, 19, 3), "timed_out");
	assert_string_equal(state_of(s, 19, 4), "timed_out");
	o = order_of(s, 19);
	assert_int_equal(o.version, 100);
	order_release(&o);
	release(evs, 100);
	store_close(s);
}

static void it_is_there_after_a_restart(void **state)
{
	struct store *s = open_real(*state);
	struct event ev = create_of(19, 1);

	assert_ok(record(s, &ev, 1, NULL));
	release(&ev, 1);
	store_close(s);
	s = open_real(*state);
	assert_string_equal(state_of(s, 19, 3), "pending");
	store_close(s);
}

static void what_follows_an_event_is_queued_with_it(void **state)
{
	struct store *s = open_real(*state);
	struct event ev = ev_of(19, "accepted", 1, "{\"warehouseId\":3}");
	struct task t = {0};
	int64_t next;
	size_t n;

	assert_ok(record(s, &ev, 1, NULL));
	assert_ok(store_lease(s, NOW, NULL, &t, 1, &n, &next, &err));
	assert_string_equal(t.kind, TASK_FETCH_ORDER);
	task_release(&t);
	release(&ev, 1);
	store_close(s);
}

/* ---- what cannot be applied ---- */

static void a_bad_event_beside_good_ones_is_kept_with_a_dead_task(void **state)
{
	struct store *s = open_real(*state);
	struct event evs[3] = {create_of(19, 1),
			       ev_of(20, "accepted", 2, "{\"warehouse\":3}"),
			       create_of(21, 3)};
	struct recorded got;

	assert_ok(record(s, evs, 3, &got));
	assert_int_equal(got.fresh, 3);
	assert_int_equal(got.applied, 2);
	assert_int_equal(got.dead, 1);
	assert_int_equal(evs[1].end, EVENT_DEAD);
	assert_string_equal(evs[1].fault, "no usable 'data.warehouseId'");
	assert_string_equal(state_of(s, 19, 3), "pending");
	assert_string_equal(state_of(s, 21, 3), "pending");
	assert_int_equal(stats_of(s).events, 3);
	assert_int_equal(event_tasks(s, true), 1);
	assert_true(journal_has(s, 20, FACT_GIVEN_UP));
	assert_ok(store_redrive(s, evs[1].dead_task, NOW, &err));
	assert_int_equal(event_tasks(s, true), 0);
	assert_int_equal(event_tasks(s, false), 1);
	release(evs, 3);
	store_close(s);
}

/* Fails after a part was written, for orders above 100. */
static enum rc apply_half(const struct order *o, const struct event *ev,
			  int64_t now, struct changes *ret, struct err *e)
{
	enum rc rc = event_apply(o, ev, now, ret, e);

	if (!rc && o->number > 100)
		changes_task(ret, "", 0, now);
	return rc;
}

static void an_event_that_fails_half_way_leaves_nothing_half_done(void **state)
{
	struct store *s = open_applying(*state, apply_half, true);
	struct event evs[4] = {create_of(101, 1), create_of(19, 2),
			       create_of(102, 3), create_of(20, 4)};
	struct recorded got;

	assert_ok(record(s, evs, 4, &got));
	assert_int_equal(got.fresh, 4);
	assert_int_equal(got.applied, 2);
	assert_int_equal(got.dead, 2);
	assert_string_equal(state_of(s, 101, 3), "");
	assert_string_equal(state_of(s, 102, 3), "");
	assert_false(journal_has(s, 101, FACT_OFFERED));
	assert_true(journal_has(s, 101, FACT_GIVEN_UP));
	assert_string_equal(state_of(s, 19, 3), "pending");
	assert_string_equal(state_of(s, 20, 3), "pending");
	release(evs, 4);
	store_close(s);
}

/* ---- an order that cannot be read ---- */

static void break_order(const char *dir, int64_t number)
{
	struct store *s = open_applying(dir, NULL, false);
	struct key k;
	struct txn t;

	key_i64(key_str(key_start(&k), "se"), number);
	assert_ok(txn_write(&t, s, &err));
	assert_ok(txn_put(&t, T_ORDERS, &k, "???", 3, &err));
	assert_ok(txn_commit(&t, &err));
	store_close(s);
}

static void an_event_of_an_order_that_cannot_be_read_is_kept(void **state)
{
	struct event evs[3] = {create_of(19, 1), create_of(20, 2),
			       ev_of(20, "cancel", 3, NULL)};
	struct recorded got;
	struct store *s;

	break_order(*state, 20);
	s = open_real(*state);
	assert_ok(record(s, evs, 3, &got));
	assert_int_equal(got.fresh, 3);
	assert_int_equal(got.applied, 1);
	assert_int_equal(got.dead, 2);
	assert_string_equal(state_of(s, 19, 3), "pending");
	assert_int_equal(event_tasks(s, true), 2);
	release(evs, 3);
	store_close(s);
}

/* Else the task would run again each second, for ever. */
static void a_run_of_an_order_that_cannot_be_read_ends_as_dead(void **state)
{
	const struct result done = {.how = OUTCOME_DONE};
	struct store *s;
	struct task t;

	break_order(*state, 20);
	s = open_real(*state);
	add_task(s, 20, TASK_CHECK_FIRST);
	assert_ok(lease(s, &t));
	assert_ok(store_finish(s, &t, &done, NOW, &err));
	assert_int_equal(stats_of(s).tasks_waiting, 0);
	assert_int_equal(event_tasks(s, true), 1);
	assert_true(journal_has(s, 20, FACT_GIVEN_UP));
	task_release(&t);
	store_close(s);
}

#define ADDRESS "{\"city\":\"Lund\"}"

static void keep_address(struct store *s, int64_t number)
{
	struct changes c = {0};

	changes_add(&c, CHANGE_ADDRESS, 0)->address = xstrdup(ADDRESS);
	change_order(s, number, NOW, &c);
}

static bool has_address(struct store *s, int64_t number)
{
	char *details, *address;
	bool ret;

	assert_ok(store_details(s, "se", number, &details, &address, &err));
	ret = address && !strcmp(address, ADDRESS);
	free(details);
	free(address);
	return ret;
}

static void its_address_keeps_no_other_from_being_removed(void **state)
{
	struct store *s = open_real(*state);
	size_t n;

	for (int64_t i = 19; i <= 21; i++)
		keep_address(s, i);
	store_close(s);
	break_order(*state, 20);
	s = open_real(*state);
	assert_int_equal(forget_addresses(s, NOW + 1, NOW + 2, &n),
			 RC_INVALID); /* so that somebody hears of it */
	assert_int_equal(n, 2);
	assert_false(has_address(s, 19));
	assert_true(has_address(s, 20));
	assert_false(has_address(s, 21));
	store_close(s);
}

/* ---- many at once ---- */

struct gate {
	sem_t entered, open;
};

/* A store_update_fn: holds the writer up. */
static enum rc hold(void *arg, const struct order *o, struct changes *ret,
		    struct err *e)
{
	struct gate *g = arg;

	(void)o;
	(void)ret;
	(void)e;
	sem_post(&g->entered);
	while (sem_wait(&g->open))
		;
	return OK;
}

struct pending {
	struct store_done done;
	struct delivery d;
	struct recorded got;
	enum rc rc;
	sem_t told;
};

static void on_done(struct store_done *done, enum rc rc, const struct err *e)
{
	struct pending *p = done->arg;

	(void)e;
	p->rc = rc;
	sem_post(&p->told);
}

static void hand_in(struct store *s, struct pending *p, struct event *evs,
		    size_t n)
{
	*p = (struct pending){
		.done = {.fn = on_done, .arg = p},
		.d = {.instance = "se", .received = NOW, .events = evs,
		      .n_events = n},
	};
	sem_init(&p->told, 0, 0);
	assert_ok(store_record(s, &p->d, &p->got, &p->done, &err));
}

static void wait_for(struct pending *p)
{
	while (sem_wait(&p->told))
		;
	sem_destroy(&p->told);
	assert_int_equal(p->rc, OK);
}

static void two_deliveries_of_one_order_share_a_commit(void **state)
{
	struct store *s = open_applying(*state, apply_half, true);
	struct store_done held = {.fn = on_done};
	struct event evs[4] = {create_of(19, 1), create_of(101, 1),
			       ev_of(19, "accepted", 2, "{\"warehouseId\":4}"),
			       create_of(19, 1)};
	struct pending p[4], first = {.rc = RC_IO};
	struct gate g;
	uint64_t commits;

	sem_init(&g.entered, 0, 0);
	sem_init(&g.open, 0, 0);
	sem_init(&first.told, 0, 0);
	held.arg = &first;
	assert_ok(store_update(s, "se", 1, hold, &g, NOW, NULL, &held, &err));
	while (sem_wait(&g.entered))
		;
	commits = stats_of(s).commits;
	for (int i = 0; i < 4; i++)
		hand_in(s, &p[i], &evs[i], 1);
	sem_post(&g.open);
	wait_for(&first);
	for (int i = 0; i < 4; i++)
		wait_for(&p[i]);
	/* One that failed half way was undone with those behind it. */
	assert_true(stats_of(s).commits - commits <= 2);
	assert_int_equal(p[0].got.applied, 1);
	assert_int_equal(p[1].got.dead, 1);
	assert_int_equal(p[2].got.applied, 1);
	assert_int_equal(p[3].got.duplicates, 1);
	assert_string_equal(state_of(s, 19, 4), "accepted");
	assert_string_equal(state_of(s, 19, 3), "taken");
	release(evs, 4);
	store_close(s);
}

/* ---- taking turns ---- */

static void an_event_waits_for_the_run_that_holds_its_order(void **state)
{
	struct store *s = open_real(*state);
	struct event evs[3] = {create_of(19, 1), create_of(20, 1),
			       ev_of(19, "cancel", 2, NULL)};
	const struct result done = {.how = OUTCOME_DONE};
	struct recorded got;
	struct task t, later;

	add_task(s, 19, "answer_offer");
	assert_ok(lease(s, &t));
	assert_ok(record(s, evs, 3, &got));
	assert_int_equal(got.applied, 1);
	assert_int_equal(got.dead, 0);
	assert_int_equal(evs[0].end, EVENT_QUEUED);
	assert_int_equal(evs[2].end, EVENT_QUEUED);
	assert_string_equal(state_of(s, 19, 3), "");
	assert_string_equal(state_of(s, 20, 3), "pending");
	assert_ok(store_finish(s, &t, &done, NOW, &err));
	task_release(&t);
	assert_ok(lease(s, &later)); /* in the order of their arrival */
	assert_string_equal(later.kind, TASK_CHECK_FIRST);
	task_release(&later);
	release(evs, 3);
	store_close(s);
}

/* As in a store of a version before, or after a run held the order. */
static void an_event_waits_for_an_older_one_of_its_order(void **state)
{
	struct store *s = open_applying(*state, event_apply, false);
	struct event first = create_of(19, 1);
	struct event evs[2] = {ev_of(19, "cancel", 2, NULL), create_of(20, 1)};
	struct recorded got;
	struct task t;

	assert_ok(record(s, &first, 1, &got));
	assert_int_equal(got.applied, 0); /* such a store has no workers */
	assert_int_equal(first.end, EVENT_QUEUED);
	store_close(s);
	s = open_real(*state);
	assert_ok(record(s, evs, 2, &got));
	assert_int_equal(evs[0].end, EVENT_QUEUED);
	assert_int_equal(evs[1].end, EVENT_APPLIED);
	assert_ok(lease(s, &t));
	assert_int_equal(t.sub, 1);
	task_release(&t);
	release(&first, 1);
	release(evs, 2);
	store_close(s);
}

static struct gate turn;

static enum rc apply_slowly(const struct order *o, const struct event *ev,
			    int64_t now, struct changes *ret, struct err *e)
{
	sem_post(&turn.entered);
	while (sem_wait(&turn.open))
		;
	return event_apply(o, ev, now, ret, e);
}

static void no_run_begins_while_an_event_is_applied(void **state)
{
	struct store *s = open_applying(*state, apply_slowly, true);
	struct event ev = create_of(19, 1);
	struct pending p;
	struct task t;

	sem_init(&turn.entered, 0, 0);
	sem_init(&turn.open, 0, 0);
	add_task(s, 19, "answer_offer");
	hand_in(s, &p, &ev, 1);
	while (sem_wait(&turn.entered))
		;
	assert_int_equal(lease(s, &t), RC_NOTFOUND);
	sem_post(&turn.open);
	wait_for(&p);
	while (lease(s, &t)) /* its turn ends a moment after the commit */
		;
	assert_string_equal(state_of(s, 19, 3), "pending");
	task_release(&t);
	release(&ev, 1);
	store_close(s);
}

/* ---- bounds ---- */

#define MANY 10

/* A create's data: 1,000 warehouses. */
static char *many_offers(void)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_str(&b, "{\"warehouses\":[");
	for (int w = 1; w <= 1000; w++)
		buf_fmt(&b, "%s{" UNTIL ",\"warehouseId\":%d}",
			w > 1 ? "," : "", w);
	buf_str(&b, "]}");
	return buf_detach(&b, NULL);
}

static void one_commit_applies_no_more_than_it_has_time_for(void **state)
{
	struct store *s = open_real(*state);
	char *data = many_offers();
	struct event evs[100];
	struct recorded got;
	int64_t began;

	for (int i = 0; i < 100; i++)
		evs[i] = ev_of(19 + i, "create", 1, data);
	began = time_mono();
	assert_ok(record(s, evs, 100, &got));
	print_message("%u of 100 creates to 1,000 warehouses each in %lld ms\n",
		      got.applied, (long long)(time_mono() - began));
	assert_int_equal(got.fresh, 100);
	assert_in_range(got.applied, 1, 10);
	assert_int_equal(event_tasks(s, false), 100 - got.applied);
	release(evs, 100);
	free(data);
	store_close(s);
}

static void a_group_that_is_long_becomes_several_commits(void **state)
{
	struct store *s = open_real(*state);
	struct store_done held = {.fn = on_done};
	struct pending p[MANY], first = {.rc = RC_IO};
	struct event evs[MANY];
	struct gate g;
	uint64_t commits;
	char *data = many_offers();

	sem_init(&g.entered, 0, 0);
	sem_init(&g.open, 0, 0);
	sem_init(&first.told, 0, 0);
	held.arg = &first;
	assert_ok(store_update(s, "se", 1, hold, &g, NOW, NULL, &held, &err));
	while (sem_wait(&g.entered))
		;
	commits = stats_of(s).commits;
	for (int i = 0; i < MANY; i++) {
		evs[i] = ev_of(19 + i, "create", 1, data);
		hand_in(s, &p[i], &evs[i], 1);
	}
	sem_post(&g.open);
	wait_for(&first);
	for (int i = 0; i < MANY; i++) {
		wait_for(&p[i]);
		assert_int_equal(p[i].got.applied, 1);
	}
	assert_in_range(stats_of(s).commits - commits, 2, MANY);
	release(evs, MANY);
	free(data);
	store_close(s);
}

static void without_room_nothing_is_stored_nor_applied(void **state)
{
	const struct store_options o = {
		.url = url_of(*state),
		.max_bytes = 4 << 20,
		.serve = true,
		.apply = event_apply,
		.event_kinds = event_kinds,
		.derive = derive,
	};
	struct store *s = open_with(&o);
	char *data = NULL;
	struct event ev;
	enum rc rc = OK;
	int64_t id = 0;

	data = xasprintf("{\"filler\":\"%0*d\",\"warehouses\":[{"
			 "\"warehouseId\":3}]}",
			 20000, 0);
	while (!rc) {
		ev = ev_of(++id, "create", 1, data);
		rc = record(s, &ev, 1, NULL);
		release(&ev, 1);
	}
	assert_int_equal(rc, RC_FULL);
	assert_string_equal(state_of(s, id - 1, 3), "pending");
	assert_string_equal(state_of(s, id, 3), "");
	assert_int_equal(stats_of(s).events, (uint64_t)id - 1);
	free(data);
	store_close(s);
}

/* ---- the same by either way ---- */

static uint32_t random_state;

static unsigned any(unsigned below)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % below;
}

static struct event any_event(void)
{
	static const char *const actions[] = {"create",	  "accepted", "rejected",
					      "timeout",  "paused",   "update",
					      "insert",	  "cancel",   "accepted",
					      "timeout",  "create"};
	const char *action = actions[any(11)];
	char data[200] = "";

	if (!strcmp(action, "create"))
		snprintf(data, sizeof(data),
			 "{\"warehouses\":[{" UNTIL ",\"warehouseId\":%u}]}",
			 3 + any(3));
	else if (any(12))
		snprintf(data, sizeof(data), "{\"warehouseId\":%u}",
			 3 + any(3));
	return ev_of(19 + any(3), action, (int)any(6), data);
}

/* Runs all event tasks that are due, as the workers do. */
static void run_tasks(struct store *s)
{
	struct task t;

	while (!lease(s, &t)) {
		struct order o = order_of(s, t.number);
		struct event ev = {0};
		struct work w = {.task = &t, .event = &ev, .order = &o,
				 .now = NOW};

		if (strcmp(t.kind, TASK_FETCH_ORDER) != 0) {
			assert_ok(store_event(s, (uint64_t)t.sub, &ev, &err));
			handle_event(&w, 1);
		}
		assert_ok(store_finish(s, &t, &w.result, NOW, &err));
		result_release(&w.result);
		event_release(&ev);
		order_release(&o);
		task_release(&t);
	}
}

static bool add_line(void *arg, const struct entry *e)
{
	buf_fmt(arg, "%lld %s ", (long long)e->warehouse, fact_name(e->fact));
	entry_words(arg, e, OFFICE, NULL);
	buf_char(arg, '\n');
	return true;
}

/* All that is known of an order, but when it changed. */
static char *life_of(struct store *s, int64_t number)
{
	struct order o = order_of(s, number);
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_fmt(&b, "version %llu cancelled %d told %lld fetch %d\n",
		(unsigned long long)o.version, o.cancelled,
		(long long)o.told_at, o.fetch_due);
	for (size_t i = 0; i < o.n_offers; i++)
		buf_fmt(&b, "%lld %s %zu\n", (long long)o.offers[i].warehouse,
			offer_state_name(o.offers[i].state),
			o.offers[i].n_openings);
	assert_ok(store_journal(s, "se", number, add_line, &b, &err));
	order_release(&o);
	return buf_detach(&b, NULL);
}

static void applied_at_once_or_by_tasks_an_order_is_the_same(void **state)
{
	char *dirs[2] = {xasprintf("%s/a", (char *)*state),
			 xasprintf("%s/b", (char *)*state)};

	for (random_state = 1; random_state <= 20; random_state++) {
		uint32_t seed = random_state;
		char *lives[2][3];

		for (int by_task = 0; by_task < 2; by_task++) {
			struct store_options o = {
				.url = url_of(dirs[by_task]),
				.max_bytes = 16 << 20,
				.serve = true,
				.apply = by_task ? NULL : event_apply,
				.event_kinds = event_kinds,
				.derive = derive,
			};
			struct store *s = open_with(&o);

			random_state = seed;
			for (int i = 0; i < 12; i++) {
				struct event evs[4];
				size_t n = 1 + any(4);

				for (size_t k = 0; k < n; k++)
					evs[k] = any_event();
				assert_ok(record(s, evs, n, NULL));
				release(evs, n);
				if (by_task)
					run_tasks(s);
			}
			for (int k = 0; k < 3; k++)
				lives[by_task][k] = life_of(s, 19 + k);
			store_close(s);
			char *rm = xasprintf("rm -r %s", dirs[by_task]);
			assert_int_equal(system(rm), 0);
			free(rm);
		}
		for (int k = 0; k < 3; k++) {
			assert_string_equal(lives[0][k], lives[1][k]);
			free(lives[0][k]);
			free(lives[1][k]);
		}
		random_state = seed;
	}
	free(dirs[0]);
	free(dirs[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(an_event_is_applied_by_the_commit_that_records_it),
		IN_DIR(a_create_and_an_accept_in_one_delivery_join),
		IN_DIR(a_repeat_is_not_applied),
		IN_DIR(a_hundred_events_of_one_order_are_one_commit),
		IN_DIR(it_is_there_after_a_restart),
		IN_DIR(what_follows_an_event_is_queued_with_it),
		IN_DIR(a_bad_event_beside_good_ones_is_kept_with_a_dead_task),
		IN_DIR(an_event_that_fails_half_way_leaves_nothing_half_done),
		IN_DIR(an_event_of_an_order_that_cannot_be_read_is_kept),
		IN_DIR(a_run_of_an_order_that_cannot_be_read_ends_as_dead),
		IN_DIR(its_address_keeps_no_other_from_being_removed),
		IN_DIR(two_deliveries_of_one_order_share_a_commit),
		IN_DIR(an_event_waits_for_the_run_that_holds_its_order),
		IN_DIR(an_event_waits_for_an_older_one_of_its_order),
		IN_DIR(no_run_begins_while_an_event_is_applied),
		IN_DIR(one_commit_applies_no_more_than_it_has_time_for),
		IN_DIR(a_group_that_is_long_becomes_several_commits),
		IN_DIR(without_room_nothing_is_stored_nor_applied),
		IN_DIR(applied_at_once_or_by_tasks_an_order_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
