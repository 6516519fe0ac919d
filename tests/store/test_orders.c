/* SPDX-License-Identifier: MIT
 *
 * test_orders.c - orders as they are kept: what is derived, listed,
 * noted and told follows every change, and nothing is written without one.
 */
#include "tests/store/suite.h"

/* Of changes, so many are kept; 0: as many as usual. */
static struct store *open_keeping(const char *url, uint64_t changes)
{
	struct store_options o = {
		.url = url,
		.max_bytes = (size_t)256 << 20,
		.serve = true,
		.derive = derive_simply,
		.fetch_kind = "fetch_order",
		.changes_kept = changes,
	};

	return open_with(&o);
}

static struct store *open_deriving(const char *url)
{
	return open_keeping(url, 0);
}

struct rows {
	size_t n, max;
	struct listed list[16];
};

static bool take_row(void *arg, const struct listed *row)
{
	struct rows *r = arg;

	r->list[r->n++] = *row;
	return r->n < r->max;
}

static struct rows list_of(struct store *s, int64_t warehouse, enum list list,
			   const struct listed *after, size_t max)
{
	struct rows r = {.max = max};

	assert_ok(store_list(s, "se", warehouse, list, after, take_row, &r,
			     &err));
	return r;
}

static void open_offer(struct store *s, int64_t number, int64_t warehouse,
		       int64_t expires)
{
	struct changes c = {0};

	opening(&c, warehouse, "2021-01-12 15:51:00.000000", expires);
	change_order(s, number, 1000, &c);
}

/* ---- facts ---- */

static void an_order_is_remembered_with_what_is_derived(void **state)
{
	struct store *s = open_deriving(*state);
	struct changes c = {0};
	struct order o;

	assert_int_equal(store_order(s, "se", 19, &o, &err), RC_NOTFOUND);
	open_offer(s, 19, 3, 5000);
	assert_ok(store_order(s, "se", 19, &o, &err));
	assert_true(o.first_seen == 1000 && o.updated == 1000);
	assert_int_equal(o.offers[0].state, STATE_PENDING);
	assert_int_equal(o.offers[0].expires, 5000);
	order_release(&o);

	mark(&c, 3, MARK_ACCEPTED, "2021-01-12 15:52:00.000000");
	assert_ok(store_update(s, "se", 19, say, &c, 2000, &o, NULL, &err));
	assert_true(o.first_seen == 1000 && o.updated == 2000);
	assert_int_equal(o.offers[0].state, STATE_ACCEPTED);
	order_release(&o);
	changes_release(&c);
	assert_int_equal(stats_of(s).orders, 1);
	assert_int_equal(store_order(s, "no", 19, &o, &err), RC_NOTFOUND);
	store_close(s);
}

static void an_order_never_offered_is_remembered_too(void **state)
{
	struct store *s = open_deriving(*state);
	struct changes c = {0};
	struct order o;

	changes_add(&c, CHANGE_HEARD, 0);
	changes_add(&c, CHANGE_CANCELLED, 0);
	change_order(s, 19, 1000, &c);
	assert_ok(store_order(s, "se", 19, &o, &err));
	assert_true(o.cancelled && o.version == 1 && !o.n_offers);
	order_release(&o);
	store_close(s);
}

static enum rc lose(void *arg, const struct order *o, struct changes *ret,
		    struct err *e)
{
	int *first_seen = arg;

	*first_seen = (int)o->first_seen;
	changes_add(ret, CHANGE_HEARD, 0);
	return fail(e, RC_CONFLICT, "answered");
}

static void a_refused_update_changes_nothing_and_says_why(void **state)
{
	struct store *s = open_deriving(*state);
	int first_seen = -1;
	struct order o;

	assert_int_equal(store_update(s, "se", 19, lose, &first_seen, 1, &o,
				      NULL, &err),
			 RC_CONFLICT);
	assert_string_equal(err.text, "answered");
	assert_int_equal(first_seen, 0);
	order_release(&o);
	assert_int_equal(stats_of(s).commits, 0);
	assert_int_equal(stats_of(s).orders, 0);
	store_close(s);
}

