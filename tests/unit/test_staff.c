/* SPDX-License-Identifier: MIT
 *
 * test_staff.c - the staff API over real sockets and a real store; the test
 * says what Centra says.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "base/time.h"
#include "handlers/answer.h"
#include "handlers/offer.h"
#include "handlers/ship.h"
#include "server/http/http.h"
#include "server/shop/orders.h"
#include "tests/unit/fixture.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define OPENED "2021-01-11 16:21:00.000000"
#define LATER  "2021-01-11 17:00:00.000000"

static int start(void **state)
{
	*state = fixture_start("answer_wait = 1s");
	return 0;
}

/* Long enough that only Centra's word can end the wait. */
static int start_patient(void **state)
{
	*state = fixture_start("answer_wait = 15s");
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

/* ---- asking ---- */

static cJSON *json_reply(struct reply *r, int status)
{
	cJSON *json;

	if (r->status != status)
		print_error("%s\n", r->bytes);
	assert_int_equal(r->status, status);
	json = cJSON_Parse(r->body);
	assert_non_null(json);
	reply_release(r);
	return json;
}

static cJSON *get(struct fixture *f, const char *token, const char *path)
{
	struct reply r = ask(f, "GET", path, token, NULL);

	return json_reply(&r, 200);
}

static cJSON *post(struct fixture *f, int status, const char *token,
		   const char *path, const char *body)
{
	struct reply r = ask(f, "POST", path, token, body);

	return json_reply(&r, status);
}

static const char *text_of(const cJSON *json, const char *name)
{
	const char *s = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(json, name));

	return s ? s : "";
}

static int number_of(const cJSON *json, const char *name)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(json, name);

	assert_true(cJSON_IsNumber(n));
	return n->valueint;
}

/* A 409 carries the order as it stands. */
static void expect_conflict(cJSON *json, const char *code, const char *state)
{
	assert_string_equal(text_of(json, "code"), code);
	assert_string_equal(text_of(cJSON_GetObjectItemCaseSensitive(json,
								     "order"),
				    "state"),
			    state);
	cJSON_Delete(json);
}

static void expect_problem(struct reply *r, int status, const char *code)
{
	cJSON *json = json_reply(r, status);

	assert_string_equal(text_of(json, "code"), code);
	cJSON_Delete(json);
}

static void expect_state(cJSON *json, const char *state)
{
	assert_string_equal(text_of(json, "state"), state);
	cJSON_Delete(json);
}

/* "1 2 3" for the numbers of a page; *ret_cursor is owned by the caller, NULL
 * at the end. */
static char *page(struct fixture *f, const char *token, const char *query,
		  char **ret_cursor)
{
	char *path = xasprintf("/api/v1/orders%s", query), *ret;
	cJSON *json = get(f, token, path), *o;
	struct buf b;

	buf_init(&b, 65536);
	cJSON_ArrayForEach(o, cJSON_GetObjectItemCaseSensitive(json, "orders"))
		buf_fmt(&b, "%s%d", b.len ? " " : "", number_of(o, "number"));
	ret = buf_detach(&b, NULL);
	if (ret_cursor)
		*ret_cursor = xstrdup(cJSON_GetStringValue(
			cJSON_GetObjectItemCaseSensitive(json, "cursor")));
	cJSON_Delete(json);
	free(path);
	return ret;
}

static void expect_page(struct fixture *f, const char *token,
			const char *query, const char *numbers)
{
	char *got = page(f, token, query, NULL);

	assert_string_equal(got, numbers);
	free(got);
}

/* ---- me ---- */

static void a_device_is_told_who_it_is(void **state)
{
	struct fixture *f = *state;
	struct reply r = ask(f, "GET", "/api/v1/me", f->amsterdam, NULL);

	assert_int_equal(r.status, 200);
	assert_ptr_equal(strstr(r.body,
				"{\"shop\":{\"id\":\"amsterdam\","
				"\"name\":\"Amsterdam, Kalverstraat\","
				"\"warehouses\":[3,4]},\"device\":{\"id\":1,"
				"\"name\":\"Counter tablet\"},"
				"\"instance\":\"se\","),
			 r.body);
	assert_non_null(strstr(r.body, ",\"staff\":[],\"csrf\":null,"
				       "\"now\":\"20"));
	assert_non_null(strstr(r.body, ",\"day\":{\"begins\":\"20"));
	reply_release(&r);
}

/* ---- one order ---- */

static void one_order_comes_bare_with_its_timeline(void **state)
{
	struct fixture *f = *state;
	cJSON *o;

	offered(f, 19, 3, OPENED, FAR);
	o = get(f, f->amsterdam, "/api/v1/orders/19");
	assert_int_equal(number_of(o, "number"), 19);
	assert_true(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(
			    o, "timeline")) > 0);
	cJSON_Delete(o);
}

static bool fetch_due(struct fixture *f, int64_t number)
{
	struct order o;
	struct err e;
	bool ret;

	assert_int_equal(store_order(f->app.store, "se", number, &o, &e), OK);
	ret = o.fetch_due;
	order_release(&o);
	return ret;
}

/* As SIGHUP does. */
static void a_shop_is_added(struct fixture *f, int64_t warehouse)
{
	struct config *fresh = NULL;
	FILE *file = fopen(f->config_path, "a");
	struct buf report;
	struct err e;

	assert_non_null(file);
	fprintf(file,
		"\n[shop new]\ncentra = se\nname = New\n"
		"warehouses = %" PRId64 "\n",
		warehouse);
	assert_int_equal(fclose(file), 0);
	buf_init(&report, 65536);
	assert_int_equal(config_load(&fresh, f->config_path, &report, &e), OK);
	buf_release(&report);
	config_replace(f->app.config, fresh);
}

