/* SPDX-License-Identifier: MIT
 *
 * test_goods.c - what is known of goods: asked for once, told while it is fresh,
 * and never waited for.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "server/lookup/goods.h"
#include "tests/unit/canned.h"
#include "tests/unit/fixture.h"

/* cmocka has a fail() too: it comes after ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define PATIENCE 20000 /* ms */
#define FROM	 "https://pictures.example"
#define EAN	 "7350000000123"

#define REPLY(json)                                                            \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"                \
	"Connection: close\r\n\r\n" json
#define PICTURE(url)                                                           \
	REPLY("{\"status\":\"ok\",\"products\":[{\"ean\":\"" EAN                \
	      "\",\"images\":[\"" url "\"]}]}")
#define COUNT_OF(rows)                                                         \
	REPLY("{\"data\":{\"s0\":[" rows "]}}")
#define SEVEN                                                                  \
	"{\"id\":1,\"SKU\":\"A\",\"EAN\":\"" EAN "\",\"stock\":[{"              \
	"\"physicalQuantity\":7,\"allocatedQuantity\":1,"                       \
	"\"freeToAllocateQuantity\":6}]}"

struct world {
	struct fixture *f;
	struct canned *server;
	struct centra *centra;
	struct lookups *lookups;
	struct goods *goods;
	atomic_int news;
};

static bool account(void *arg, size_t i, struct lookup_account *ret)
{
	struct world *w = arg;

	*ret = (struct lookup_account){"se", w->centra};
	return !i;
}

static void called(void *arg, const char *instance, enum centra_api api,
		   const char *what, const struct call *call)
{
	(void)arg;
	(void)instance;
	(void)api;
	(void)what;
	/* What is only shown raises no alarm. */
	assert_false(call->refused);
}

static void news(void *arg, const char *instance, int64_t order)
{
	struct world *w = arg;

	assert_string_equal(instance, "se");
	assert_int_equal(order, 19);
	w->news++;
}

static struct world start(const char *settings, const char *reply)
{
	static const struct canned_step nothing[] = {{CANNED_END, NULL}};
	struct world w = {.f = fixture_start_with("", settings),
			  .server = canned_start(nothing)};
	char url[80];

	canned_always(w.server, reply);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u",
		 canned_port(w.server));
	w.centra = centra_open(&(struct centra_options){
		.instance = "se",
		.order_api_url = url,
		.order_api_key = "k",
		.graphql_url = url,
		.graphql_token = "t",
		.timeout = 2000,
	});
	return w;
}

static void open_goods(struct world *w)
{
	const struct lookup_parts lookups = {.counters = &w->f->app.counters,
					     .http = w->f->app.http,
					     .account = account,
					     .called = called,
					     .arg = w};
	struct goods_parts goods = {.config = w->f->app.config,
				    .news = news,
				    .arg = w};
	struct err e = {""};

	if (lookups_open(&w->lookups, &lookups, &e))
		fail_msg("%s", e.text);
	goods.lookups = w->lookups;
	w->goods = goods_open(&goods);
}

static void stop(struct world *w)
{
	lookups_stop(w->lookups);
	goods_close(w->goods);
	lookups_close(w->lookups);
	centra_close(w->centra);
	canned_stop(w->server);
	fixture_stop(w->f);
}

/* What is known of the EAN `later` ms from now. */
static struct good known(struct world *w, int64_t later)
{
	const char *ean = EAN;
	const struct goods_at at = {.instance = "se",
				    .order = 19,
				    .warehouse = 3,
				    .ask = true,
				    .wall = time_now(),
				    .mono = time_mono() + later};
	struct good ret;

	goods_find(w->goods, &at, &ean, 1, &ret);
	return ret;
}

static void wait_for_requests(struct world *w, unsigned n)
{
	int64_t until = time_mono() + PATIENCE;

	while (canned_requests(w->server) < n) {
		assert_true(time_mono() < until);
		usleep(1000);
	}
}

static void wait_for_news(struct world *w, int n)
{
	int64_t until = time_mono() + PATIENCE;

	while (w->news < n) {
		assert_true(time_mono() < until);
		usleep(1000);
	}
}

static void a_picture_is_asked_for_once_in_a_day(void **state)
{
	struct world w = start("pictures_from = " FROM "\n",
			       PICTURE(FROM "/1.jpg"));

	(void)state;
	open_goods(&w);
	assert_string_equal(known(&w, 0).picture, "");
	wait_for_news(&w, 1);
	for (int i = 0; i < 100; i++)
		assert_string_equal(known(&w, 0).picture, FROM "/1.jpg");
	assert_string_equal(known(&w, PICTURE_MS - 60000).picture,
			    FROM "/1.jpg");
	assert_int_equal(canned_requests(w.server), 1);
	assert_string_equal(known(&w, PICTURE_MS + 60000).picture, "");
	wait_for_requests(&w, 2);
	stop(&w);
}

