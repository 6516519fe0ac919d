/* SPDX-License-Identifier: MIT
 *
 * test_retention.c - what is old enough goes, and nothing else: no work, no
 * number, no order that someone needs; and a store in steady state stops
 * growing.
 */
#include "tests/store/suite.h"

#define DAY INT64_C(86400000)

static struct store *open_deriving(const char *url)
{
	struct store_options o = {
		.url = url,
		.max_bytes = (size_t)256 << 20,
		.serve = true,
		.derive = derive_simply,
	};

	return open_with(&o);
}

/* A store_finished_fn for what derive_simply() derives. */
static bool is_done(void *arg, const struct order *o)
{
	(void)arg;
	for (size_t i = 0; i < o->n_offers; i++)
		if (o->offers[i].list != LIST_DONE)
			return false;
	return true;
}

static size_t removed(struct store *s, enum aged what, int64_t before,
		      int64_t now)
{
	struct removal r = {
		.what = what,
		.before = before,
		.now = now,
		.finished = is_done,
	};
	size_t n;

	assert_ok(remove_old(s, &r, &n));
	assert_whole(s);
	return n;
}

/* ---- events ---- */

/* An event of order `id` with a date of its own, received at a time. */
static struct recorded record_at(struct store *s, int64_t id, unsigned nth,
				 int64_t received, const char *task)
{
	struct event ev = event_of(id, "{}", task);
	struct delivery d = {
		.instance = "se",
		.received = received,
		.events = &ev,
		.n_events = 1,
	};
	struct recorded got;

	snprintf(ev.date, sizeof(ev.date), "2021-01-12 15:%02u:%02u.000000",
		 nth / 60, nth % 60);
	assert_ok(store_record(s, &d, &got, NULL, &err));
	event_release(&ev);
	return got;
}

struct seqs {
	size_t n;
	uint64_t list[16];
};

static bool take_seq(void *arg, const struct event *ev)
{
	struct seqs *l = arg;

	l->list[l->n++] = ev->seq;
	return l->n < 16;
}

static bool take_entry_seq(void *arg, const struct quarantined *q)
{
	struct seqs *l = arg;

	l->list[l->n++] = q->seq;
	return l->n < 16;
}

static struct seqs events_of(struct store *s)
{
	struct seqs l = {0};

	assert_ok(store_events(s, 0, take_seq, &l, &err));
	return l;
}

static void an_old_event_goes_and_a_younger_one_stays(void **state)
{
	struct store *s = open_deriving(*state);
	struct seqs left;

	for (unsigned i = 0; i < 4; i++)
		record_at(s, 1, i, 1000 * (i + 1), NULL);
	assert_int_equal(removed(s, AGED_EVENTS, 2500, 9000), 2);
	left = events_of(s);
	assert_int_equal(left.n, 2);
	assert_true(left.list[0] == 3 && left.list[1] == 4);
	store_close(s);
}

static void a_removed_event_that_comes_again_gets_a_number_of_its_own(
	void **state)
{
	struct store *s = open_deriving(*state);
	struct seqs left;

	record_at(s, 1, 1, 1000, NULL);
	record_at(s, 1, 2, 2000, NULL);
	assert_int_equal(removed(s, AGED_EVENTS, 1500, 9000), 1);
	assert_int_equal(record_at(s, 1, 2, 9000, NULL).duplicates, 1);
	assert_int_equal(record_at(s, 1, 1, 9000, NULL).fresh, 1);
	left = events_of(s);
	assert_int_equal(left.n, 2);
	assert_int_equal(left.list[1], 3);
	store_close(s);
}

static void the_newest_event_stays_since_its_time_is_a_clock(void **state)
{
	struct store *s = open_deriving(*state);
	int64_t newest;

	record_at(s, 1, 1, 1000, NULL);
	record_at(s, 1, 2, 2000, NULL);
	assert_int_equal(removed(s, AGED_EVENTS, INT64_MAX, INT64_MAX), 1);
	assert_ok(store_newest_time(s, &newest, &err));
	assert_int_equal(newest, 2000);
	store_close(s);
}