static void what_changes_nothing_writes_nothing(void **state)
{
	struct store *s = open_deriving(*state);
	uint64_t commits, change;
	struct order o;

	open_offer(s, 19, 3, 5000);
	commits = stats_of(s).commits;
	change = store_newest_change(s);
	open_offer(s, 19, 3, 5000);
	assert_int_equal(stats_of(s).commits, commits);
	assert_int_equal(store_newest_change(s), change);
	assert_ok(store_order(s, "se", 19, &o, &err));
	assert_int_equal(o.updated, 1000);
	order_release(&o);
	store_close(s);
}

static void a_fetch_that_finds_nothing_new_is_kept_but_not_told(void **state)
{
	struct store *s = open_deriving(*state);
	struct changes c = {0};
	struct change *x;
	uint64_t change;
	struct order o;

	open_offer(s, 19, 3, 5000);
	x = changes_add(&c, CHANGE_FETCHED, 0);
	snprintf(x->fetched.status, STATUS_SIZE, "%s", "CONFIRMED");
	x->fetched.at = 1500;
	change_order(s, 19, 1500, &c);
	change = store_newest_change(s);
	assert_int_equal(change, 2);
	x = changes_add(&c, CHANGE_FETCHED, 0);
	snprintf(x->fetched.status, STATUS_SIZE, "%s", "CONFIRMED");
	x->fetched.at = 1600;
	change_order(s, 19, 1600, &c);
	assert_int_equal(store_newest_change(s), change);
	assert_ok(store_order(s, "se", 19, &o, &err));
	assert_true(o.fetched_at == 1600 && o.updated == 1500);
	order_release(&o);
	store_close(s);
}

/* ---- lists ---- */

static void lists_are_by_deadline_and_none_comes_last(void **state)
{
	struct store *s = open_deriving(*state);
	struct rows r;

	open_offer(s, 1, 3, TIME_NONE);
	open_offer(s, 2, 3, 9000);
	open_offer(s, 3, 3, 5000);
	open_offer(s, 4, 3, 9000);
	open_offer(s, 5, 4, 1);
	r = list_of(s, 3, LIST_OPEN, NULL, 16);
	assert_int_equal(r.n, 4);
	assert_true(r.list[0].number == 3 && r.list[1].number == 2 &&
		    r.list[2].number == 4 && r.list[3].number == 1);
	assert_true(r.list[3].expires == TIME_NONE);
	assert_int_equal(r.list[0].expires, 5000);

	r = list_of(s, 3, LIST_OPEN, NULL, 2);
	assert_int_equal(r.n, 2);
	r = list_of(s, 3, LIST_OPEN, &r.list[1], 1);
	assert_int_equal(r.list[0].number, 4);
	r = list_of(s, 3, LIST_OPEN, &r.list[0], 16);
	assert_true(r.n == 1 && r.list[0].number == 1);
	r = list_of(s, 3, LIST_OPEN, &r.list[0], 16);
	assert_int_equal(r.n, 0);
	store_close(s);
}

static void an_offer_moves_between_lists_and_is_in_one_only(void **state)
{
	struct store *s = open_deriving(*state);
	struct changes c = {0};

	open_offer(s, 1, 3, 5000);
	mark(&c, 3, MARK_ACCEPTED, "2021-01-12 15:52:00.000000");
	change_order(s, 1, 1000, &c);
	assert_int_equal(list_of(s, 3, LIST_OPEN, NULL, 16).n, 0);
	assert_int_equal(list_of(s, 3, LIST_MINE, NULL, 16).n, 1);
	opening(&c, 3, "2021-01-12 15:59:00.000000", 7000);
	change_order(s, 1, 1000, &c);
	assert_int_equal(list_of(s, 3, LIST_MINE, NULL, 16).n, 1);
	assert_int_equal(list_of(s, 3, LIST_MINE, NULL, 16).list[0].expires,
			 7000);
	store_close(s);
}

/* ---- details ---- */

static bool keep_retention(void *arg, const struct entry *e)
{
	*(bool *)arg |= e->fact == FACT_ADDRESS_REMOVED;
	return true;
}

static char *address_of(struct store *s, int64_t number)
{
	char *details, *address;

	assert_ok(store_details(s, "se", number, &details, &address, &err));
	free(details);
	return address;
}

