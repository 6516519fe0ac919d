/* SPDX-License-Identifier: MIT
 *
 * test_version.c - the version of an order: it changes with what a person acts
 * on and with nothing else, and a press that names an old one does nothing.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "tests/unit/fixture.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define N      19
#define OPENED "2021-01-11 16:21:00.000000"
#define LATER  "2021-01-11 17:00:00.000000"
#define LATEST "2021-01-11 18:00:00.000000"

#define LINE(id, quantity, allocations)                                       \
	"{\"line_id\":" #id ",\"product\":\"Coat\",\"variant\":\"Navy\","     \
	"\"size\":\"M\",\"sku\":\"1-" #id "\",\"ean\":\"735\",\"quantity\":"  \
	#quantity ",\"allocations\":[" allocations "]}"
#define OURS(n)                                                               \
	"{\"warehouse\":3,\"quantity\":" #n ",\"waiting\":false}"
#define ORDER(city, lines)                                                    \
	"{\"placed_at\":\"2021-01-11T16:20:41+01:00\",\"city\":\"" city       \
	"\",\"country\":\"NL\",\"lines\":[" lines "]}"
#define TWO_LINES                                                             \
	ORDER("Delft", LINE(7, 2, OURS(2)) "," LINE(8, 1, OURS(1)))
#define ADDRESS "{\"address1\":\"Coolsingel 1\",\"city\":\"Rotterdam\"}"

static int start(void **state)
{
	*state = fixture_start_with("answer_wait = 0", "ship_with = none");
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

/* ---- asking ---- */

static const char *text_of(const cJSON *json, const char *name)
{
	const char *s = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(json, name));

	return s ? s : "";
}

/* The order's version as the shop of Amsterdam sees it; owned. */
static char *version(struct fixture *f)
{
	struct reply r = ask(f, "GET", "/api/v1/orders/19", f->amsterdam,
			     NULL);
	cJSON *json = cJSON_Parse(r.body);
	char *ret = xstrdup(text_of(json, "version"));

	assert_int_equal(r.status, 200);
	assert_true(strlen(ret) >= 8);
	cJSON_Delete(json);
	reply_release(&r);
	return ret;
}

/* True when the version is another than *was, which is replaced. */
static bool moved(struct fixture *f, char **was)
{
	char *is = version(f);
	bool ret = strcmp(is, *was) != 0;

	free(*was);
	*was = is;
	return ret;
}

static cJSON *press(struct fixture *f, int status, const char *verb,
		    const char *body)
{
	char *path = xasprintf("/api/v1/orders/19/%s", verb);
	struct reply r = ask(f, "POST", path, f->amsterdam, body);
	cJSON *json = cJSON_Parse(r.body);

	if (r.status != status)
		print_error("%s: %s\n", verb, r.bytes);
	assert_int_equal(r.status, status);
	free(path);
	reply_release(&r);
	return json;
}

static void accepts(struct fixture *f, int status, const char *seen,
		    const char *code)
{
	char *body = xasprintf("{\"version\":\"%s\"}", seen);
	cJSON *json = press(f, status, "accept", body);

	assert_string_equal(text_of(json, "code"), code);
	cJSON_Delete(json);
	free(body);
}

/* An order of two lines that the shop has accepted, with its address. */
static void won(struct fixture *f)
{
	offered(f, N, 3, OPENED, FAR);
	marked(f, N, 3, MARK_ACCEPTED, LATER);
	detailed(f, N, TWO_LINES, ADDRESS);
}

/* What is kept of our answer to the offer. */
static enum verb answer_kept(struct fixture *f)
{
	struct order o = {0};
	struct err e;
	enum verb ret;

	assert_int_equal(store_order(f->app.store, "se", N, &o, &e), OK);
	ret = order_offer(&o, 3)->answer.verb;
	order_release(&o);
	return ret;
}

static size_t shipments_kept(struct fixture *f)
{
	struct order o = {0};
	struct err e;
	size_t ret;

	assert_int_equal(store_order(f->app.store, "se", N, &o, &e), OK);
	ret = order_offer(&o, 3)->n_shipments;
	order_release(&o);
	return ret;
}

/* ---- what changes it ---- */

static void lines_deadline_state_and_address_change_it(void **state)
{
	struct fixture *f = *state;
	char *v;

	offered(f, N, 3, OPENED, FAR);
	v = version(f);
	detailed(f, N, TWO_LINES, NULL);
	assert_true(moved(f, &v)); /* lines are known */
	offered(f, N, 3, LATER, FAR + 60000);
	assert_true(moved(f, &v)); /* offered anew */
	detailed(f, N, ORDER("Gouda", LINE(7, 2, OURS(2))), NULL);
	assert_true(moved(f, &v)); /* another city, a line less */
	marked(f, N, 3, MARK_ACCEPTED, LATEST);
	assert_true(moved(f, &v)); /* the state */
	detailed(f, N, ORDER("Gouda", LINE(7, 2, OURS(2))), ADDRESS);
	assert_true(moved(f, &v)); /* the address */
	detailed(f, N, ORDER("Gouda", LINE(7, 1, OURS(1))), ADDRESS);
	assert_true(moved(f, &v)); /* a unit less */
	detailed(f, N, ORDER("Gouda", LINE(7, 0, "")), ADDRESS);
	assert_true(moved(f, &v)); /* the line cancelled */
	cancelled(f, N);
	assert_true(moved(f, &v)); /* the whole of it, and a stop */
	free(v);
}