static void an_address_is_due_of_what_our_shops_have_won(void **state)
{
	struct fixture *f = *state;
	static const char date[] = "2026-01-12 10:00:00.000000";

	marked(f, 20, 3, MARK_ACCEPTED, date);
	assert_true(fetch_due(f, 20));
	marked(f, 21, 9, MARK_ACCEPTED, date);
	assert_false(fetch_due(f, 21));
	a_shop_is_added(f, 9);
	marked(f, 22, 9, MARK_ACCEPTED, date);
	assert_true(fetch_due(f, 22));
}

static void another_shops_order_looks_like_one_that_does_not_exist(void **state)
{
	static const char *const paths[] = {
		"/api/v1/orders/20",
		"/api/v1/orders/0",
		"/api/v1/orders/-19",
		"/api/v1/orders/+19",
		"/api/v1/orders/19x",
		"/api/v1/orders/19.0",
		"/api/v1/orders/9223372036854775807",
		"/api/v1/orders/9223372036854775808",
		"/api/v1/orders/99999999999999999999999",
	};
	struct fixture *f = *state;
	struct reply theirs, r;

	offered(f, 19, 3, OPENED, FAR);
	theirs = ask(f, "GET", "/api/v1/orders/19", f->berlin, NULL);
	assert_int_equal(theirs.status, 404);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *accept = xasprintf("%s/accept", paths[i]);

		r = ask(f, "GET", paths[i], f->berlin, NULL);
		assert_int_equal(r.status, 404);
		assert_string_equal(r.body, theirs.body);
		reply_release(&r);
		r = ask(f, "POST", accept, f->berlin, NULL);
		assert_int_equal(r.status, 404);
		assert_string_equal(r.body, theirs.body);
		reply_release(&r);
		free(accept);
	}
	r = ask(f, "POST", "/api/v1/orders/19/reject", f->berlin, NULL);
	assert_int_equal(r.status, 404);
	assert_string_equal(r.body, theirs.body);
	reply_release(&r);
	reply_release(&theirs);
	expect_state(get(f, f->amsterdam, "/api/v1/orders/19"), "pending");
}

/* ---- the lists ---- */

/* Orders 1..6 of Amsterdam, one of Berlin. */
static void fill(struct fixture *f)
{
	offered(f, 1, 3, OPENED, FAR + 300);
	offered(f, 2, 3, OPENED, FAR + 100);
	offered(f, 3, 4, OPENED, FAR + 200);
	offered(f, 4, 3, OPENED, TIME_NONE);
	offered(f, 5, 3, OPENED, FAR);
	marked(f, 5, 3, MARK_ACCEPTED, LATER);
	offered(f, 6, 3, OPENED, FAR);
	marked(f, 6, 3, MARK_TIMED_OUT, LATER);
	offered(f, 7, 5, OPENED, FAR);
}

static void lists_are_by_state_and_earliest_deadline_first(void **state)
{
	struct fixture *f = *state;

	expect_page(f, f->amsterdam, "", "");
	fill(f);
	expect_page(f, f->amsterdam, "?state=open", "2 3 1 4");
	expect_page(f, f->amsterdam, "?state=mine", "5");
	expect_page(f, f->amsterdam, "?state=done", "6");
	expect_page(f, f->amsterdam, "", "2 3 1 4 5 6");
	expect_page(f, f->berlin, "", "7");
}

static void pages_of_any_size_join_to_the_whole_list(void **state)
{
	struct fixture *f = *state;

	fill(f);
	for (int limit = 1; limit <= 7; limit++) {
		char *all = xstrdup(""), *cursor = NULL;
		int pages = 0;

		do {
			char *query = xasprintf("?limit=%d%s%s", limit,
						cursor ? "&cursor=" : "",
						cursor ? cursor : "");
			char *old = all, *part;

			free(cursor);
			part = page(f, f->amsterdam, query, &cursor);
			assert_true(*part || limit == 7);
			all = xasprintf("%s%s%s", old, *old ? " " : "", part);
			free(old);
			free(part);
			free(query);
			pages++;
		} while (cursor && pages < 20);
		assert_string_equal(all, "2 3 1 4 5 6");
		assert_int_equal(pages, (6 + limit - 1) / limit);
		free(all);
	}
}

static void an_order_offered_to_two_of_its_warehouses_is_listed_once(
	void **state)
{
	struct fixture *f = *state;

	offered(f, 1, 3, OPENED, FAR);
	offered(f, 1, 4, OPENED, FAR);
	offered(f, 2, 4, OPENED, FAR + 1);
	expect_page(f, f->amsterdam, "", "1 2");
	marked(f, 1, 4, MARK_ACCEPTED, LATER);
	/* Warehouse 3 lost it to 4, but the shop has it. */
	expect_page(f, f->amsterdam, "?state=mine", "1");
	expect_page(f, f->amsterdam, "?state=done", "");
}

static void more_orders_than_are_read_ahead_are_all_listed(void **state)
{
	struct fixture *f = *state;
	char *got, *last;

	for (int64_t n = 1; n <= 150; n++)
		offered(f, n, n % 2 ? 3 : 4, OPENED, FAR + n);
	got = page(f, f->amsterdam, "?limit=200", NULL);
	last = strrchr(got, ' ');
	assert_string_equal(last, " 150");
	assert_int_equal(strncmp(got, "1 2 3 4 5 ", 10), 0);
	free(got);
	got = page(f, f->amsterdam, "", NULL); /* 50 unless told */
	assert_string_equal(strrchr(got, ' '), " 50");
	free(got);
}

