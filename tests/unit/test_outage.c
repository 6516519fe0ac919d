/* SPDX-License-Identifier: MIT
 *
 * test_outage.c - Centra away for a day, in a second: a real store, the real
 * handlers and the real limits, with the test in the place of Centra, of the
 * worker and of the clock.
 *
 * Shops pressed accept and Centra cannot be told.  Their decisions wait.  Within
 * a minute of Centra's return every shop that wins an order knows it, without
 * more calls than the budget allows.  The offers that ended meanwhile end within
 * twenty minutes, and no shop is ever told that one of them is its own.
 */
#include "tests/unit/store_fixture.h"

#include "centra/limits.h"
#include "handlers/answer.h"
#include "handlers/backoff.h"
#include "handlers/offer.h"
#include "tests/unit/stub_centra.h"

#define SECOND	 INT64_C(1000)
#define MINUTE	 (60 * SECOND)
#define HOUR	 (60 * MINUTE)
#define BEGINS	 INT64_C(1700000000000)
#define LEAVES	 (BEGINS + HOUR)
#define RETURNS	 (LEAVES + 24 * HOUR)
#define LAST_ACT (LEAVES + 2 * SECOND) /* until then only replies are lost */

#define OURS	 3
#define THEIRS	 4
#define DIRECT	 1
#define FIRST	 100
#define ORDERS	 30
#define BUDGET	 30 /* GraphQL calls in 10 s */
#define CALLS_MAX 20000

/* An order as Centra has it.  Which kind it is says what becomes of it while
 * Centra is away. */
enum kind {
	STAYS,	 /* open when Centra is back */
	EXPIRES, /* two hours after Centra has gone */
	TAKEN,	 /* another shop gets it */
	KINDS,
};

static struct {
	int64_t winner, expires;
	bool acted; /* our accept was heard */
} orders[ORDERS];

static int64_t now;
static struct limits *limits;
static struct permit permit; /* of the next call to the Order API */
static int64_t asked[CALLS_MAX]; /* when each GraphQL call was made */
static int n_asked, n_told; /* calls made */
static struct store *store;

static enum kind kind_of(int i)
{
	return (enum kind)(i % KINDS);
}

/* ---- Centra ---- */

static bool away(void)
{
	return now >= LEAVES && now < RETURNS;
}

static void pass_time(int i)
{
	if (!orders[i].winner && now >= orders[i].expires)
		orders[i].winner = DIRECT;
	if (!orders[i].winner && kind_of(i) == TAKEN &&
	    now >= LEAVES + 3 * HOUR)
		orders[i].winner = THEIRS;
}

/* A call to who is not there: refused in some hours, unanswered in others. */
static void no_answer(struct call *ret)
{
	bool written = (now - LEAVES) / HOUR % 2 == 0;

	*ret = (struct call){.end = written ? CALL_UNKNOWN : CALL_NOT_DONE};
	snprintf(ret->why.text, sizeof(ret->why.text), "%s",
		 written ? "timed out" : "connection refused");
}

static bool take(enum centra_api api, struct call *ret)
{
	permit = (struct permit){.api = api, .lane = CENTRA_LIVE};
	return limits_take(limits, &permit, now, ret);
}

static void give_back(enum centra_api api)
{
	(void)api;
	limits_give_back(limits, &permit);
}

static void post(int64_t number, int64_t warehouse, bool accept,
		 struct check_first_reply *ret)
{
	int i = (int)(number - FIRST);

	assert_true(accept && warehouse == OURS);
	n_told++;
	pass_time(i);
	if (!away() || now < LAST_ACT) {
		ret->ok = !orders[i].winner;
		if (ret->ok) {
			orders[i].winner = OURS;
			orders[i].acted = true;
		}
	}
	if (away()) {
		ret->ok = false;
		no_answer(&ret->call);
	} else {
		ret->call = (struct call){.end = CALL_OK, .status = 200};
		if (!ret->ok)
			ret->msg = xstrdup("failed to allocate stock");
	}
	limits_told(limits, &permit, now, &ret->call);
}