static void a_picture_of_another_origin_is_not_told(void **state)
{
	struct world w = start("pictures_from = " FROM "\n",
			       PICTURE(FROM ".evil.example/1.jpg"));

	(void)state;
	open_goods(&w);
	(void)known(&w, 0);
	wait_for_news(&w, 1);
	assert_string_equal(known(&w, 0).picture, "");
	stop(&w);
}

/* What is known after a reply that lists these two rows with the EAN. */
static void expect_of_two(const char *first, const char *second,
			  const char *picture)
{
	char reply[1000];
	struct world w;

	snprintf(reply, sizeof(reply),
		 REPLY("{\"status\":\"ok\",\"products\":["
		       "{\"ean\":\"" EAN "\",\"images\":[\"%s\"]},"
		       "{\"ean\":\"" EAN "\",\"images\":[\"%s\"]}]}"),
		 first, second);
	w = start("pictures_from = " FROM "\n", reply);
	open_goods(&w);
	(void)known(&w, 0);
	wait_for_requests(&w, 1);
	lookups_stop(w.lookups); /* the answer has been taken over */
	assert_string_equal(known(&w, 0).picture, picture);
	stop(&w);
}

/* Nobody can say which of the two the line is; the wrong picture would put the
 * wrong goods into a parcel. */
static void a_picture_of_two_products_with_one_ean_is_not_told(void **state)
{
	(void)state;
	expect_of_two(FROM "/coat.jpg", FROM "/hat.jpg", "");
	expect_of_two(FROM "/coat.jpg", FROM "/coat.jpg", FROM "/coat.jpg");
}

static void a_count_is_told_for_ten_minutes(void **state)
{
	struct world w = start("on_hand = yes\ngraphql_url = http://x\n"
			       "graphql_token = t\n",
			       COUNT_OF(SEVEN));
	struct good g;

	(void)state;
	open_goods(&w);
	assert_false(known(&w, 0).counted);
	wait_for_news(&w, 1);
	g = known(&w, ON_HAND_MS - 60000);
	assert_true(g.counted);
	assert_int_equal(g.on_hand, 7);
	assert_true(g.counted_at <= time_now());
	assert_false(known(&w, ON_HAND_MS + 60000).counted);
	stop(&w);
}

/* Nobody can say which of the two lies there. */
static void a_count_of_two_sizes_with_one_ean_is_not_told(void **state)
{
	struct world w = start("on_hand = yes\ngraphql_url = http://x\n"
			       "graphql_token = t\n",
			       COUNT_OF(SEVEN "," SEVEN));

	(void)state;
	open_goods(&w);
	(void)known(&w, 0);
	wait_for_requests(&w, 1);
	lookups_stop(w.lookups); /* the answer has been taken over */
	assert_false(known(&w, 0).counted);
	assert_int_equal(w.news, 0);
	stop(&w);
}

/* called() asserts that it is not reported as a refused key. */
static void a_missing_permission_raises_no_alarm(void **state)
{
	struct world w = start(
		"on_hand = yes\ngraphql_url = http://x\ngraphql_token = t\n",
		REPLY("{\"errors\":[{\"message\":\"You need "
		      "ProductSize.stock:read\",\"path\":[\"s0\"],"
		      "\"extensions\":{\"category\":\"authorization\"}}]}"));
	struct centra_state s;

	(void)state;
	open_goods(&w);
	(void)known(&w, 0);
	wait_for_requests(&w, 1);
	lookups_stop(w.lookups); /* the answer has been taken over */
	assert_false(known(&w, 0).counted);
	assert_int_equal(w.news, 0);
	centra_state(w.centra, CENTRA_GRAPHQL, &s);
	assert_false(s.refused);
	stop(&w);
}

static void without_the_settings_nothing_is_asked(void **state)
{
	struct world w = start("", PICTURE(FROM "/1.jpg"));

	(void)state;
	open_goods(&w);
	assert_string_equal(known(&w, 0).picture, "");
	assert_false(known(&w, 0).counted);
	lookups_stop(w.lookups);
	assert_int_equal(canned_requests(w.server), 0);
	stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_picture_is_asked_for_once_in_a_day),
		cmocka_unit_test(a_picture_of_another_origin_is_not_told),
		cmocka_unit_test(
			a_picture_of_two_products_with_one_ean_is_not_told),
		cmocka_unit_test(a_count_is_told_for_ten_minutes),
		cmocka_unit_test(a_count_of_two_sizes_with_one_ean_is_not_told),
		cmocka_unit_test(a_missing_permission_raises_no_alarm),
		cmocka_unit_test(without_the_settings_nothing_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