static void an_argument_that_cannot_be_is_named(void **state)
{
	static const struct {
		const char *query, *field;
	} bad[] = {
		{"state=all", "state"},	     {"state=", "state"},
		{"state=OPEN", "state"},     {"limit=0", "limit"},
		{"limit=201", "limit"},	     {"limit=x", "limit"},
		{"limit=-1", "limit"},	     {"limit=", "limit"},
		{"cursor=x", "cursor"},	     {"cursor=", "cursor"},
		{"cursor=open.1", "cursor"}, {"cursor=open.1.0", "cursor"},
		{"cursor=open.01.1", "cursor"},
		{"state=mine&cursor=open.1.1", "cursor"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *path = xasprintf("/api/v1/orders?%s", bad[i].query);
		struct reply r = ask(f, "GET", path, f->amsterdam, NULL);
		cJSON *json = json_reply(&r, 400);

		assert_string_equal(text_of(json, "code"), "bad_request");
		assert_string_equal(text_of(json, "field"), bad[i].field);
		assert_non_null(strstr(text_of(json, "detail"),
				       bad[i].field));
		cJSON_Delete(json);
		free(path);
	}
}

static void a_cursor_is_read_back_as_it_was_written(void **state)
{
	const struct staff_cursor all[] = {
		{LIST_OPEN, 1, 1},
		{LIST_MINE, -5, INT64_MAX},
		{LIST_DONE, TIME_NONE, 19},
		{LIST_DONE, INT64_MAX, 19},
		{LIST_OPEN, INT64_MIN + 1, 19},
	};
	char text[CURSOR_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct staff_cursor c;

		cursor_write(text, &all[i]);
		assert_int_equal(cursor_read(text, &c), OK);
		assert_int_equal(c.list, all[i].list);
		assert_true(c.expires == all[i].expires);
		assert_true(c.number == all[i].number);
	}
}

/* ---- accept ---- */

/* What Centra says while a press waits. */
struct word {
	struct fixture *f;
	int64_t number, warehouse;
	enum offer_state once; /* the offer is in this state */
	void (*say)(const struct word *w);
	pthread_t thread;
};

static void *say_in_time(void *arg)
{
	const struct word *w = arg;
	int64_t until = time_mono() + 10000;
	bool ready = false;

	while (!ready && time_mono() < until) {
		struct order o = {0};
		const struct offer *offer;
		struct err e;

		if (store_order(w->f->app.store, "se", w->number, &o, &e))
			continue;
		offer = order_offer(&o, w->warehouse);
		ready = offer && offer->state == w->once;
		order_release(&o);
	}
	w->say(w);
	return NULL;
}

static void centra_says(struct word *w)
{
	assert_int_equal(pthread_create(&w->thread, NULL, say_in_time, w), 0);
}

static void say_ok(const struct word *w)
{
	settled(w->f, w->number, w->warehouse, SETTLED_OK, NULL);
}

static void say_no(const struct word *w)
{
	settled(w->f, w->number, w->warehouse, SETTLED_NO,
		"Order is already allocated");
}

static void say_taken(const struct word *w)
{
	marked(w->f, w->number, 5, MARK_ACCEPTED, LATER);
}

static void say_timed_out(const struct word *w)
{
	marked(w->f, w->number, w->warehouse, MARK_TIMED_OUT, LATER);
}

static void say_cancelled(const struct word *w)
{
	cancelled(w->f, w->number);
}

/* Presses accept on a fresh offer and lets Centra speak while it waits. */
static cJSON *accept_while(struct fixture *f,
			   void (*say)(const struct word *w), int status)
{
	struct word w = {.f = f, .number = 19, .warehouse = 3,
			 .once = STATE_ACCEPTING, .say = say};
	int64_t begun = time_mono();
	cJSON *json;

	offered(f, 19, 3, OPENED, FAR);
	centra_says(&w);
	json = post(f, status, f->amsterdam, "/api/v1/orders/19/accept", NULL);
	pthread_join(w.thread, NULL);
	assert_true(time_mono() - begun < 10000);
	return json;
}

static void accept_is_200_once_centra_has_said_ok(void **state)
{
	struct fixture *f = *state;
	cJSON *o = accept_while(f, say_ok, 200);

	assert_int_equal(number_of(o, "warehouse"), 3);
	expect_state(o, "accepted");
	assert_int_equal(f->app.counters.answers_accept_total, 1);
	assert_int_equal(f->app.counters.answers_reject_total, 0);
	/* Pressed again: the same. */
	expect_state(post(f, 200, f->amsterdam, "/api/v1/orders/19/accept",
			  "{}"),
		     "accepted");
	assert_int_equal(f->app.counters.answers_accept_total, 1);
}

static void accept_is_409_refused_with_centras_words(void **state)
{
	cJSON *json = accept_while(*state, say_no, 409);

	assert_string_equal(text_of(json, "detail"),
			    "Order is already allocated");
	assert_string_equal(text_of(cJSON_GetObjectItemCaseSensitive(json,
								     "order"),
				    "refusal"),
			    "Order is already allocated");
	expect_conflict(json, "refused", "refused");
}

/* The shop has another warehouse that is still asked. */
static void accept_tells_of_the_offer_that_was_answered(void **state)
{
	struct fixture *f = *state;
	cJSON *json;

	offered(f, 19, 4, OPENED, FAR);
	json = accept_while(f, say_no, 409);
	assert_string_equal(text_of(json, "code"), "refused");
	assert_string_equal(text_of(json, "detail"),
			    "Order is already allocated");
	cJSON_Delete(json);
	expect_state(get(f, f->amsterdam, "/api/v1/orders/19"), "pending");
}

static void accept_may_be_pressed_again_after_a_refusal(void **state)
{
	struct fixture *f = *state;
	struct word w = {.f = f, .number = 19, .warehouse = 3,
			 .once = STATE_ACCEPTING, .say = say_ok};

	expect_conflict(accept_while(f, say_no, 409), "refused", "refused");
	centra_says(&w);
	expect_state(post(f, 200, f->amsterdam, "/api/v1/orders/19/accept",
			  NULL),
		     "accepted");
	pthread_join(w.thread, NULL);
}

static void accept_is_409_when_another_shop_took_it_meanwhile(void **state)
{
	expect_conflict(accept_while(*state, say_taken, 409), "taken",
			"taken");
}

static void accept_is_409_when_the_offer_ran_out_meanwhile(void **state)
{
	expect_conflict(accept_while(*state, say_timed_out, 409), "timed_out",
			"timed_out");
}

static void accept_is_409_when_the_order_is_cancelled_meanwhile(void **state)
{
	expect_conflict(accept_while(*state, say_cancelled, 409), "cancelled",
			"cancelled");
}

static void accept_is_202_when_centra_says_nothing_in_time(void **state)
{
	struct fixture *f = *state;
	int64_t begun = time_mono();

	offered(f, 19, 3, OPENED, FAR);
	expect_state(post(f, 202, f->amsterdam, "/api/v1/orders/19/accept",
			  NULL),
		     "accepting");
	assert_in_range(time_mono() - begun, 900, 6000);
	/* Its shop sees it so, and may ask again. */
	expect_page(f, f->amsterdam, "?state=open", "19");
	say_ok(&(struct word){.f = f, .number = 19, .warehouse = 3});
	expect_state(post(f, 200, f->amsterdam, "/api/v1/orders/19/accept",
			  NULL),
		     "accepted");
	expect_page(f, f->amsterdam, "?state=mine", "19");
}

/* ---- whom a press is for ---- */

/* The config of the fixture with these shops instead of its own. */
static void shops_become(struct fixture *f, const char *sections)
{
	char *path = xasprintf("%s/moved.ini", f->dir);
	struct config *fresh = NULL;
	struct buf report;
	struct err e;
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fprintf(out,
		"[server]\nstore = lmdb:%s/store\nanswer_wait = 1s\n"
		"[centra se]\nwebhook_secret = one-secret-of-se\n"
		"order_api_url = http://127.0.0.1:9/se\norder_api_key = k\n"
		"[centra no]\nwebhook_secret = one-secret-of-no\n"
		"order_api_url = http://127.0.0.1:9/no\norder_api_key = k\n"
		"%s",
		f->dir, sections);
	assert_int_equal(fclose(out), 0);
	buf_init(&report, 4096);
	if (config_load(&fresh, path, &report, &e))
		print_error("%s\n", report.data);
	assert_non_null(fresh);
	config_replace(f->app.config, fresh);
	buf_release(&report);
	unlink(path);
	free(path);
}

#define MOVED "[shop amsterdam]\ncentra = no\nname = A\nwarehouses = 3, 4\n"

static void say_ok_to_a_shop_that_moved(const struct word *w)
{
	shops_become(w->f, MOVED);
	settled(w->f, w->number, w->warehouse, SETTLED_OK, NULL);
	marked(w->f, w->number, w->warehouse, MARK_ACCEPTED, LATER);
}

static void a_press_that_waits_stays_with_its_shop_across_a_reload(
	void **state)
{
	struct fixture *f = *state;
	cJSON *json = accept_while(f, say_ok_to_a_shop_that_moved, 200);

	assert_string_equal(text_of(json, "instance"), "se");
	expect_state(json, "accepted");
}

static void say_ok_to_a_device_that_was_removed(const struct word *w)
{
	struct err e;

	assert_int_equal(store_device_remove(w->f->app.store, 1, 1, &e), OK);
	settled(w->f, w->number, w->warehouse, SETTLED_OK, NULL);
}

static void a_press_of_a_device_removed_while_it_waits_shows_no_order(
	void **state)
{
	cJSON *json = accept_while(*state, say_ok_to_a_device_that_was_removed,
				   401);

	assert_string_equal(text_of(json, "code"), "unauthorized");
	assert_null(cJSON_GetObjectItem(json, "order"));
	cJSON_Delete(json);
}

static void a_press_meant_for_another_is_409_and_decides_nothing(void **state)
{
	static const char *const others[] = {
		"{\"for\":{\"device\":2}}",
		"{\"for\":{\"device\":\"1\"}}",
		"{\"for\":{\"shop\":\"berlin\"}}",
		"{\"for\":{\"instance\":\"no\"}}",
		("{\"for\":{\"device\":1,\"shop\":\"amsterdam\","
		 "\"instance\":\"no\"}}"),
	};
	struct fixture *f = *state;
	struct order o = {0};
	struct err e;

	offered(f, 19, 3, OPENED, FAR);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		cJSON *json = post(f, 409, f->amsterdam,
				   "/api/v1/orders/19/accept", others[i]);

		assert_string_equal(text_of(json, "code"), "misdirected");
		cJSON_Delete(json);
	}
	assert_int_equal(store_order(f->app.store, "se", 19, &o, &e), OK);
	assert_int_equal(order_offer(&o, 3)->answer.verb, VERB_NONE);
	order_release(&o);
	cJSON_Delete(post(f, 400, f->amsterdam, "/api/v1/orders/19/accept",
			  "{\"for\":1}"));
	expect_state(post(f, 202, f->amsterdam, "/api/v1/orders/19/accept",
			  "{\"for\":{\"device\":1,\"shop\":\"amsterdam\","
			  "\"instance\":\"se\"}}"),
		     "accepting");
}