static void a_problem_and_its_end_change_it(void **state)
{
	struct fixture *f = *state;
	char *v;

	won(f);
	v = version(f);
	cJSON_Delete(press(f, 200, "problem", "{\"reason\":\"damaged\"}"));
	assert_true(moved(f, &v));
	cJSON_Delete(press(f, 200, "solved", "{}"));
	assert_true(moved(f, &v));
	free(v);
}

static void bookkeeping_does_not_change_it(void **state)
{
	struct fixture *f = *state;
	char *v;

	offered(f, N, 3, OPENED, FAR);
	detailed(f, N, TWO_LINES, NULL);
	v = version(f);
	detailed(f, N, TWO_LINES, NULL);
	assert_false(moved(f, &v)); /* a fetch that showed the same */
	offered(f, N, 3, LATER, FAR);
	assert_false(moved(f, &v)); /* the create sent again */
	offered(f, N, 5, OPENED, FAR);
	assert_false(moved(f, &v)); /* another shop is asked too */
	noted(f, N, &(struct entry){.warehouse = 3, .fact = FACT_FETCHED});
	assert_false(moved(f, &v));
	cJSON_Delete(press(f, 202, "accept", "{}"));
	assert_true(moved(f, &v));
	settled(f, N, 3, SETTLED_OK, NULL);
	assert_true(moved(f, &v));
	detailed(f, N, ORDER("Delft", LINE(7, 2, OURS(2) ",{\"warehouse\":9,"
						 "\"quantity\":1}") ","
				      LINE(8, 1, OURS(1))), NULL);
	assert_false(moved(f, &v)); /* what other warehouses hold */
	free(v);
}

/* ---- pressing with it ---- */

static void accept_with_the_version_shown_is_decided(void **state)
{
	struct fixture *f = *state;
	char *v;

	offered(f, N, 3, OPENED, FAR);
	detailed(f, N, TWO_LINES, NULL);
	v = version(f);
	accepts(f, 202, v, "");
	assert_int_equal(answer_kept(f), VERB_ACCEPT);
	/* The same press again has the same result, whatever it names. */
	accepts(f, 202, v, "");
	free(v);
}

static void accept_with_an_old_version_is_409_changed_and_does_nothing(
	void **state)
{
	struct fixture *f = *state;
	cJSON *json, *order;
	char *v, *body;

	offered(f, N, 3, OPENED, FAR);
	detailed(f, N, TWO_LINES, NULL);
	v = version(f);
	detailed(f, N, ORDER("Delft", LINE(7, 2, OURS(2))), NULL);
	body = xasprintf("{\"version\":\"%s\"}", v);
	json = press(f, 409, "accept", body);
	assert_string_equal(text_of(json, "code"), "changed");
	order = cJSON_GetObjectItemCaseSensitive(json, "order");
	assert_string_equal(text_of(order, "state"), "pending");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(
				 order, "lines")),
			 1);
	assert_int_equal(answer_kept(f), VERB_NONE);
	/* With the version that came along, it is. */
	accepts(f, 202, text_of(order, "version"), "");
	cJSON_Delete(json);
	free(body);
	free(v);
}

static void who_lost_the_race_is_told_so_before_that_it_changed(void **state)
{
	struct fixture *f = *state;
	char *v;

	offered(f, N, 3, OPENED, FAR);
	v = version(f);
	offered(f, N, 5, OPENED, FAR);
	marked(f, N, 5, MARK_ACCEPTED, LATER);
	accepts(f, 409, v, "taken");
	free(v);
}

static void a_version_that_is_no_text_is_400(void **state)
{
	struct fixture *f = *state;
	cJSON *json;

	offered(f, N, 3, OPENED, FAR);
	json = press(f, 400, "accept", "{\"version\":7}");
	assert_string_equal(text_of(json, "field"), "version");
	cJSON_Delete(json);
	assert_int_equal(answer_kept(f), VERB_NONE);
}

/* ---- ship ---- */

static cJSON *ships(struct fixture *f, int status, const char *seen,
		    const char *lines)
{
	char *body = xasprintf("{\"carrier\":\"PostNord\"%s%s%s%s}",
			       seen ? ",\"version\":\"" : "",
			       seen ? seen : "", seen ? "\"" : "", lines);
	cJSON *json = press(f, status, "ship", body);

	free(body);
	return json;
}