static unsigned one(const char *kind)
{
	(void)kind;
	return 1;
}

static uint64_t lease_one(struct store *s, struct task *ret)
{
	int64_t next;
	size_t n = 0;

	assert_ok(store_lease(s, 9000, one, ret, 1, &n, &next, &err));
	assert_int_equal(n, 1);
	return ret->id;
}

static void an_event_stays_while_a_task_of_its_order_waits_runs_or_is_dead(
	void **state)
{
	struct store *s = open_deriving(*state);
	struct result dead = {.how = OUTCOME_DEAD}, done = {.how = OUTCOME_DONE};
	struct task t;
	uint64_t id;

	record_at(s, 1, 1, 1000, "apply");
	record_at(s, 2, 2, 2000, NULL); /* the newest */
	assert_int_equal(removed(s, AGED_EVENTS, 9500, 9999), 0);
	id = lease_one(s, &t);
	assert_int_equal(removed(s, AGED_EVENTS, 9500, 9999), 0);
	assert_ok(store_finish(s, &t, &dead, 9000, &err));
	task_release(&t);
	assert_int_equal(removed(s, AGED_EVENTS, 9500, 9999), 0);
	assert_ok(store_redrive(s, id, 9000, &err));
	lease_one(s, &t);
	assert_ok(store_finish(s, &t, &done, 9000, &err));
	task_release(&t);
	assert_int_equal(removed(s, AGED_EVENTS, 9500, 9999), 1);
	store_close(s);
}

static void an_event_dated_by_a_clock_that_was_ahead_hides_no_other(
	void **state)
{
	struct store *s = open_deriving(*state);

	record_at(s, 1, 1, 1000 + 100 * DAY, NULL);
	record_at(s, 1, 2, 1000, NULL);
	record_at(s, 1, 3, 9000, NULL);
	assert_int_equal(removed(s, AGED_EVENTS, 5000, 9000), 1);
	assert_int_equal(events_of(s).list[0], 1);
	store_close(s);
}

static bool count_entry(void *arg, const struct entry *e)
{
	(void)e;
	++*(size_t *)arg;
	return true;
}

static size_t entries_of(struct store *s, int64_t number)
{
	size_t n = 0;

	assert_ok(store_journal(s, "se", number, count_entry, &n, &err));
	return n;
}

static bool is_known(struct store *s, int64_t number)
{
	struct order o = {0};
	enum rc rc = store_order(s, "se", number, &o, &err);

	order_release(&o);
	assert_true(!rc || rc == RC_NOTFOUND);
	return !rc;
}

/* What an event notes of an order that no shop is offered. */
static void note_placed(struct store *s, int64_t number, int64_t at,
			bool cancelled)
{
	struct changes c = {0};

	changes_journal(&c, &(struct entry){.at = at, .fact = FACT_PLACED});
	if (cancelled)
		changes_add(&c, CHANGE_CANCELLED, 0);
	change_order(s, number, at, &c);
}

static void of_an_order_that_was_never_offered_nothing_outlives_its_events(
	void **state)
{
	struct store *s = open_deriving(*state);

	record_at(s, 1, 1, 1000, NULL);
	note_placed(s, 1, 1000, false);
	record_at(s, 2, 2, 1000, NULL);
	record_at(s, 2, 3, 1500, NULL);
	note_placed(s, 2, 1500, true);
	record_at(s, 3, 4, 1500, NULL);
	note_placed(s, 3, 6000, true);
	record_at(s, 9, 5, 9000, NULL);
	assert_true(is_known(s, 2));
	removed(s, AGED_CHANGES, 5000, 9000);
	assert_int_equal(removed(s, AGED_EVENTS, 5000, 9000), 3);
	assert_int_equal(entries_of(s, 1), 0);
	assert_int_equal(entries_of(s, 2), 0);
	assert_false(is_known(s, 2));
	/* It changed since: it is as old as that, and goes with its event. */
	assert_true(is_known(s, 3));
	assert_int_equal(entries_of(s, 3), 1);
	removed(s, AGED_CHANGES, 7000, 9000);
	assert_int_equal(removed(s, AGED_EVENTS, 7000, 9000), 1);
	assert_false(is_known(s, 3));
	assert_int_equal(entries_of(s, 3), 0);
	store_close(s);
}

