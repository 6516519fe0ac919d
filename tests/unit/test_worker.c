/* SPDX-License-Identifier: MIT
 *
 * test_worker.c - due tasks are run and their results made true.
 *
 * The store and the handlers are the real ones.  Centra is one that answers
 * every call with the same bytes.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/time.h"
#include "centra/centra.h"
#include "handlers/answer.h"
#include "handlers/handlers.h"
#include "server/app.h"
#include "server/worker/reconcile.h"
#include "server/worker/retention.h"
#include "server/worker/worker.h"
#include "store/lmdb/store_private.h"
#include "tests/unit/canned.h"
#include "tests/store/temp.h"

/* cmocka has a fail() too: it comes after ours. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#define PATIENCE_S 20
#define NUMBER	   19
#define WAREHOUSE  3

/* A Centra that always says the same. */
static struct canned *centra_start(const char *reply)
{
	static const struct canned_step none = {CANNED_END, NULL};
	struct canned *c = canned_start(&none);

	canned_always(c, reply);
	return c;
}

/* ---- the server's parts that matter here ---- */

struct parts {
	struct app app;
	struct config *first;
	char dir[TEMP_ROOM];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct workers *told; /* woken by changes, while not NULL */
};

static void on_changed(void *arg, uint64_t newest)
{
	struct parts *p = arg;

	(void)newest;
	pthread_mutex_lock(&p->lock);
	if (p->told)
		workers_wake(p->told);
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

/* `more`: lines of [centra se]. */
static void write_config(const struct parts *p, unsigned port, const char *key,
			 const char *more)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/shipfrom.ini", p->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
		"[server]\nstore = lmdb:%s/data\nworkers = 3\n"
		"[centra se]\nwebhook_secret = s\n"
		"order_api_url = http://127.0.0.1:%u/o\norder_api_key = %s\n"
		"call_timeout = 5s\n%s"
		"[shop a]\ncentra = se\nname = A\nwarehouses = 3\n",
		p->dir, port, key, more);
	assert_int_equal(fclose(f), 0);
}

static struct config *load(const struct parts *p)
{
	struct config *c = NULL;
	struct buf report;
	struct err e;
	char path[128];

	snprintf(path, sizeof(path), "%s/shipfrom.ini", p->dir);
	buf_init(&report, 10000);
	if (config_load(&c, path, &report, &e))
		fail_msg("%s: %s", e.text, report.data);
	buf_release(&report);
	return c;
}

static struct parts *parts_open_with(unsigned port, const char *more)
{
	struct parts *p = xcalloc(1, sizeof(*p));
	struct err e;

	log_set_level(LOG_ERROR + 1); /* the trouble here is meant */
	assert_non_null(temp_folder(p->dir, "worker"));
	write_config(p, port, "k", more);
	p->first = load(p);
	p->app.config = config_holder_open(config_hold(p->first));
	p->app.storage = (struct storage){p->first, p->app.config,
					  &p->app.counters};
	clock_init(&p->app.clock, TIME_NONE, time_now(), time_mono());
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	if (storage_serve(&p->app.store, &p->app.storage, on_changed, NULL, p,
			  &e))
		fail_msg("%s", e.text);
	return p;
}

static struct parts *parts_open(unsigned port)
{
	return parts_open_with(port, "");
}

static void parts_start(struct parts *p)
{
	struct err e;

	p->app.worker_parts = (struct worker_parts){
		.store = p->app.store,
		.config = p->app.config,
		.counters = &p->app.counters,
		.clock = &p->app.clock,
		.failed = &p->app.failed,
	};
	assert_int_equal(workers_start(&p->app.workers, &p->app.worker_parts, &e),
			 OK);
	pthread_mutex_lock(&p->lock);
	p->told = p->app.workers;
	pthread_mutex_unlock(&p->lock);
	workers_wake(p->app.workers);
}

static void parts_stop(struct parts *p)
{
	pthread_mutex_lock(&p->lock);
	p->told = NULL;
	pthread_mutex_unlock(&p->lock);
	workers_stop(p->app.workers);
	p->app.workers = NULL;
}