static void addresses_of_orders_long_quiet_are_removed_once(void **state)
{
	struct store *s = open_deriving(*state);
	struct changes c = {0};
	bool told = false;
	char *address;
	size_t n;

	for (int64_t i = 1; i <= 450; i++) {
		changes_add(&c, CHANGE_ADDRESS, 0)->address =
			xstrdup("{\"city\":\"Lund\"}");
		change_order(s, i, i <= 440 ? 1000 : 2000, &c);
	}
	assert_ok(forget_addresses(s, 1001, 5000, &n));
	assert_int_equal(n, 440);
	address = address_of(s, 440);
	assert_string_equal(address, "{}");
	free(address);
	address = address_of(s, 441);
	assert_string_equal(address, "{\"city\":\"Lund\"}");
	free(address);
	assert_ok(store_journal(s, "se", 7, keep_retention, &told, &err));
	assert_true(told);
	assert_ok(forget_addresses(s, 1001, 5000, &n));
	assert_int_equal(n, 0);
	store_close(s);
}

/* An order whose shop has accepted it, with the address. */
static void accepted_with_address(struct store *s, int64_t number)
{
	struct changes c = {0};

	open_offer(s, number, 3, 5000);
	mark(&c, 3, MARK_ACCEPTED, "2021-01-12 15:52:00.000000");
	changes_add(&c, CHANGE_ADDRESS, 0)->address =
		xstrdup("{\"city\":\"Lund\"}");
	change_order(s, number, 1000, &c);
}

/* One that is before a shop again, after an accept that looks took back. */
static void open_with_address(struct store *s, int64_t number)
{
	struct changes c = {0};

	open_offer(s, number, 3, 5000);
	changes_add(&c, CHANGE_ADDRESS, 0)->address =
		xstrdup("{\"city\":\"Lund\"}");
	change_order(s, number, 1000, &c);
}

static void ship_it(struct store *s, int64_t number)
{
	struct changes c = {0};

	changes_add(&c, CHANGE_SHIP_ASKED, 3);
	changes_add(&c, CHANGE_SHIP_CAME, 3)->came.stage = SHIP_SHIPPED;
	change_order(s, number, 1000, &c);
}

static void the_address_of_an_order_still_to_ship_is_never_removed(
	void **state)
{
	struct store *s = open_deriving(*state);
	char *address;
	size_t n;

	accepted_with_address(s, 1);
	accepted_with_address(s, 2);
	open_with_address(s, 3);
	ship_it(s, 2);
	assert_ok(forget_addresses(s, INT64_MAX, INT64_MAX, &n));
	assert_int_equal(n, 1);
	address = address_of(s, 1);
	assert_string_equal(address, "{\"city\":\"Lund\"}");
	free(address);
	address = address_of(s, 3);
	assert_string_equal(address, "{\"city\":\"Lund\"}");
	free(address);
	address = address_of(s, 2);
	assert_string_equal(address, "{}");
	free(address);
	/* Once it is shipped it goes as others do. */
	ship_it(s, 1);
	assert_ok(forget_addresses(s, INT64_MAX, INT64_MAX, &n));
	assert_int_equal(n, 1);
	store_close(s);
}

static void details_are_kept_replaced_and_removed(void **state)
{
	struct store *s = open_deriving(*state);
	struct changes c = {0};
	char *details, *address;
	uint64_t change;
	struct order o;

	assert_ok(store_details(s, "se", 19, &details, &address, &err));
	assert_true(!details && !address);
	changes_add(&c, CHANGE_DETAILS, 0)->details = xstrdup("{\"a\":1}");
	changes_add(&c, CHANGE_ADDRESS, 0)->address = xstrdup("{\"b\":2}");
	change_order(s, 19, 1000, &c);
	assert_ok(store_order(s, "se", 19, &o, &err));
	assert_true(o.has_details && o.has_address);
	order_release(&o);
	assert_ok(store_details(s, "se", 19, &details, &address, &err));
	assert_string_equal(details, "{\"a\":1}");
	assert_string_equal(address, "{\"b\":2}");
	free(details);
	free(address);

	change = store_newest_change(s);
	changes_add(&c, CHANGE_DETAILS, 0)->details = xstrdup("{\"a\":1}");
	change_order(s, 19, 1001, &c);
	assert_int_equal(store_newest_change(s), change);
	changes_add(&c, CHANGE_DETAILS, 0)->details = xstrdup("{\"a\":2}");
	changes_add(&c, CHANGE_ADDRESS, 0);
	change_order(s, 19, 1002, &c);
	assert_true(store_newest_change(s) > change);
	assert_ok(store_details(s, "se", 19, &details, &address, &err));
	assert_string_equal(details, "{\"a\":2}");
	assert_null(address);
	free(details);
	assert_ok(store_order(s, "se", 19, &o, &err));
	assert_true(o.has_details && !o.has_address && o.updated == 1002);
	order_release(&o);
	store_close(s);
}