static void its_journal_goes_with_the_event_though_it_is_younger_or_long(
	void **state)
{
	struct store *s = open_deriving(*state);
	struct changes c = {0};

	record_at(s, 1, 1, 1000, NULL);
	note_placed(s, 1, 6000, false); /* its task had to wait */
	record_at(s, 2, 2, 1000, NULL);
	for (int i = 0; i < 500; i++)
		changes_journal(&c, &(struct entry){.at = 1000,
						    .fact = FACT_PLACED});
	change_order(s, 2, 1000, &c);
	record_at(s, 9, 3, 9000, NULL);
	for (int i = 0; i < 4; i++)
		removed(s, AGED_EVENTS, 7000 - (i < 2) * 2000, 9000);
	assert_int_equal(entries_of(s, 1), 0);
	assert_int_equal(entries_of(s, 2), 0);
	assert_int_equal(events_of(s).n, 1);
	store_close(s);
}

static void an_order_that_was_never_offered_stays_while_a_change_names_it(
	void **state)
{
	struct store *s = open_deriving(*state);

	record_at(s, 1, 1, 1000, NULL);
	note_placed(s, 1, 1000, true);
	record_at(s, 9, 2, 9000, NULL);
	assert_int_equal(removed(s, AGED_EVENTS, 5000, 9000), 0);
	assert_true(is_known(s, 1));
	removed(s, AGED_CHANGES, 5000, 9000);
	assert_int_equal(removed(s, AGED_EVENTS, 5000, 9000), 1);
	assert_false(is_known(s, 1));
	store_close(s);
}

/* ---- orders ---- */

static void open_offer(struct store *s, int64_t number, int64_t warehouse,
		       int64_t at)
{
	struct changes c = {0};

	opening(&c, warehouse, "2021-01-12 15:51:00.000000", 5000);
	change_order(s, number, at, &c);
}

static void accept_offer(struct store *s, int64_t number, int64_t warehouse,
			 int64_t at)
{
	struct changes c = {0};

	mark(&c, warehouse, MARK_ACCEPTED, "2021-01-12 15:52:00.000000");
	changes_add(&c, CHANGE_ADDRESS, 0)->address =
		xstrdup("{\"city\":\"Lund\"}");
	changes_add(&c, CHANGE_DETAILS, 0)->details =
		xstrdup("{\"city\":\"Lund\"}");
	change_order(s, number, at, &c);
}

static void ship_offer(struct store *s, int64_t number, int64_t warehouse,
		       int64_t at)
{
	struct changes c = {0};

	changes_add(&c, CHANGE_SHIP_ASKED, warehouse);
	changes_add(&c, CHANGE_SHIP_CAME, warehouse)->came.stage = SHIP_SHIPPED;
	change_order(s, number, at, &c);
}

static void finish_order(struct store *s, int64_t number, int64_t warehouse,
			 int64_t at)
{
	open_offer(s, number, warehouse, at);
	accept_offer(s, number, warehouse, at);
	ship_offer(s, number, warehouse, at);
}

/* Removes orders as the server does: what names them goes first. */
static size_t orders_removed(struct store *s, int64_t before, int64_t now)
{
	removed(s, AGED_CHANGES, before, now);
	return removed(s, AGED_ORDERS, before, now);
}

static bool count_row(void *arg, const struct listed *row)
{
	(void)row;
	++*(size_t *)arg;
	return true;
}

static size_t listed(struct store *s, int64_t warehouse, enum list list)
{
	size_t n = 0;

	assert_ok(store_list(s, "se", warehouse, list, NULL, count_row, &n,
			     &err));
	return n;
}

static size_t done_since(struct store *s, int64_t warehouse)
{
	size_t n = 0;

	assert_ok(store_done_since(s, "se", warehouse, 0, 0, count_row, &n,
				   &err));
	return n;
}