static void parts_close(struct parts *p)
{
	char *rm = xasprintf("rm -r %s", p->dir);

	store_close(p->app.store);
	config_holder_close(p->app.config);
	config_drop(p->first);
	clock_release(&p->app.clock);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->changed);
	assert_int_equal(system(rm), 0);
	free(rm);
	free(p);
}

/* Waits until the store, after some commit, is as `fn` wants it. */
static void until(struct parts *p, bool (*fn)(struct parts *p))
{
	struct timespec end;
	bool late = false, true_now;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&p->lock);
	while (!(true_now = fn(p)) && !late)
		late = pthread_cond_timedwait(&p->changed, &p->lock, &end);
	pthread_mutex_unlock(&p->lock);
	assert_true(true_now);
}

/* ---- what is asked of the store ---- */

static struct store_stats stats(struct parts *p)
{
	struct store_stats st = {0};
	struct err e;

	assert_int_equal(store_stats(p->app.store, &st, &e), OK);
	return st;
}

static bool one_is_dead(struct parts *p)
{
	return stats(p).tasks_dead == 1;
}

static uint64_t wanted_dead;

static bool enough_are_dead(struct parts *p)
{
	return stats(p).tasks_dead == wanted_dead;
}

static bool copy_task(void *arg, const struct task *t)
{
	struct task *ret = arg;

	*ret = *t;
	ret->reason = xstrdup(t->reason);
	return false;
}

static struct order the_order(struct parts *p)
{
	struct order o = {0};
	struct err e;
	enum rc rc = store_order(p->app.store, "se", NUMBER, &o, &e);

	if (rc == RC_NOTFOUND)
		order_init(&o, "se", NUMBER);
	else
		assert_int_equal(rc, OK);
	return o;
}

/* The state of the one offer; STATES: there is none. */
static enum offer_state state_of(struct parts *p)
{
	struct order o = the_order(p);
	const struct offer *f = order_offer(&o, WAREHOUSE);
	enum offer_state ret = f ? f->state : STATES;

	order_release(&o);
	return ret;
}

static bool is_pending(struct parts *p)
{
	return state_of(p) == STATE_PENDING;
}

static bool is_accepted(struct parts *p)
{
	return state_of(p) == STATE_ACCEPTED;
}

static bool is_refused(struct parts *p)
{
	return state_of(p) == STATE_REFUSED;
}

static bool was_tried(struct parts *p)
{
	struct order o = the_order(p);
	const struct offer *f = order_offer(&o, WAREHOUSE);
	bool ret = f && f->answer.tries > 0 && !f->answer.try_begun;

	order_release(&o);
	return ret;
}

/* ---- what is done to it ---- */

static void add_task(struct parts *p, const char *kind, int64_t sub)
{
	struct task t = {.number = NUMBER, .sub = sub, .instance = "se"};
	struct err e;

	t.created = t.due = time_now();
	assert_true(copy_text(t.kind, sizeof(t.kind), kind));
	assert_int_equal(store_task_add(p->app.store, &t, &e), OK);
}

/* Records a create; `task` applies it, NULL: nothing does. */
static void record(struct parts *p, const char *task)
{
	char later[TIME_ISO_SIZE];
	struct event ev = {.instance = "se",
			   .type = "check_first",
			   .action = "create",
			   .date = "2021-01-11 16:21:00.552288",
			   .id = NUMBER,
			   .digest = "one",
			   .task = task};
	struct delivery d = {.instance = "se",
			     .received = time_now(),
			     .events = &ev,
			     .n_events = 1};
	struct recorded n;
	struct err e;

	ev.received = d.received;
	time_iso(later, d.received + 3600000, 0, false);
	ev.data = xasprintf("{\"warehouses\":[{\"expirationAt\":\"%s\","
			    "\"warehouseId\":%d}]}",
			    later, WAREHOUSE);
	assert_int_equal(store_record(p->app.store, &d, &n, NULL, &e), OK);
	assert_int_equal(n.fresh, 1);
	event_release(&ev);
}

static void record_create(struct parts *p)
{
	record(p, TASK_CHECK_FIRST);
}