/* ---- the journal ---- */

struct journal {
	size_t n;
	struct entry entries[16];
	char from[16][16], to[16][16];
};

static bool take_entry(void *arg, const struct entry *e)
{
	struct journal *j = arg;

	j->entries[j->n] = *e;
	snprintf(j->from[j->n], sizeof(j->from[0]), "%s",
		 e->from ? e->from : "");
	snprintf(j->to[j->n], sizeof(j->to[0]), "%s", e->to ? e->to : "");
	return ++j->n < 16;
}

static struct journal journal_of(struct store *s, int64_t number)
{
	struct journal j = {0};

	assert_ok(store_journal(s, "se", number, take_entry, &j, &err));
	return j;
}

static void the_journal_tells_causes_and_then_states(void **state)
{
	struct store *s = open_deriving(*state);
	struct changes c = {0};
	struct journal j;

	opening(&c, 3, "2021-01-12 15:51:00.000000", 5000);
	changes_journal(&c, &(struct entry){.warehouse = 3,
					    .fact = FACT_OFFERED,
					    .until = 5000});
	change_order(s, 19, 1000, &c);
	changes_journal(&c, &(struct entry){.at = 1100,
					    .device = 7,
					    .fact = FACT_ANSWERED,
					    .result = "accept"});
	mark(&c, 3, MARK_ACCEPTED, "2021-01-12 15:52:00.000000");
	change_order(s, 19, 1200, &c);
	changes_journal(&c, &(struct entry){.fact = FACT_PLACED});
	change_order(s, 20, 1, &c);

	j = journal_of(s, 19);
	assert_int_equal(j.n, 4);
	assert_int_equal(j.entries[0].fact, FACT_OFFERED);
	assert_true(j.entries[0].at == 1000 && j.entries[0].warehouse == 3 &&
		    j.entries[0].until == 5000);
	assert_int_equal(j.entries[1].fact, FACT_STATE);
	assert_string_equal(j.from[1], "");
	assert_string_equal(j.to[1], "pending");
	assert_int_equal(j.entries[2].fact, FACT_ANSWERED);
	assert_true(j.entries[2].at == 1100 && j.entries[2].device == 7);
	assert_int_equal(j.entries[3].fact, FACT_STATE);
	assert_string_equal(j.from[3], "pending");
	assert_string_equal(j.to[3], "accepted");
	assert_true(j.entries[3].at == 1200 && j.entries[3].warehouse == 3);
	assert_true(j.entries[3].seq > j.entries[2].seq);
	assert_int_equal(journal_of(s, 20).n, 1);
	assert_int_equal(journal_of(s, 21).n, 0);
	store_close(s);
}

/* ---- changes ---- */

struct told {
	size_t n;
	struct changed list[64];
};

static bool take_change(void *arg, const struct changed *c)
{
	struct told *t = arg;

	t->list[t->n++] = *c;
	return t->n < 64;
}

static void changes_are_told_in_order_and_the_oldest_dropped(void **state)
{
	struct store *s = open_deriving(*state);
	struct told t = {0};

	for (int i = 1; i <= 10; i++)
		open_offer(s, i, 3, 5000);
	assert_int_equal(store_newest_change(s), 10);
	assert_ok(store_changes(s, 7, take_change, &t, &err));
	assert_int_equal(t.n, 3);
	assert_true(t.list[0].change == 8 && t.list[0].number == 8);
	assert_string_equal(t.list[2].instance, "se");

	store_close(s);
	s = open_keeping(*state, 6); /* the oldest go two at a time */
	for (int i = 11; i <= 12; i++)
		open_offer(s, i, 3, 5000);
	t.n = 0;
	assert_ok(store_changes(s, 0, take_change, &t, &err));
	assert_int_equal(t.n, 8);
	for (int i = 13; i <= 20; i++)
		open_offer(s, i, 3, 5000);
	t.n = 0;
	assert_ok(store_changes(s, 0, take_change, &t, &err));
	assert_true(t.n == 6 && t.list[0].change == 15 &&
		    t.list[5].change == 20);
	store_close(s);
}