static void a_finished_order_goes_with_all_that_belongs_to_it(void **state)
{
	struct store *s = open_deriving(*state);
	char *details, *address;

	finish_order(s, 1, 3, 1000);
	finish_order(s, 2, 3, 8000);
	assert_int_equal(listed(s, 3, LIST_DONE), 2);
	assert_int_equal(orders_removed(s, 5000, 9000), 1);
	assert_false(is_known(s, 1));
	assert_true(is_known(s, 2));
	assert_int_equal(entries_of(s, 1), 0);
	assert_true(entries_of(s, 2) > 0);
	assert_int_equal(listed(s, 3, LIST_DONE), 1);
	assert_int_equal(done_since(s, 3), 1);
	assert_ok(store_details(s, "se", 1, &details, &address, &err));
	assert_null(details);
	assert_null(address);
	assert_int_equal(stats_of(s).orders, 1);
	store_close(s);
}

static void an_order_of_several_warehouses_goes_once(void **state)
{
	struct store *s = open_deriving(*state);

	for (int64_t w = 3; w <= 5; w++)
		finish_order(s, 1, w, 1000);
	finish_order(s, 2, 4, 1000);
	assert_int_equal(orders_removed(s, 5000, 9000), 2);
	for (int64_t w = 3; w <= 5; w++)
		assert_int_equal(listed(s, w, LIST_DONE) + done_since(s, w), 0);
	store_close(s);
}

static void an_order_with_something_left_to_do_stays(void **state)
{
	struct store *s = open_deriving(*state);
	struct task t = {.number = 4, .kind = "answer_offer", .due = 1000,
			 .again = TIME_NONE, .instance = "se"};

	open_offer(s, 1, 3, 1000);    /* a shop is asked */
	open_offer(s, 2, 3, 1000);    /* a shop is to ship it */
	accept_offer(s, 2, 3, 1000);
	finish_order(s, 3, 3, 1000);  /* and another shop is asked */
	open_offer(s, 3, 4, 1000);
	finish_order(s, 4, 3, 1000);  /* there is a task */
	assert_ok(store_task_add(s, &t, &err));
	finish_order(s, 5, 3, 1000);
	assert_int_equal(orders_removed(s, 5000, 9000), 1);
	for (int64_t i = 1; i <= 4; i++)
		assert_true(is_known(s, i));
	assert_ok(store_task_drop(s, &t, &err));
	assert_int_equal(orders_removed(s, 5000, 9000), 1);
	assert_false(is_known(s, 4));
	store_close(s);
}

static void an_order_stays_while_a_change_names_it(void **state)
{
	struct store *s = open_deriving(*state);

	finish_order(s, 1, 3, 1000);
	finish_order(s, 2, 3, 8000);
	assert_int_equal(removed(s, AGED_ORDERS, 5000, 9000), 0);
	assert_true(removed(s, AGED_CHANGES, 5000, 9000) > 0);
	assert_int_equal(removed(s, AGED_ORDERS, 5000, 9000), 1);
	store_close(s);
}

/* A replay of it would make half of the order anew. */
static void the_order_of_the_newest_event_stays(void **state)
{
	struct store *s = open_deriving(*state);

	finish_order(s, 1, 3, 1000);
	record_at(s, 1, 1, 1000, NULL);
	removed(s, AGED_EVENTS, 5000, 9000);
	assert_int_equal(orders_removed(s, 5000, 9000), 0);
	record_at(s, 2, 2, 9000, NULL);
	removed(s, AGED_EVENTS, 5000, 9000);
	assert_int_equal(orders_removed(s, 5000, 9000), 1);
	store_close(s);
}

static void many_orders_of_many_warehouses_go_in_small_transactions(
	void **state)
{
	struct store *s = open_deriving(*state);
	struct removal r = {
		.what = AGED_ORDERS,
		.before = 5000,
		.now = 9000,
		.finished = is_done,
	};
	size_t n = 0, runs = 0;

	for (int64_t i = 1; i <= 300; i++)
		finish_order(s, i, 3 + i % 7, i % 10 ? 1000 + i : 6000);
	removed(s, AGED_CHANGES, INT64_MAX, INT64_MAX);
	do {
		assert_ok(store_remove_some(s, &r, &err));
		assert_true(r.removed <= 32);
		n += r.removed;
		runs++;
	} while (r.more);
	assert_int_equal(n, 270);
	assert_true(runs >= 270 / 32);
	assert_whole(s);
	assert_int_equal(stats_of(s).orders, 30);
	store_close(s);
}