static int press_with_key(struct fixture *f, int64_t number)
{
	char text[512];
	struct reply r;
	int status;

	snprintf(text, sizeof(text),
		 "POST /api/v1/orders/%" PRId64 "/reject HTTP/1.1\r\n"
		 "Host: x\r\nAuthorization: Bearer %s\r\n"
		 "Idempotency-Key: one\r\nContent-Length: 0\r\n"
		 "Connection: close\r\n\r\n",
		 number, f->amsterdam);
	r = ask_raw(f, text);
	status = r.status;
	reply_release(&r);
	return status;
}

static void a_key_of_a_device_that_moved_to_another_instance_is_no_replay(
	void **state)
{
	struct fixture *f = *state;

	offered(f, 19, 3, OPENED, FAR);
	assert_int_equal(press_with_key(f, 19), 202);
	assert_int_equal(press_with_key(f, 19), 202);
	shops_become(f, MOVED);
	assert_int_equal(press_with_key(f, 19), 422);
}

static void what_has_ended_cannot_be_accepted(void **state)
{
	struct fixture *f = *state;

	offered(f, 1, 3, OPENED, FAR);
	marked(f, 1, 5, MARK_ACCEPTED, LATER);
	expect_conflict(post(f, 409, f->amsterdam, "/api/v1/orders/1/accept",
			     NULL),
			"taken", "taken");
	offered(f, 2, 3, OPENED, FAR);
	marked(f, 2, 3, MARK_TIMED_OUT, LATER);
	expect_conflict(post(f, 409, f->amsterdam, "/api/v1/orders/2/accept",
			     NULL),
			"timed_out", "timed_out");
	offered(f, 3, 3, OPENED, FAR);
	cancelled(f, 3);
	expect_conflict(post(f, 409, f->amsterdam, "/api/v1/orders/3/accept",
			     NULL),
			"cancelled", "cancelled");
	offered(f, 4, 3, OPENED, FAR);
	marked(f, 4, 3, MARK_REJECTED, LATER);
	expect_conflict(post(f, 409, f->amsterdam, "/api/v1/orders/4/accept",
			     NULL),
			"rejected", "rejected");
	assert_int_equal(f->app.counters.answers_accept_total, 0);
}