static void accept_it(struct parts *p)
{
	static const int64_t warehouses[] = {WAREHOUSE};
	struct decision d = {.warehouses = warehouses,
			     .n_warehouses = 1,
			     .verb = VERB_ACCEPT,
			     .device_name = "till",
			     .now = time_now()};
	struct err e;

	assert_int_equal(store_update(p->app.store, "se", NUMBER,
				      answer_decide, &d, d.now, NULL, NULL,
				      &e),
			 OK);
}

/* ---- the tests ---- */

static void a_task_of_no_kind_we_know_is_dead_and_says_so(void **state)
{
	struct parts *p = parts_open(9);
	struct task t = {0};
	struct err e;

	(void)state;
	add_task(p, "nonsense", 0);
	parts_start(p);
	until(p, one_is_dead);
	parts_stop(p);
	assert_int_equal(store_tasks(p->app.store, true, 0, copy_task, &t, &e),
			 OK);
	assert_string_equal(t.reason, "no handler of kind 'nonsense'");
	assert_int_equal(p->app.counters.tasks_dead_total, 1);
	assert_int_equal(p->app.counters.tasks_done_total, 0);
	task_release(&t);
	parts_close(p);
}

/* Damages the row of the only task. */
static void damage_task(struct parts *p)
{
	struct txn t;
	struct err e;
	struct key k;

	assert_int_equal(txn_write(&t, p->app.store, &e), OK);
	assert_int_equal(txn_put(&t, T_TASKS, key_u64(key_start(&k), 1), "?",
				 1, &e),
			 OK);
	assert_int_equal(txn_commit(&t, &e), OK);
}

static void a_damaged_task_is_run_anew_and_counted(void **state)
{
	struct parts *p = parts_open(9);

	(void)state;
	add_task(p, "nonsense", 0);
	damage_task(p);
	parts_start(p);
	until(p, one_is_dead);
	parts_stop(p);
	assert_int_equal(p->app.counters.tasks_remade_total, 1);
	parts_close(p);
}

static void a_task_whose_event_is_gone_is_dead_and_says_so(void **state)
{
	struct parts *p = parts_open(9);
	struct task t = {0};
	struct err e;

	(void)state;
	add_task(p, TASK_CHECK_FIRST, 999);
	parts_start(p);
	until(p, one_is_dead);
	parts_stop(p);
	assert_int_equal(store_tasks(p->app.store, true, 0, copy_task, &t, &e),
			 OK);
	assert_string_equal(t.reason, "event '999' is gone");
	task_release(&t);
	parts_close(p);
}

/* As in a store of a version before, or after a redrive. */
static void an_event_whose_task_waits_is_applied_after_the_start(void **state)
{
	struct parts *p = parts_open(9);
	struct err e;

	(void)state;
	record(p, NULL);
	assert_int_equal(store_replay(p->app.store, 1, TASK_CHECK_FIRST,
				      time_now(), &e),
			 OK);
	assert_int_equal(state_of(p), STATES);
	parts_start(p);
	until(p, is_pending);
	parts_stop(p);
	assert_true(p->app.counters.tasks_done_total >= 1);
	parts_close(p);
}

static void what_comes_later_is_run_without_a_wait(void **state)
{
	struct parts *p = parts_open(9);
	int64_t began;

	(void)state;
	parts_start(p);
	began = time_mono();
	for (wanted_dead = 1; wanted_dead <= 20; wanted_dead++) {
		add_task(p, "nonsense", (int64_t)wanted_dead);
		until(p, enough_are_dead);
	}
	/* Unheard, each would wait for a good part of a second. */
	assert_true(time_mono() - began < 2000);
	parts_stop(p);
	parts_close(p);
}

static void an_accept_that_centra_grants_is_accepted(void **state)
{
	struct parts *p;
	struct canned *c;

	(void)state;
	c = centra_start("HTTP/1.1 200 OK\r\nContent-Length: 15\r\n"
			 "Content-Type: application/json\r\n"
			 "Connection: close\r\n\r\n{\"status\":\"ok\"}");
	p = parts_open(canned_port(c));
	record_create(p);
	parts_start(p);
	until(p, is_pending);
	accept_it(p);
	until(p, is_accepted);
	assert_true(was_tried(p));
	parts_stop(p);
	assert_int_equal(canned_requests(c), 1);
	assert_int_equal(p->app.counters.calls_ok_total, 1);
	parts_close(p);
	canned_stop(c);
}