static void a_long_journal_goes_over_several_transactions(void **state)
{
	struct store *s = open_deriving(*state);
	struct changes c = {0};
	struct removal r = {.what = AGED_ORDERS, .before = 5000, .now = 9000,
			    .finished = is_done};

	finish_order(s, 1, 3, 1000);
	for (int i = 0; i < 500; i++)
		changes_journal(&c, &(struct entry){.at = 1000,
						    .fact = FACT_PAYMENT});
	change_order(s, 1, 1000, &c);
	removed(s, AGED_CHANGES, INT64_MAX, INT64_MAX);
	assert_ok(store_remove_some(s, &r, &err));
	assert_true(r.more && !r.removed);
	assert_true(is_known(s, 1));
	assert_whole(s);
	assert_int_equal(removed(s, AGED_ORDERS, 5000, 9000), 1);
	assert_int_equal(entries_of(s, 1), 0);
	store_close(s);
}

/* ---- journals ---- */

static void a_finished_orders_journal_goes_and_the_order_stays(void **state)
{
	struct store *s = open_deriving(*state);
	size_t open;

	finish_order(s, 1, 3, 1000);
	open_offer(s, 2, 3, 1000);
	finish_order(s, 3, 3, 7000);
	open = entries_of(s, 2);
	assert_true(removed(s, AGED_JOURNAL, 5000, 9000) > 0);
	assert_true(is_known(s, 1));
	assert_int_equal(entries_of(s, 1), 0);
	assert_int_equal(entries_of(s, 2), open);
	assert_true(entries_of(s, 3) > 0);
	assert_int_equal(removed(s, AGED_JOURNAL, 5000, 9000), 0);
	store_close(s);
}

/* ---- quarantine ---- */

static void old_entries_of_the_quarantine_go_whatever_their_kind(void **state)
{
	struct store *s = open_deriving(*state);
	struct recorded got;

	for (unsigned i = 0; i < 2 * QUARANTINE_KINDS; i++)
		assert_ok(quarantine_one(
			s, (enum quarantine_kind)(i % QUARANTINE_KINDS),
			i < QUARANTINE_KINDS ? i + 1 : 8000 + i, 10, &got));
	assert_int_equal(removed(s, AGED_QUARANTINE, 5000, 9999),
			 QUARANTINE_KINDS);
	assert_int_equal(stats_of(s).quarantined, QUARANTINE_KINDS);
	/* An equal one that comes again is kept again. */
	assert_ok(quarantine_one(s, QUARANTINED_STALE, 2, 10, &got));
	assert_int_equal(got.quarantined, 1);
	store_close(s);
}

/* ---- changes ---- */

struct changes_seen {
	size_t n;
	uint64_t first;
};

static bool take_change(void *arg, const struct changed *c)
{
	struct changes_seen *l = arg;

	if (!l->n++)
		l->first = c->change;
	return true;
}

static void old_changes_go_and_who_resumes_from_one_sees_the_gap(void **state)
{
	struct store *s = open_deriving(*state);
	struct changes_seen seen = {0};

	open_offer(s, 1, 3, 1000);
	open_offer(s, 2, 3, 2000);
	open_offer(s, 3, 3, 8000);
	assert_int_equal(removed(s, AGED_CHANGES, 5000, 9000), 2);
	assert_ok(store_changes(s, 1, take_change, &seen, &err));
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.first, 3); /* not 2: one is missing */
	assert_int_equal(store_newest_change(s), 3);
	assert_int_equal(removed(s, AGED_CHANGES, INT64_MAX, INT64_MAX), 1);
	open_offer(s, 4, 3, 9000);
	assert_int_equal(store_newest_change(s), 4);
	store_close(s);
}