static void of_many_presses_at_once_all_get_the_one_result(void **state)
{
	struct fixture *f = *state;
	struct word w = {.f = f, .number = 19, .warehouse = 3,
			 .once = STATE_ACCEPTING, .say = say_ok};
	char *text = xasprintf("POST /api/v1/orders/19/accept HTTP/1.1\r\n"
			       "Host: x\r\nAuthorization: Bearer %s\r\n"
			       "Content-Length: 0\r\n\r\n",
			       f->amsterdam);
	int fds[20];

	offered(f, 19, 3, OPENED, FAR);
	for (int i = 0; i < 20; i++) {
		fds[i] = dial(f->port);
		send_all(fds[i], text, strlen(text));
	}
	centra_says(&w);
	for (int i = 0; i < 20; i++) {
		struct reply r = read_reply(fds[i], false);

		expect_state(json_reply(&r, 200), "accepted");
		close(fds[i]);
	}
	pthread_join(w.thread, NULL);
	assert_int_equal(f->app.counters.answers_accept_total, 1);
	free(text);
}

/* ---- reject ---- */

static cJSON *reject_while(struct fixture *f,
			   void (*say)(const struct word *w), int status,
			   const char *body)
{
	struct word w = {.f = f, .number = 19, .warehouse = 3,
			 .once = STATE_REJECTING, .say = say};
	cJSON *json;

	offered(f, 19, 3, OPENED, FAR);
	centra_says(&w);
	json = post(f, status, f->amsterdam, "/api/v1/orders/19/reject", body);
	pthread_join(w.thread, NULL);
	return json;
}

static void reject_is_200_and_its_reason_is_kept(void **state)
{
	struct fixture *f = *state;
	struct order o = {0};
	struct err e;

	expect_state(reject_while(f, say_ok, 200,
				  "{\"reason\":\"damaged\",\"note\":\"a "
				  "stain\",\"other\":[1]}"),
		     "rejected");
	assert_int_equal(f->app.counters.answers_reject_total, 1);
	assert_int_equal(store_order(f->app.store, "se", 19, &o, &e), OK);
	assert_string_equal(order_offer(&o, 3)->answer.reason, "damaged");
	assert_string_equal(order_offer(&o, 3)->answer.note, "a stain");
	assert_int_equal(order_offer(&o, 3)->answer.device, 1);
	order_release(&o);
}

static void reject_without_a_reason_is_for_another_reason(void **state)
{
	struct fixture *f = *state;
	struct order o = {0};
	struct err e;

	/* Centra's no to a reject: it is not ours either way. */
	expect_state(reject_while(f, say_no, 200, NULL), "rejected");
	assert_int_equal(store_order(f->app.store, "se", 19, &o, &e), OK);
	assert_string_equal(order_offer(&o, 3)->answer.reason, "other");
	assert_null(order_offer(&o, 3)->answer.note);
	order_release(&o);
}

static void reject_is_202_when_centra_says_nothing_in_time(void **state)
{
	struct fixture *f = *state;

	offered(f, 19, 3, OPENED, FAR);
	expect_state(post(f, 202, f->amsterdam, "/api/v1/orders/19/reject",
			  "{\"reason\":null,\"note\":null}"),
		     "rejecting");
}

static void an_order_says_what_this_shop_has_answered(void **state)
{
	struct fixture *f = *state;
	cJSON *o;

	offered(f, 19, 3, OPENED, FAR);
	o = get(f, f->amsterdam, "/api/v1/orders/19");
	assert_string_equal(text_of(o, "answer"), "");
	cJSON_Delete(o);
	cJSON_Delete(post(f, 202, f->amsterdam, "/api/v1/orders/19/reject",
			  "{}"));
	o = get(f, f->amsterdam, "/api/v1/orders/19");
	assert_string_equal(text_of(o, "answer"), "reject");
	cJSON_Delete(o);
	/* Offered anew, it waits for an answer again. */
	offered(f, 19, 3, LATER, FAR + 1000);
	o = get(f, f->amsterdam, "/api/v1/orders/19");
	assert_string_equal(text_of(o, "answer"), "");
	cJSON_Delete(o);
	/* Ended by others: nobody here has said no. */
	offered(f, 20, 3, OPENED, FAR);
	marked(f, 20, 3, MARK_REJECTED, LATER);
	o = get(f, f->amsterdam, "/api/v1/orders/20");
	assert_string_equal(text_of(o, "state"), "rejected");
	assert_string_equal(text_of(o, "answer"), "");
	cJSON_Delete(o);
}