static void note_newest(void *arg, uint64_t newest)
{
	*(_Atomic uint64_t *)arg = newest;
}

static void who_listens_is_called_after_a_commit(void **state)
{
	_Atomic uint64_t heard = 0;
	struct store_options o = {
		.url = *state,
		.max_bytes = 64 << 20,
		.serve = true,
		.derive = derive_simply,
		.changed = note_newest,
		.changed_arg = &heard,
	};
	struct store *s = open_with(&o);

	assert_ok(record_one(s, 1, "a", NULL, NULL));
	open_offer(s, 1, 3, 5000);
	open_offer(s, 2, 3, 5000);
	store_close(s); /* the writer has ended: so has its last call */
	assert_int_equal(heard, 2);
}

/* A store_follow_fn: notes the change, and adds a task for each. */
struct seen {
	unsigned n;
	int64_t before, after; /* when the order was last changed */
	enum offer_state was, is;
	bool texts;
};

static void follow(void *arg, const struct followed *f,
		   struct changes *ret)
{
	const struct offer *was = order_offer(f->before, 3),
			   *is = order_offer(f->after, 3);

	*(struct seen *)arg = (struct seen){
		.n = ((struct seen *)arg)->n + 1,
		.before = f->before->updated,
		.after = f->after->updated,
		.was = was ? was->state : STATES,
		.is = is ? is->state : STATES,
		.texts = f->texts,
	};
	changes_task(ret, "follow_up", 7, f->now + 5);
}

static struct store *open_followed(const char *url, struct seen *f)
{
	struct store_options o = {
		.url = url,
		.max_bytes = 64 << 20,
		.serve = true,
		.derive = derive_simply,
		.follow = follow,
		.follow_arg = f,
		.strict = true,
	};

	return open_with(&o);
}

static bool take_task(void *arg, const struct task *t)
{
	struct task *ret = arg;

	ret->attempts++; /* counts them */
	ret->sub = t->sub;
	ret->due = t->due;
	ret->number = t->number;
	return true;
}

static void what_follows_from_a_change_is_written_with_it(void **state)
{
	struct seen f = {0};
	struct store *s = open_followed(*state, &f);
	struct changes c = {0};
	struct task got = {0};

	open_offer(s, 19, 3, 5000);
	assert_int_equal(f.n, 1);
	assert_true(f.was == STATES && f.is == STATE_PENDING && !f.texts);
	mark(&c, 3, MARK_ACCEPTED, "2021-01-11 16:22:00.000000");
	change_order(s, 19, 1, &c);
	assert_int_equal(f.n, 2);
	assert_true(f.was == STATE_PENDING && f.is == STATE_ACCEPTED);
	assert_true(f.after > f.before);
	assert_ok(store_tasks(s, false, 0, take_task, &got, &err));
	assert_true(got.attempts == 1 && got.sub == 7 && got.number == 19);
	store_close(s);
}

static void nothing_follows_where_nothing_changed(void **state)
{
	struct seen f = {0};
	struct store *s = open_followed(*state, &f);
	struct changes c = {0};

	open_offer(s, 19, 3, 5000);
	open_offer(s, 19, 3, 5000);
	assert_int_equal(f.n, 1);
	changes_add(&c, CHANGE_DETAILS, 0)->details = xstrdup("{}");
	change_order(s, 19, 1, &c);
	assert_true(f.n == 2 && f.texts);
	store_close(s);
}

/* A store_follow_fn that would change the order itself. */
static void follow_wrongly(void *arg, const struct followed *f,
			   struct changes *ret)
{
	(void)arg;
	(void)f;
	changes_add(ret, CHANGE_CANCELLED, 0);
}