static void a_change_dated_by_a_clock_that_was_ahead_goes_with_the_next(
	void **state)
{
	struct store *s = open_deriving(*state);

	open_offer(s, 1, 3, 1000 + 100 * DAY);
	open_offer(s, 2, 3, 1000);
	open_offer(s, 3, 3, 8000);
	assert_int_equal(removed(s, AGED_CHANGES, 5000, 9000), 2);
	store_close(s);
}

/* ---- what was received long ago ---- */

static void quarantined_and_retried(struct store *s, struct delivery *d)
{
	struct seqs l = {0};

	assert_ok(quarantine_one(s, QUARANTINED_STALE, 1, 10, NULL));
	assert_ok(store_quarantine(s, 0, take_entry_seq, &l, &err));
	assert_int_equal(l.n, 1);
	d->retried = l.list[0];
}

static enum rc record_late(struct store *s, int64_t id, int64_t received,
			   int64_t now)
{
	struct event ev = event_of(id, "{}", "apply");
	struct delivery d = {
		.instance = "se",
		.received = received,
		.now = now,
		.events = &ev,
		.n_events = 1,
	};
	enum rc rc = store_record(s, &d, NULL, NULL, &err);

	event_release(&ev);
	return rc;
}

static void a_late_delivery_brings_no_part_of_a_removed_order_back(
	void **state)
{
	struct store *s = open_deriving(*state);

	finish_order(s, 1, 3, 5 * DAY);
	finish_order(s, 2, 3, 90 * DAY);
	assert_int_equal(orders_removed(s, 50 * DAY, 100 * DAY), 1);
	assert_int_equal(record_late(s, 1, 4 * DAY, 100 * DAY), RC_CONFLICT);
	assert_int_equal(stats_of(s).events, 0);
	/* An order that is known, and what Centra says now, are recorded. */
	assert_ok(record_late(s, 2, 4 * DAY, 100 * DAY));
	/* Centra's clock may be ahead of ours. */
	assert_int_equal(record_late(s, 1, 6 * DAY, 100 * DAY), RC_CONFLICT);
	assert_ok(record_late(s, 7, 7 * DAY, 100 * DAY));
	assert_ok(record_late(s, 1, 100 * DAY, 100 * DAY));
	assert_int_equal(stats_of(s).events, 3);
	store_close(s);
}

/* An entry of the quarantine that is retried: it was sent at one time and
 * received at another. */
static enum rc retry_sent(struct store *s, int64_t id, int64_t sent,
			  int64_t received)
{
	struct event ev = event_of(id, "{}", "apply");
	struct delivery d = {
		.instance = "se",
		.received = received,
		.sent = sent,
		.events = &ev,
		.n_events = 1,
	};
	enum rc rc;

	quarantined_and_retried(s, &d);
	rc = store_record(s, &d, NULL, NULL, &err);
	if (rc)
		assert_ok(store_quarantine_drop(s, d.retried, &err));
	event_release(&ev);
	return rc;
}

static void what_counts_is_when_a_delivery_was_sent_not_when_it_came(
	void **state)
{
	struct store *s = open_deriving(*state);

	finish_order(s, 1, 3, 5 * DAY);
	assert_int_equal(orders_removed(s, 50 * DAY, 100 * DAY), 1);
	/* An old one that came again. */
	assert_int_equal(retry_sent(s, 1, 4 * DAY, 99 * DAY), RC_CONFLICT);
	/* One that came while our clock was far behind. */
	assert_ok(retry_sent(s, 7, 99 * DAY, 1 * DAY));
	store_close(s);
}

static void of_an_order_that_was_never_offered_no_late_delivery_makes_a_part(
	void **state)
{
	struct store *s = open_deriving(*state);

	record_at(s, 1, 1, 5 * DAY, NULL);
	note_placed(s, 1, 5 * DAY, true); /* it is cancelled */
	record_at(s, 9, 2, 99 * DAY, NULL);
	removed(s, AGED_CHANGES, 50 * DAY, 100 * DAY);
	removed(s, AGED_EVENTS, 50 * DAY, 100 * DAY);
	assert_false(is_known(s, 1));
	assert_int_equal(record_late(s, 1, 4 * DAY, 100 * DAY), RC_CONFLICT);
	store_close(s);
}