static void the_first_answer_stands(void **state)
{
	struct fixture *f = *state;

	offered(f, 1, 3, OPENED, FAR);
	expect_state(post(f, 202, f->amsterdam, "/api/v1/orders/1/accept",
			  NULL),
		     "accepting");
	expect_conflict(post(f, 409, f->amsterdam, "/api/v1/orders/1/reject",
			     NULL),
			"answered", "accepting");
	offered(f, 2, 3, OPENED, FAR);
	expect_state(post(f, 202, f->amsterdam, "/api/v1/orders/2/reject",
			  NULL),
		     "rejecting");
	expect_conflict(post(f, 409, f->amsterdam, "/api/v1/orders/2/accept",
			     NULL),
			"answered", "rejecting");
}

static void what_the_shop_has_cannot_be_rejected(void **state)
{
	struct fixture *f = *state;
	struct reply r;
	cJSON *json;

	offered(f, 1, 3, OPENED, FAR);
	marked(f, 1, 3, MARK_ACCEPTED, LATER);
	r = ask(f, "POST", "/api/v1/orders/1/reject", f->amsterdam, NULL);
	json = json_reply(&r, 409);
	assert_true(!strcmp(text_of(json, "code"), "accepted") ||
		    !strcmp(text_of(json, "code"), "answered"));
	cJSON_Delete(json);
	expect_page(f, f->amsterdam, "?state=mine", "1");
}

static void a_reject_that_cannot_be_read_is_400_and_changes_nothing(
	void **state)
{
	static const struct {
		const char *body, *field;
	} bad[] = {
		{"x", ""},
		{"{", ""},
		{"[]", ""},
		{"\"damaged\"", ""},
		{"{} x", ""},
		{"{\"reason\":\"bored\"}", "reason"},
		{"{\"reason\":\"\"}", "reason"},
		{"{\"reason\":1}", "reason"},
		{"{\"note\":{}}", "note"},
	};
	struct fixture *f = *state;
	char *long_note;

	offered(f, 19, 3, OPENED, FAR);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cJSON *json = post(f, 400, f->amsterdam,
				   "/api/v1/orders/19/reject", bad[i].body);

		assert_string_equal(text_of(json, "code"), "bad_request");
		assert_string_equal(text_of(json, "field"), bad[i].field);
		cJSON_Delete(json);
	}
	long_note = xasprintf("{\"note\":\"%0501d\"}", 0);
	cJSON_Delete(post(f, 400, f->amsterdam, "/api/v1/orders/19/reject",
			  long_note));
	free(long_note);
	expect_state(get(f, f->amsterdam, "/api/v1/orders/19"), "pending");
}

/* ---- fields count characters, as the page does ---- */

static char *repeated(const char *text, int n)
{
	struct buf b;

	buf_init(&b, 100000);
	for (int i = 0; i < n; i++)
		buf_str(&b, text);
	return buf_detach(&b, NULL);
}

static void a_note_of_500_characters_is_taken_whatever_their_bytes(void **state)
{
	/* As many bytes as a character has, and as a client may write it. */
	static const char *const characters[][2] = {
		{"x", "x"},
		{"\u5728", "\u5728"},
		{"\U0001f4e6", "\U0001f4e6"},
		{"\\ud83d\\udce6", "\U0001f4e6"},
	};
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++) {
		char *note = repeated(characters[i][0], 500);
		char *kept = repeated(characters[i][1], 500);
		char *body = xasprintf("{\"note\":\"%s\"}", note);
		char *path = xasprintf("/api/v1/orders/%d/reject", 19 + i);
		struct order o = {0};
		struct err e;

		offered(f, 19 + i, 3, OPENED, FAR);
		cJSON_Delete(post(f, 202, f->amsterdam, path, body));
		assert_int_equal(store_order(f->app.store, "se", 19 + i, &o,
					     &e),
				 OK);
		assert_string_equal(order_offer(&o, 3)->answer.note, kept);
		order_release(&o);
		free(path);
		free(body);
		free(kept);
		free(note);
	}
}

static void a_note_of_501_characters_is_400(void **state)
{
	struct fixture *f = *state;
	char *note = repeated("\u5728", 501);
	char *body = xasprintf("{\"note\":\"%s\"}", note);
	cJSON *json;

	offered(f, 19, 3, OPENED, FAR);
	json = post(f, 400, f->amsterdam, "/api/v1/orders/19/reject", body);
	assert_string_equal(text_of(json, "field"), "note");
	cJSON_Delete(json);
	free(body);
	free(note);
}

/* Neither is an order that is there, which is looked for after the body. */
static void carrier_and_tracking_count_characters_too(void **state)
{
	static const char fmt[] = "{\"carrier\":\"%s\",\"tracking\":\"%s\"}";
	struct fixture *f = *state;
	char *path = xasprintf("/api/v1/orders/%d/ship", 19);
	char *carrier = repeated("\u5728", 64), *more = repeated("\u5728", 65);
	char *tracking = repeated("\u5728", 128);
	char *good = xasprintf(fmt, carrier, tracking);
	char *bad = xasprintf(fmt, more, tracking);

	cJSON_Delete(post(f, 404, f->amsterdam, path, good));
	cJSON_Delete(post(f, 400, f->amsterdam, path, bad));
	free(bad);
	free(good);
	free(tracking);
	free(more);
	free(carrier);
	free(path);
}

/* ---- who acts, where the shop has a list ---- */

static int start_shared(void **state)
{
	*state = fixture_start("answer_wait = 1s\n"
			       "[shop shared]\n"
			       "centra = se\n"
			       "name = Shared\n"
			       "warehouses = 9\n"
			       "staff = Anna, Ben\n");
	return 0;
}

static void token_of_shared(struct fixture *f, char token[TOKEN_SIZE])
{
	unsigned char hash[TOKEN_HASH_SIZE], code[TOKEN_HASH_SIZE] = {7};
	struct device d = {.shop = "shared", .name = "Till"};
	struct err e;

	assert_int_equal(token_make(token, hash, &e), OK);
	assert_int_equal(store_device_add(f->app.store, &d, hash, code, 0,
					  NULL, &e),
			 OK);
}