static void a_change_cannot_lead_to_another_of_the_same_order(void **state)
{
	struct store_options o = {
		.url = *state,
		.max_bytes = 64 << 20,
		.serve = true,
		.derive = derive_simply,
		.follow = follow_wrongly,
	};
	struct store *s = open_with(&o);
	struct changes c = {0};

	opening(&c, 3, "2021-01-11 16:21:00.000000", 5000);
	assert_int_equal(store_update(s, "se", 19, say, &c, 1, NULL, NULL,
				      &err),
			 RC_INVALID);
	changes_release(&c);
	store_close(s);
}

/* Of each of two warehouses: a look that shows nothing, or one that shows all. */
static void looked(struct store *s, int64_t number, int64_t now, bool blank)
{
	struct changes c = {0};

	for (int64_t w = 3; w < 5; w++) {
		mark(&c, w, MARK_ACCEPTED, "2021-01-11 16:22:00.000000");
		changes_add(&c, CHANGE_SIGHTING, w)->sighting.blank = blank;
	}
	change_order(s, number, now, &c);
}

static void orders_in_doubt_are_counted_once_each_and_after_a_restart(
	void **state)
{
	struct store *s = open_deriving(*state);

	for (int64_t n = 19; n < 22; n++) {
		looked(s, n, 1, false);
		assert_int_equal(stats_of(s).in_doubt, 0);
	}
	for (int i = 0; i < 2; i++) {
		looked(s, 19, 2 + i, true);
		looked(s, 20, 2 + i, true);
		assert_int_equal(stats_of(s).in_doubt, 2);
		store_close(s);
		s = open_deriving(*state);
	}
	looked(s, 20, 5, false);
	assert_int_equal(stats_of(s).in_doubt, 1);
	looked(s, 19, 5, false);
	looked(s, 19, 6, false);
	assert_int_equal(stats_of(s).in_doubt, 0);
	store_close(s);
}

/* ---- listing ---- */

static bool take_order(void *arg, const struct order *o)
{
	int64_t *sum = arg;

	assert_non_null(*o->instance ? o : NULL);
	sum[0]++;
	sum[1] += o->number;
	return true;
}

static void orders_are_listed_by_instance_and_number(void **state)
{
	struct store *s = open_deriving(*state);
	struct changes c = {0};
	int64_t sum[2] = {0};

	for (int i = 1; i <= 4; i++)
		open_offer(s, i, 3, 5000);
	changes_add(&c, CHANGE_HEARD, 0);
	assert_ok(store_update(s, "se2", 100, say, &c, 1, NULL, NULL, &err));
	changes_release(&c);
	assert_ok(store_orders(s, "se", 3, take_order, sum, &err));
	assert_true(sum[0] == 2 && sum[1] == 7);
	sum[0] = sum[1] = 0;
	assert_ok(store_orders(s, NULL, 2, take_order, sum, &err));
	assert_true(sum[0] == 4 && sum[1] == 109);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(an_order_is_remembered_with_what_is_derived),
		FRESH(an_order_never_offered_is_remembered_too),
		FRESH(what_follows_from_a_change_is_written_with_it),
		FRESH(nothing_follows_where_nothing_changed),
		FRESH(a_change_cannot_lead_to_another_of_the_same_order),
		FRESH(orders_in_doubt_are_counted_once_each_and_after_a_restart),
		FRESH(a_refused_update_changes_nothing_and_says_why),
		FRESH(what_changes_nothing_writes_nothing),
		FRESH(a_fetch_that_finds_nothing_new_is_kept_but_not_told),
		FRESH(lists_are_by_deadline_and_none_comes_last),
		FRESH(an_offer_moves_between_lists_and_is_in_one_only),
		FRESH(addresses_of_orders_long_quiet_are_removed_once),
		FRESH(the_address_of_an_order_still_to_ship_is_never_removed),
		FRESH(details_are_kept_replaced_and_removed),
		FRESH(the_journal_tells_causes_and_then_states),
		FRESH(changes_are_told_in_order_and_the_oldest_dropped),
		FRESH(who_listens_is_called_after_a_commit),
		FRESH(orders_are_listed_by_instance_and_number),
	};

	return RUN(tests);
}