/* ---- steady state ---- */

/* A generation: orders that are offered, accepted and shipped, of which some
 * were never offered, with their events. */
static void live_a_day(struct store *s, int64_t day)
{
	int64_t at = day * DAY + 1000;

	for (int64_t i = 0; i < 40; i++) {
		int64_t number = day * 100 + i;

		record_at(s, number, (unsigned)i, at, NULL);
		if (i % 2)
			finish_order(s, number, 3 + i % 5, at);
		else
			note_placed(s, number, at, i % 4 == 0);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_ok(quarantine_one(s, QUARANTINED_STALE,
					 (unsigned)(day * 3 + i), 200, NULL));
}

static void remove_a_day(struct store *s, int64_t day)
{
	static const int64_t keep[AGED_KINDS] = {
		[AGED_CHANGES] = 1,  [AGED_EVENTS] = 3, [AGED_QUARANTINE] = 4,
		[AGED_ADDRESSES] = 2, [AGED_JOURNAL] = 3, [AGED_ORDERS] = 5,
	};
	int64_t now = day * DAY + 2000;

	for (int what = 0; what < AGED_KINDS; what++) {
		struct removal r = {
			.what = (enum aged)what,
			.before = now - keep[what] * DAY,
			.now = now,
			.finished = is_done,
		};
		size_t n;

		assert_ok(remove_old(s, &r, &n));
	}
}

static void a_store_in_steady_state_stops_growing(void **state)
{
	struct store *s = open_deriving(*state);
	uint64_t early = 0, used, most = 0;
	struct store_stats st;

	for (int64_t day = 1; day <= 60; day++) {
		live_a_day(s, day);
		remove_a_day(s, day);
		used = stats_of(s).used_bytes;
		if (day > 10 && day <= 20 && used > early)
			early = used;
		if (day > 20 && used > most)
			most = used;
	}
	assert_whole(s);
	if (most > early + early / 10)
		print_error("%llu bytes at first, %llu later\n",
			    (unsigned long long)early,
			    (unsigned long long)most);
	assert_true(most <= early + early / 10);
	st = stats_of(s);
	assert_in_range(st.orders, 1, 40 * 6);
	assert_in_range(st.events, 1, 40 * 4);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(an_old_event_goes_and_a_younger_one_stays),
		FRESH(a_removed_event_that_comes_again_gets_a_number_of_its_own),
		FRESH(the_newest_event_stays_since_its_time_is_a_clock),
		FRESH(an_event_stays_while_a_task_of_its_order_waits_runs_or_is_dead),
		FRESH(an_event_dated_by_a_clock_that_was_ahead_hides_no_other),
		FRESH(of_an_order_that_was_never_offered_nothing_outlives_its_events),
		FRESH(its_journal_goes_with_the_event_though_it_is_younger_or_long),
		FRESH(an_order_that_was_never_offered_stays_while_a_change_names_it),
		FRESH(a_finished_order_goes_with_all_that_belongs_to_it),
		FRESH(an_order_of_several_warehouses_goes_once),
		FRESH(an_order_with_something_left_to_do_stays),
		FRESH(an_order_stays_while_a_change_names_it),
		FRESH(the_order_of_the_newest_event_stays),
		FRESH(many_orders_of_many_warehouses_go_in_small_transactions),
		FRESH(a_long_journal_goes_over_several_transactions),
		FRESH(a_finished_orders_journal_goes_and_the_order_stays),
		FRESH(old_entries_of_the_quarantine_go_whatever_their_kind),
		FRESH(old_changes_go_and_who_resumes_from_one_sees_the_gap),
		FRESH(a_change_dated_by_a_clock_that_was_ahead_goes_with_the_next),
		FRESH(a_late_delivery_brings_no_part_of_a_removed_order_back),
		FRESH(what_counts_is_when_a_delivery_was_sent_not_when_it_came),
		FRESH(of_an_order_that_was_never_offered_no_late_delivery_makes_a_part),
		FRESH(a_store_in_steady_state_stops_growing),
	};

	return RUN(tests);
}