static void a_no_that_means_our_config_raises_the_alarm(void **state)
{
	struct parts *p;
	struct canned *c;

	(void)state;
	c = centra_start("HTTP/1.1 200 OK\r\nContent-Length: 47\r\n"
			 "Content-Type: application/json\r\n"
			 "Connection: close\r\n\r\n"
			 "{\"msg\":{\"warehouseId\":\"unknown\"},\"status\":\"no\"}");
	p = parts_open(canned_port(c));
	record_create(p);
	parts_start(p);
	until(p, is_pending);
	accept_it(p);
	until(p, is_refused);
	parts_stop(p);
	assert_int_equal(p->app.counters.configuration_alarms_total, 1);
	parts_close(p);
	canned_stop(c);
}

static void a_refused_key_is_counted_and_the_task_waits(void **state)
{
	struct parts *p;
	struct canned *c;

	(void)state;
	c = centra_start("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n"
			 "Connection: close\r\n\r\n");
	p = parts_open(canned_port(c));
	record_create(p);
	parts_start(p);
	until(p, is_pending);
	accept_it(p);
	until(p, was_tried);
	assert_int_equal(state_of(p), STATE_ACCEPTING);
	parts_stop(p);
	assert_true(p->app.counters.credentials_refused_total >= 1);
	assert_true(p->app.counters.calls_not_done_total >= 1);
	assert_true(p->app.counters.tasks_retried_total >= 1);
	assert_true(stats(p).tasks_waiting >= 1);
	assert_int_equal(stats(p).tasks_dead, 0);
	parts_close(p);
	canned_stop(c);
}

static void a_centra_that_is_away_kills_no_task(void **state)
{
	struct parts *p = parts_open(9);

	(void)state;
	record_create(p);
	parts_start(p);
	until(p, is_pending);
	accept_it(p);
	until(p, was_tried);
	workers_reload(p->app.workers);
	parts_stop(p);
	assert_true(p->app.counters.tasks_retried_total >= 1);
	assert_int_equal(stats(p).tasks_dead, 0);
	assert_int_equal(state_of(p), STATE_ACCEPTING);
	parts_close(p);
}

/* By a clock that is an hour ahead. */
static void record_in_the_future(struct parts *p)
{
	struct task t = {.number = NUMBER, .sub = 1, .instance = "se"};
	struct err e;

	t.created = t.due = time_now() + 3600000;
	assert_true(copy_text(t.kind, sizeof(t.kind), "nonsense"));
	assert_int_equal(store_task_add(p->app.store, &t, &e), OK);
}

static void a_clock_that_goes_back_holds_nothing_up(void **state)
{
	struct parts *p = parts_open(9);

	(void)state;
	parts_start(p);
	record_in_the_future(p);
	workers_clock(p->app.workers, time_now() + 3600000, time_mono());
	workers_clock(p->app.workers, time_now(), time_mono());
	until(p, one_is_dead);
	parts_stop(p);
	parts_close(p);
}

static void nor_does_one_that_went_back_while_nobody_ran(void **state)
{
	struct parts *p = parts_open(9);

	(void)state;
	record_in_the_future(p);
	parts_start(p);
	until(p, one_is_dead);
	parts_stop(p);
	parts_close(p);
}

/* ---- parking ---- */

static bool take_waiting(void *arg, const struct task *t)
{
	uint64_t *id = arg;

	if (!strcmp(t->kind, TASK_ANSWER_OFFER))
		*id = t->id;
	return true;
}

/* As `shipfrom redrive` does. */
static void redrive_all(struct parts *p)
{
	uint64_t id = 0;
	struct err e;
	enum rc rc;

	assert_int_equal(store_tasks(p->app.store, false, 0, take_waiting, &id,
				     &e),
			 OK);
	rc = store_redrive(p->app.store, id, time_now(), &e);
	assert_true(!rc || rc == RC_CONFLICT);
}