static void every_press_of_a_shop_with_a_list_says_who(void **state)
{
	static const char *const verbs[] = {"accept", "reject", "ship",
					    "problem", "stopped",
					    "solved"};
	static const struct {
		const char *body, *code;
	} bad[] = {
		{NULL, "staff_required"},
		{"{}", "staff_required"},
		{"{\"staff\":null}", "staff_required"},
		{"{\"staff\":\"\"}", "staff_required"},
		{"{\"staff\":\"Carl\"}", "staff_unknown"},
		{"{\"staff\":\"anna\"}", "staff_unknown"},
	};
	struct fixture *f = *state;
	char token[TOKEN_SIZE];

	offered(f, 19, 9, OPENED, FAR);
	for (size_t v = 0; v < sizeof(verbs) / sizeof(verbs[0]); v++) {
		char *path = xasprintf("/api/v1/orders/19/%s", verbs[v]);

		token_of_shared(f, token); /* one device may not act so often */
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			cJSON *json = post(f, 400, token, path, bad[i].body);

			assert_string_equal(text_of(json, "code"),
					    bad[i].code);
			assert_string_equal(text_of(json, "field"), "staff");
			cJSON_Delete(json);
		}
		free(path);
	}
	expect_state(get(f, token, "/api/v1/orders/19"), "pending");
}

/* A text would end there: of "Anna" and something, "Anna" would be left. */
static void a_text_with_a_nul_is_no_text(void **state)
{
	static const char *const bad[] = {
		"{\"staff\":\"Anna\\u0000x\"}",
		"{\"staff\":\"Anna\",\"note\":\"a\\\\\\u0000\"}",
		"{\"staff\":\"Anna\",\"a\\u0000\":1}",
	};
	struct fixture *f = *state;
	char token[TOKEN_SIZE];

	token_of_shared(f, token);
	offered(f, 19, 9, OPENED, FAR);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cJSON *json = post(f, 400, token, "/api/v1/orders/19/accept",
				   bad[i]);

		assert_string_equal(text_of(json, "code"), "bad_request");
		cJSON_Delete(json);
	}
	expect_state(get(f, token, "/api/v1/orders/19"), "pending");
	/* A backslash, and behind it no escape. */
	cJSON_Delete(post(f, 202, token, "/api/v1/orders/19/reject",
			  "{\"staff\":\"Anna\",\"reason\":\"other\","
			  "\"note\":\"\\\\u0000\"}"));
}

/* Wherever it is: nothing is kept that its sender did not write. */
static void a_body_with_a_text_that_is_not_whole_is_400(void **state)
{
	static const char *const bad[] = {
		"{\"note\":\"a\\u0001b\"}", "{\"note\":\"a\\ud83d\"}",
		"{\"note\":\"a\xff\"}",	 "{\"unknown\":\"\xc3\"}",
		"{\"\\u0001\":1}",
	};
	struct fixture *f = *state;

	offered(f, 19, 3, OPENED, FAR);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cJSON *json = post(f, 400, f->amsterdam,
				   "/api/v1/orders/19/reject", bad[i]);

		assert_string_equal(text_of(json, "code"), "bad_request");
		cJSON_Delete(json);
	}
	expect_state(get(f, f->amsterdam, "/api/v1/orders/19"), "pending");
}

/* As a client may write it; of an order that is not there, which is looked for
 * after the body. */
static void packages_are_a_whole_number_however_it_is_written(void **state)
{
	static const struct {
		const char *packages;
		int status;
	} cases[] = {
		{"1", 404},	{"99", 404},	{"2.0", 404}, {"2e0", 404},
		{"null", 404},	{"0", 400},	{"100", 400}, {"1.5", 400},
		{"\"2\"", 400}, {"true", 400}, {"[2]", 400}, {"1e99", 400},
		{"02", 400},	{"-1", 400},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *body = xasprintf("{\"carrier\":\"A\",\"packages\":%s}",
				       cases[i].packages);

		cJSON_Delete(post(f, cases[i].status, f->amsterdam,
				  "/api/v1/orders/19/ship", body));
		free(body);
	}
}

static void a_name_of_the_list_may_act(void **state)
{
	struct fixture *f = *state;
	char token[TOKEN_SIZE];

	token_of_shared(f, token);
	offered(f, 19, 9, OPENED, FAR);
	cJSON_Delete(post(f, 202, token, "/api/v1/orders/19/accept",
			  "{\"staff\":\"Ben\"}"));
}

static void a_shop_without_a_list_asks_nobody(void **state)
{
	struct fixture *f = *state;

	offered(f, 19, 3, OPENED, FAR);
	cJSON_Delete(post(f, 202, f->amsterdam, "/api/v1/orders/19/accept",
			  NULL));
}

/* ---- the disk, and other processes ---- */

static int start_hasty(void **state)
{
	*state = fixture_start("answer_wait = 1s\nwrite_wait = 1s");
	return 0;
}

static void a_press_that_is_not_stored_in_time_is_503(void **state)
{
	struct fixture *f = *state;
	struct reply r;

	offered(f, 19, 3, OPENED, FAR);
	hold_writer(f);
	r = ask(f, "POST", "/api/v1/orders/19/accept", f->amsterdam, NULL);
	assert_string_equal(reply_header(&r, "Retry-After"), "1");
	expect_problem(&r, 503, "not_stored");
	/* Reading needs no writer. */
	expect_state(get(f, f->amsterdam, "/api/v1/orders/19"), "pending");
	release_writer(f);
	/* It was stored after all: pressing again finds it. */
	expect_state(post(f, 202, f->amsterdam, "/api/v1/orders/19/accept",
			  NULL),
		     "accepting");
	assert_int_equal(f->app.counters.answers_accept_total, 1);
}