static void ship_with_an_old_version_is_409_changed_and_ships_nothing(
	void **state)
{
	struct fixture *f = *state;
	cJSON *json;
	char *v;

	won(f);
	v = version(f);
	detailed(f, N, ORDER("Delft", LINE(7, 2, OURS(2))), ADDRESS);
	json = ships(f, 409, v, "");
	assert_string_equal(text_of(json, "code"), "changed");
	cJSON_Delete(json);
	assert_int_equal(shipments_kept(f), 0);
	/* So is one that names what is not there any more. */
	json = ships(f, 409, v,
		     ",\"lines\":[{\"line_id\":8,\"quantity\":1}]");
	assert_string_equal(text_of(json, "code"), "changed");
	cJSON_Delete(json);
	assert_int_equal(shipments_kept(f), 0);
	assert_true(moved(f, &v));
	cJSON_Delete(ships(f, 200, v, ""));
	assert_int_equal(shipments_kept(f), 1);
	free(v);
}

static void ship_again_with_the_version_of_before_is_the_same_shipment(
	void **state)
{
	struct fixture *f = *state;
	char *v;

	won(f);
	v = version(f);
	cJSON_Delete(ships(f, 200, v, ""));
	cJSON_Delete(ships(f, 200, v, ""));
	assert_int_equal(shipments_kept(f), 1);
	free(v);
}

static void each_part_is_shipped_with_the_version_that_showed_what_was_left(
	void **state)
{
	struct fixture *f = *state;
	cJSON *json;
	char *v;

	won(f);
	v = version(f);
	cJSON_Delete(ships(f, 200, v,
			   ",\"lines\":[{\"line_id\":7,\"quantity\":1}]"));
	json = ships(f, 409, v,
		     ",\"lines\":[{\"line_id\":8,\"quantity\":1}]");
	assert_string_equal(text_of(json, "code"), "changed");
	cJSON_Delete(json);
	assert_true(moved(f, &v));
	cJSON_Delete(ships(f, 200, v,
			   ",\"lines\":[{\"line_id\":8,\"quantity\":1}]"));
	assert_int_equal(shipments_kept(f), 2);
	free(v);
}

/* ---- a change that comes between ---- */

struct pressed {
	struct fixture *f;
	const char *body;
	struct reply reply;
	pthread_t thread;
};

static void *press_it(void *arg)
{
	struct pressed *p = arg;

	p->reply = ask(p->f, "POST", "/api/v1/orders/19/ship",
		       p->f->amsterdam, p->body);
	return NULL;
}

static enum rc a_line_less(void *arg, const struct order *o,
			   struct changes *ret, struct err *e)
{
	(void)arg;
	(void)o;
	(void)e;
	changes_add(ret, CHANGE_DETAILS, 0)->details =
		xstrdup(ORDER("Delft", LINE(7, 2, OURS(2))));
	return OK;
}

static void no_matter(struct store_done *d, enum rc rc, const struct err *e)
{
	(void)d;
	(void)rc;
	(void)e;
}

/* The press was read while the order was as the page showed it; the change is
 * in the writer's queue before it. */
static void a_change_between_the_reading_and_the_decision_is_noticed(
	void **state)
{
	struct fixture *f = *state;
	struct store_done done = {.fn = no_matter};
	struct store_stats stats;
	struct pressed p = {.f = f};
	char *v, *body;
	struct err e;

	won(f);
	v = version(f);
	p.body = body = xasprintf(
		"{\"carrier\":\"PostNord\",\"version\":\"%s\"}", v);
	hold_writer(f);
	assert_int_equal(store_update(f->app.store, "se", N, a_line_less, NULL,
				      time_now(), NULL, &done, &e),
			 OK);
	assert_int_equal(pthread_create(&p.thread, NULL, press_it, &p), 0);
	do
		assert_int_equal(store_stats(f->app.store, &stats, &e), OK);
	while (stats.queued < 2);
	release_writer(f);
	pthread_join(p.thread, NULL);
	assert_int_equal(p.reply.status, 409);
	assert_non_null(strstr(p.reply.body, "\"code\":\"changed\""));
	assert_int_equal(shipments_kept(f), 0);
	reply_release(&p.reply);
	free(body);
	free(v);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_deadline_state_and_address_change_it),
		TEST(a_problem_and_its_end_change_it),
		TEST(bookkeeping_does_not_change_it),
		TEST(accept_with_the_version_shown_is_decided),
		TEST(accept_with_an_old_version_is_409_changed_and_does_nothing),
		TEST(who_lost_the_race_is_told_so_before_that_it_changed),
		TEST(a_version_that_is_no_text_is_400),
		TEST(ship_with_an_old_version_is_409_changed_and_ships_nothing),
		TEST(ship_again_with_the_version_of_before_is_the_same_shipment),
		TEST(each_part_is_shipped_with_the_version_that_showed_what_was_left),
		TEST(a_change_between_the_reading_and_the_decision_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