static uint64_t parked[CENTRA_APIS];

static void take_parked(void *arg, const char *instance, enum centra_api api,
			uint64_t tasks)
{
	(void)arg;
	assert_string_equal(instance, "se");
	parked[api] = tasks;
}

static void what_calls_an_api_that_is_not_configured_stays_untouched(
	void **state)
{
	struct parts *p = parts_open(9); /* without GraphQL */
	struct err e;

	(void)state;
	record_create(p);
	parts_start(p);
	until(p, is_pending);
	/* Others run meanwhile, and each of them looks for more. */
	for (wanted_dead = 1; wanted_dead <= 20; wanted_dead++) {
		add_task(p, "nonsense", (int64_t)wanted_dead);
		until(p, enough_are_dead);
	}
	assert_int_equal(workers_parked(p->app.workers, take_parked, NULL, &e),
			 OK);
	assert_int_equal(parked[CENTRA_GRAPHQL], 1);
	assert_int_equal(parked[CENTRA_ORDER_API], 0);
	assert_true(stats(p).oldest_due == TIME_NONE);
	parts_stop(p);
	assert_int_equal(p->app.counters.tasks_retried_total, 0);
	assert_int_equal(stats(p).tasks_waiting, 1);
	parts_close(p);
}

static void add_reconcile(struct parts *p, const char *instance, int64_t sub,
			  int64_t due)
{
	struct task t = {.kind = TASK_RECONCILE, .sub = sub, .due = due};
	struct err e;

	assert_true(copy_text(t.instance, sizeof(t.instance), instance));
	assert_int_equal(store_task_add(p->app.store, &t, &e), OK);
}

static void an_instance_without_graphql_keeps_no_task_of_reconciliation(
	void **state)
{
	struct parts *p = /* without GraphQL */
		parts_open_with(9, "poll_requests = 0\n");

	(void)state;
	add_reconcile(p, "se", 0, 1);
	add_reconcile(p, "se", RECONCILE_BY_HAND, 1);
	add_reconcile(p, "gone", 0, 1);
	parts_start(p);
	assert_int_equal(stats(p).tasks_waiting, 3);
	reconcile_at_start(&p->app.worker_parts, p->app.workers);
	assert_int_equal(stats(p).tasks_waiting, 0);
	parts_stop(p);
	parts_close(p);
}

#define TEN_HOURS 36000000

static void a_clock_that_goes_back_does_not_put_reconciliation_off(void **state)
{
	struct parts *p = parts_open_with(9, "graphql_url = http://127.0.0.1:9\n"
					     "graphql_token = t\n");
	struct task t = {0};
	struct err e;

	(void)state;
	add_reconcile(p, "se", 0, time_now() + TEN_HOURS);
	parts_start(p);
	workers_clock(p->app.workers, time_now() + TEN_HOURS, time_mono());
	workers_clock(p->app.workers, time_now(), time_mono());
	parts_stop(p);
	assert_int_equal(store_tasks(p->app.store, false, 0, copy_task, &t, &e),
			 OK);
	assert_true(t.due <= time_now() + p->first->server.sweep_every);
	task_release(&t);
	parts_close(p);
}

static bool three_calls(struct parts *p)
{
	return p->app.counters.credentials_refused_total >= 3;
}

/* The key is refused at 0, 1 and 3 s; the next trial would be at 7 s. */
static void a_redrive_tries_at_once_what_was_given_up_for_now(void **state)
{
	struct parts *p;
	struct canned *c;
	struct err e;
	int64_t began;

	(void)state;
	c = centra_start("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n"
			 "Connection: close\r\n\r\n");
	p = parts_open(canned_port(c));
	record_create(p);
	parts_start(p);
	until(p, is_pending);
	accept_it(p);
	until(p, three_calls);
	canned_always(c, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n"
			 "Content-Type: application/json\r\n"
			 "Connection: close\r\n\r\n{\"status\":\"ok\"}");
	began = time_mono();
	redrive_all(p);
	assert_int_equal(store_wake(p->app.store, &e), OK);
	until(p, is_accepted);
	assert_true(time_mono() - began < 2500);
	parts_stop(p);
	parts_close(p);
	canned_stop(c);
}