static void show(int64_t number, bool with_address, struct centra_orders *ret)
{
	int i = (int)(number - FIRST);
	struct centra_order *co;
	bool waits;

	pass_time(i);
	waits = !orders[i].winner;
	co = stub_order(ret, number, waits ? "PENDING" : "CONFIRMED", waits,
			1);
	stub_allocate(&co->lines[0], waits ? DIRECT : orders[i].winner,
		      false);
	if (with_address)
		co->address = xstrdup("{\"city\":\"Malmo\"}");
}

static void look(const int64_t *numbers, size_t n, bool with_address,
		 struct centra_orders *ret)
{
	struct permit p = {.api = CENTRA_GRAPHQL, .lane = CENTRA_LIVE};

	if (!limits_take(limits, &p, now, &ret->call))
		return;
	assert_true(n_asked < CALLS_MAX);
	asked[n_asked++] = now;
	ret->call = (struct call){.end = CALL_OK, .status = 200};
	if (away())
		no_answer(&ret->call);
	for (size_t i = 0; i < n && !away(); i++)
		show(numbers[i], with_address, ret);
	limits_told(limits, &p, now, &ret->call);
}

/* ---- the worker ---- */

struct begun {
	const struct changes *said;
	begin_fn *fn;
	void *arg;
};

static enum rc say_begun(void *arg, const struct order *o,
			 struct changes *ret, struct err *e)
{
	const struct begun *b = arg;

	changes_add_copies(ret, b->said);
	return b->fn(b->arg, o, ret, e);
}

static enum rc begin(struct work *w, begin_fn *fn, void *arg, struct err *e)
{
	struct begun b = {&w->result.changes, fn, arg};
	struct order o = {0};
	enum rc rc = store_update(store, "se", w->task->number, say_begun, &b,
				  now, &o, NULL, e);

	if (rc) {
		order_release(&o);
		return rc;
	}
	changes_release(&w->result.changes);
	order_release(w->order);
	*w->order = o;
	return OK;
}

static void called(struct work *w, enum centra_api api, const char *what,
		   const struct call *call)
{
	(void)w;
	(void)api;
	(void)what;
	(void)call;
}

static void alarmed(struct work *w, enum centra_api api, const char *why)
{
	(void)w;
	(void)api;
	(void)why;
}

static handler_fn *handler_of(const char *kind)
{
	if (!strcmp(kind, TASK_ANSWER_OFFER))
		return handle_answer_offer;
	assert_string_equal(kind, TASK_FETCH_ORDER);
	return handle_fetch_order;
}

static void run(struct task *tasks, size_t n)
{
	struct work works[ORDERS] = {0};
	struct order held[ORDERS];

	for (size_t i = 0; i < n; i++) {
		assert_ok(store_order(store, "se", tasks[i].number, &held[i],
				      &err));
		works[i] = (struct work){.task = &tasks[i],
					 .order = &held[i],
					 .now = now,
					 .steady = now,
					 .boot = 1,
					 .centra = stub_conn,
					 .begin = begin,
					 .called = called,
					 .alarm = alarmed};
	}
	handler_of(tasks[0].kind)(works, n);
	for (size_t i = 0; i < n; i++) {
		struct result *r = &works[i].result;

		assert_true(r->how != OUTCOME_DEAD);
		if (r->how == OUTCOME_RETRY && r->due <= now)
			r->due = now +
				 backoff(tasks[i].attempts, 0,
						 (uint64_t)now * 7919);
		assert_ok(store_finish(store, &tasks[i], r, now, &err));
		result_release(r);
		order_release(&held[i]);
		task_release(&tasks[i]);
	}
}

/* Runs all that is due until `end`. */
static void work_until(int64_t end)
{
	struct task tasks[ORDERS];

	while (now < end) {
		int64_t next = TIME_NONE;
		size_t n = 0;
		enum rc rc = store_lease(store, now, handler_batch, tasks,
					 ORDERS, &n, &next, &err);

		if (!rc) {
			run(tasks, n);
			continue;
		}
		assert_int_equal(rc, RC_NOTFOUND);
		now = next == TIME_NONE || next > end ? end : next;
	}
}

static void derive(void *arg, struct order *o)
{
	(void)arg;
	offer_derive(NULL, o);
}

/* ---- the shop ---- */