static void a_press_may_be_stored_after_its_server_has_stopped(void **state)
{
	struct fixture *f = *state;
	struct reply r;

	offered(f, 19, 3, OPENED, FAR);
	hold_writer(f);
	r = ask(f, "POST", "/api/v1/orders/19/accept", f->amsterdam, NULL);
	expect_problem(&r, 503, "not_stored");
	http_stop(f->app.http);
	release_writer(f); /* what it owned is freed by http_close() */
}

static void a_change_by_another_process_is_noticed(void **state)
{
	struct fixture *f = *state;

	f->deaf = true;
	expect_state(accept_while(f, say_ok, 200), "accepted");
}

/* ---- the table of states ---- */

static void each_state_means_one_thing_to_whom_pressed(void **state)
{
	static const struct {
		enum offer_state state;
		int accept;
		const char *accept_code;
		int reject;
		const char *reject_code;
	} all[STATES] = {
		{STATE_PENDING, 202, NULL, 202, NULL},
		{STATE_ACCEPTING, 202, NULL, 409, "answered"},
		{STATE_REJECTING, 409, "answered", 202, NULL},
		{STATE_REFUSED, 409, "refused", 409, "refused"},
		{STATE_ACCEPTED, 200, NULL, 409, "accepted"},
		{STATE_REJECTED, 409, "rejected", 200, NULL},
		{STATE_TAKEN, 409, "taken", 409, "taken"},
		{STATE_TIMED_OUT, 409, "timed_out", 409, "timed_out"},
		{STATE_CANCELLED, 409, "cancelled", 409, "cancelled"},
	};

	(void)state;
	for (int i = 0; i < STATES; i++) {
		const char *code;

		assert_int_equal(accept_status(all[i].state, &code),
				 all[i].accept);
		assert_true(code == all[i].accept_code ||
			    !strcmp(code, all[i].accept_code));
		assert_int_equal(reject_status(all[i].state, &code),
				 all[i].reject);
		assert_true(code == all[i].reject_code ||
			    !strcmp(code, all[i].reject_code));
	}
}

/* Codes that are made, not written: each is a row of codes.def. */
static void every_state_and_every_fault_is_a_known_code(void **state)
{
	(void)state;
	for (int i = 0; i < STATES; i++)
		assert_true(code_known(offer_state_name((enum offer_state)i)));
	for (int i = 0; i < SHIP_FAULTS; i++)
		assert_true(code_known(ship_fault_code((enum ship_fault)i)));
	assert_false(code_known("nonsense"));
	assert_non_null(code_words("taken"));
	assert_null(code_words("nonsense"));
}

#define WITH(setup, name) cmocka_unit_test_setup_teardown(name, setup, stop)
#define TEST(name)	  WITH(start, name)
#define PATIENT(name)	  WITH(start_patient, name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_is_told_who_it_is),
		TEST(one_order_comes_bare_with_its_timeline),
		TEST(an_address_is_due_of_what_our_shops_have_won),
		TEST(another_shops_order_looks_like_one_that_does_not_exist),
		TEST(lists_are_by_state_and_earliest_deadline_first),
		TEST(pages_of_any_size_join_to_the_whole_list),
		TEST(an_order_offered_to_two_of_its_warehouses_is_listed_once),
		TEST(more_orders_than_are_read_ahead_are_all_listed),
		TEST(an_argument_that_cannot_be_is_named),
		cmocka_unit_test(a_cursor_is_read_back_as_it_was_written),
		PATIENT(accept_is_200_once_centra_has_said_ok),
		PATIENT(accept_is_409_refused_with_centras_words),
		PATIENT(accept_tells_of_the_offer_that_was_answered),
		PATIENT(accept_may_be_pressed_again_after_a_refusal),
		PATIENT(accept_is_409_when_another_shop_took_it_meanwhile),
		PATIENT(accept_is_409_when_the_offer_ran_out_meanwhile),
		PATIENT(accept_is_409_when_the_order_is_cancelled_meanwhile),
		TEST(accept_is_202_when_centra_says_nothing_in_time),
		PATIENT(a_press_that_waits_stays_with_its_shop_across_a_reload),
		PATIENT(a_press_of_a_device_removed_while_it_waits_shows_no_order),
		TEST(a_press_meant_for_another_is_409_and_decides_nothing),
		TEST(a_key_of_a_device_that_moved_to_another_instance_is_no_replay),
		TEST(what_has_ended_cannot_be_accepted),
		PATIENT(of_many_presses_at_once_all_get_the_one_result),
		PATIENT(reject_is_200_and_its_reason_is_kept),
		PATIENT(reject_without_a_reason_is_for_another_reason),
		TEST(reject_is_202_when_centra_says_nothing_in_time),
		TEST(an_order_says_what_this_shop_has_answered),
		TEST(the_first_answer_stands),
		TEST(what_the_shop_has_cannot_be_rejected),
		TEST(a_reject_that_cannot_be_read_is_400_and_changes_nothing),
		TEST(a_note_of_500_characters_is_taken_whatever_their_bytes),
		TEST(a_note_of_501_characters_is_400),
		TEST(carrier_and_tracking_count_characters_too),
		TEST(packages_are_a_whole_number_however_it_is_written),
		TEST(a_body_with_a_text_that_is_not_whole_is_400),
		WITH(start_shared, every_press_of_a_shop_with_a_list_says_who),
		WITH(start_shared, a_text_with_a_nul_is_no_text),
		WITH(start_shared, a_name_of_the_list_may_act),
		WITH(start_shared, a_shop_without_a_list_asks_nobody),
		WITH(start_hasty, a_press_that_is_not_stored_in_time_is_503),
		WITH(start_hasty,
		     a_press_may_be_stored_after_its_server_has_stopped),
		PATIENT(a_change_by_another_process_is_noticed),
		cmocka_unit_test(each_state_means_one_thing_to_whom_pressed),
		cmocka_unit_test(every_state_and_every_fault_is_a_known_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