static void what_is_put_off_is_not_rewritten_at_the_start(void **state)
{
	struct result r = {.how = OUTCOME_RETRY, .reason = {"no answer"}};
	struct parts *p = parts_open(9);
	struct task t = {0};
	int64_t due = time_now() + 1800000, next;
	struct err e;
	size_t n;

	(void)state;
	add_task(p, "nonsense", 1);
	assert_int_equal(store_lease(p->app.store, time_now(), NULL, &t, 1, &n,
				     &next, &e),
			 OK);
	r.due = due;
	assert_int_equal(store_finish(p->app.store, &t, &r, time_now(), &e),
			 OK);
	task_release(&t);
	parts_start(p);
	add_task(p, "nonsense", 2);
	until(p, one_is_dead);
	parts_stop(p);
	assert_int_equal(store_tasks(p->app.store, false, 0, copy_task, &t, &e),
			 OK);
	assert_true(t.due == due && t.sub == 1);
	task_release(&t);
	parts_close(p);
}

static void a_start_rewrites_no_task_before_it_is_ready(void **state)
{
	struct parts *p = parts_open(9);
	uint64_t writes;

	(void)state;
	record_in_the_future(p);
	writes = stats(p).writes;
	p->app.failed = true; /* so no thread runs, and only the start itself
			       * could write */
	parts_start(p);
	parts_stop(p);
	assert_int_equal(stats(p).writes, writes);
	parts_close(p);
}

static void stopping_without_work_is_prompt(void **state)
{
	struct parts *p = parts_open(9);
	int64_t began;

	(void)state;
	parts_start(p);
	began = time_mono();
	parts_stop(p);
	assert_true(time_mono() - began < 500);
	parts_close(p);
}

static void removal_has_a_tenth_of_the_writers_time_also_on_a_slow_disk(
	void **state)
{
	static const int64_t took[] = {1, 10, 100, 1000, 6000};

	(void)state;
	for (size_t i = 0; i < sizeof(took) / sizeof(*took); i++)
		assert_true(retention_pause(took[i]) >= 9 * took[i]);
	assert_int_equal(retention_pause(0), 5);
	assert_int_equal(retention_pause(600000), 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			removal_has_a_tenth_of_the_writers_time_also_on_a_slow_disk),
		cmocka_unit_test(a_task_of_no_kind_we_know_is_dead_and_says_so),
		cmocka_unit_test(a_damaged_task_is_run_anew_and_counted),
		cmocka_unit_test(
			a_task_whose_event_is_gone_is_dead_and_says_so),
		cmocka_unit_test(
			an_event_whose_task_waits_is_applied_after_the_start),
		cmocka_unit_test(what_comes_later_is_run_without_a_wait),
		cmocka_unit_test(an_accept_that_centra_grants_is_accepted),
		cmocka_unit_test(a_no_that_means_our_config_raises_the_alarm),
		cmocka_unit_test(a_refused_key_is_counted_and_the_task_waits),
		cmocka_unit_test(a_centra_that_is_away_kills_no_task),
		cmocka_unit_test(a_clock_that_goes_back_holds_nothing_up),
		cmocka_unit_test(nor_does_one_that_went_back_while_nobody_ran),
		cmocka_unit_test(
			what_calls_an_api_that_is_not_configured_stays_untouched),
		cmocka_unit_test(
			an_instance_without_graphql_keeps_no_task_of_reconciliation),
		cmocka_unit_test(
			a_clock_that_goes_back_does_not_put_reconciliation_off),
		cmocka_unit_test(
			a_redrive_tries_at_once_what_was_given_up_for_now),
		cmocka_unit_test(what_is_put_off_is_not_rewritten_at_the_start),
		cmocka_unit_test(a_start_rewrites_no_task_before_it_is_ready),
		cmocka_unit_test(stopping_without_work_is_prompt),
	};
	struct err e;
	int failed;

	if (centra_init(&e))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL) != 0;
	centra_end();
	return failed;
}