static void offer_all(void)
{
	for (int i = 0; i < ORDERS; i++) {
		struct changes c = {0};

		orders[i].expires = kind_of(i) == EXPIRES ? LEAVES + 2 * HOUR
							  : RETURNS + HOUR;
		changes_add(&c, CHANGE_HEARD, 0);
		opening(&c, OURS, "2023-11-14 23:13:20.000000",
			orders[i].expires);
		opening(&c, THEIRS, "2023-11-14 23:13:20.000000",
			orders[i].expires);
		change_order(store, FIRST + i, now, &c);
	}
}

static void accept_all(void)
{
	static const int64_t ours = OURS;

	for (int i = 0; i < ORDERS; i++) {
		struct decision d = {.warehouses = &ours,
				     .n_warehouses = 1,
				     .verb = VERB_ACCEPT,
				     .device = 1,
				     .now = now};

		assert_ok(store_update(store, "se", FIRST + i, answer_decide,
				       &d, now, NULL, NULL, &err));
	}
}

static enum offer_state seen(int i)
{
	struct order o;
	enum offer_state s;

	assert_ok(store_order(store, "se", FIRST + i, &o, &err));
	s = order_offer(&o, OURS)->state;
	order_release(&o);
	return s;
}

static int count_seen(enum offer_state s)
{
	int n = 0;

	for (int i = 0; i < ORDERS; i++)
		n += seen(i) == s;
	return n;
}

/* ---- */

/* The most GraphQL calls of any 10 s. */
static int busiest(void)
{
	int most = 0;

	for (int i = 0, from = 0; i < n_asked; i++) {
		while (asked[i] - asked[from] >= LIMITS_WINDOW)
			from++;
		if (i - from + 1 > most)
			most = i - from + 1;
	}
	return most;
}

static void decisions_wait_for_a_day_and_land_in_a_minute(void **state)
{
	struct store_options o = {.url = url_of(*state),
				  .max_bytes = (size_t)64 << 20,
				  .derive = derive,
				  .fetch_kind = TASK_FETCH_ORDER};
	int won = 0;

	store = open_with(&o);
	limits = limits_new();
	limits_budget(limits, &(struct centra_budget){.requests = BUDGET});
	stub_centra = (struct stub_centra){.post = post,
					   .orders = look,
					   .take = take,
					   .give_back = give_back};
	now = BEGINS;
	offer_all();
	work_until(LEAVES + SECOND);
	assert_int_equal(count_seen(STATE_PENDING), ORDERS);
	accept_all();
	work_until(RETURNS);

	/* Nobody was told anything yet, and Centra was not called for nothing:
	 * by each API's breaker about once in 30 s. */
	assert_int_equal(count_seen(STATE_ACCEPTING), ORDERS);
	assert_true(n_told + n_asked < 2 * 24 * 3600 / 30 + 500);

	/* Whoever won knows within a minute, and nobody else is told so.  An
	 * accept that Centra may have heard is given up only after looks have
	 * shown for ten minutes that the order waits for nobody (offer.h). */
	work_until(RETURNS + MINUTE);
	for (int i = 0; i < ORDERS; i++) {
		bool ours = orders[i].winner == OURS;

		assert_true((seen(i) == STATE_ACCEPTED) == ours);
		assert_true(orders[i].acted == ours);
		won += ours;
	}
	work_until(RETURNS + 20 * MINUTE);
	for (int i = 0; i < ORDERS; i++) {
		enum offer_state s = seen(i);

		if (orders[i].winner == OURS)
			assert_int_equal(s, STATE_ACCEPTED);
		else
			assert_true(s == STATE_TIMED_OUT || s == STATE_TAKEN ||
				    s == STATE_REFUSED);
	}
	/* Some were heard as Centra left, the rest of what stayed open when it
	 * was back. */
	assert_true(won >= ORDERS / KINDS && won < ORDERS);
	assert_true(busiest() <= BUDGET);

	limits_free(limits);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(decisions_wait_for_a_day_and_land_in_a_minute),
	};

	/* A day has a hundred thousand commits: not on a real disk. */
	if (!access("/dev/shm", W_OK))
		setenv("TMPDIR", "/dev/shm", 1);
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
