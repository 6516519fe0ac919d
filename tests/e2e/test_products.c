/* SPDX-License-Identifier: MIT
 *
 * What a code is, its picture, and how many of it Centra believes lie in the
 * shop: found while Centra answers, and a 503 with a code when it does not.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/harness/listener.h"
#include "tests/harness/orders.h"
#include "tests/harness/wait.h"

#define COAT "7350000000123"
#define HAT  "012345678905" /* a UPC */

#define CDN "https://brand.centracdn.net"

static void stocked(struct shipfrom *s)
{
	sim_tell(&s->sim, "/stock",
		 "[{\"ean\":\"" COAT "\",\"sku\":\"RTT-OWH-S\",\"product\":"
		 "\"Rain coat\",\"variant\":\"Off-white\",\"size\":\"S\","
		 "\"warehouse\":3,\"quantity\":7},"
		 "{\"ean\":\"" COAT "\",\"warehouse\":4,\"quantity\":2},"
		 "{\"ean\":\"7350000000999\",\"upc\":\"" HAT "\",\"sku\":"
		 "\"HAT--1\",\"product\":\"Hat\",\"size\":\"ONE\"}]");
}

static int setup(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, "pictures_from = " CDN "/\n" MANY);

	stocked(s);
	*state = s;
	return 0;
}

static int setup_without(void **state)
{
	struct shipfrom *s = shipfrom_with(NULL, MANY);

	stocked(s);
	*state = s;
	return 0;
}

/* The only element of a list in the answer. */
static const cJSON *only(const struct answer *a, const char *list)
{
	const cJSON *v = cJSON_GetObjectItem(a->json, list);

	assert_int_equal(a->status, 200);
	assert_int_equal(cJSON_GetArraySize(v), 1);
	return v->child;
}

static void expect_coat(struct shipfrom *s, const char *path)
{
	struct answer a = shop_get(s, AMSTERDAM, path);
	const cJSON *p = only(&a, "products");

	assert_string_equal(text_of(p, "name"), "Rain coat");
	assert_string_equal(text_of(p, "variant"), "Off-white");
	assert_string_equal(text_of(p, "size"), "S");
	assert_string_equal(text_of(p, "sku"), "RTT-OWH-S");
	assert_string_equal(text_of(p, "ean"), COAT);
	assert_int_equal(strncmp(text_of(p, "picture"), CDN "/",
				 strlen(CDN "/")), 0);
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(p, "active")));
	answer_release(&a);
}

static void expect_503(struct shipfrom *s, const char *path, const char *code)
{
	struct answer a = shop_get(s, AMSTERDAM, path);
	char seconds[16];

	assert_int_equal(a.status, 503);
	assert_string_equal(text_of(a.json, "code"), code);
	assert_true(strtol(header_of(&a, "Retry-After", seconds,
				     sizeof(seconds)), NULL, 10) > 0);
	assert_true(a.took < 3000 + 2000);
	answer_release(&a);
}

/* ---- what is this? ---- */

static void a_code_is_found_by_ean_and_by_the_whole_sku(void **state)
{
	struct shipfrom *s = *state;

	expect_coat(s, "/api/v1/products?ean=" COAT);
	/* The Order API knows the product's part of it only. */
	expect_coat(s, "/api/v1/products?sku=RTT-OWH-S");
	expect_coat(s, "/api/v1/products?sku=RTT");
	shipfrom_passed(s);
}

static void a_upc_is_found_too(void **state)
{
	struct shipfrom *s = *state;
	struct answer a = shop_get(s, AMSTERDAM, "/api/v1/products?ean=" HAT);
	const cJSON *p = only(&a, "products");

	assert_string_equal(text_of(p, "name"), "Hat");
	assert_string_equal(text_of(p, "upc"), HAT);
	answer_release(&a);
	shipfrom_passed(s);
}

/* Nobody can say which of them was scanned. */
static void sizes_that_share_a_upc_are_all_told(void **state)
{
	struct shipfrom *s = *state;
	struct answer a;

	sim_tell(&s->sim, "/stock",
		 "[{\"ean\":\"7350000000998\",\"upc\":\"" HAT "\",\"sku\":"
		 "\"CAP--1\",\"product\":\"Cap\",\"size\":\"ONE\"}]");
	a = shop_get(s, AMSTERDAM, "/api/v1/products?ean=" HAT);
	assert_int_equal(a.status, 200);
	assert_int_equal(cJSON_GetArraySize(
				 cJSON_GetObjectItem(a.json, "products")), 2);
	answer_release(&a);
	shipfrom_passed(s);
}

static void an_unknown_code_is_an_empty_list(void **state)
{
	struct shipfrom *s = *state;
	struct answer a = shop_get(s, AMSTERDAM,
				   "/api/v1/products?ean=4006381333931");

	assert_int_equal(a.status, 200);
	assert_int_equal(cJSON_GetArraySize(
				 cJSON_GetObjectItem(a.json, "products")), 0);
	answer_release(&a);
	shipfrom_passed(s);
}

/* It goes to Centra as one value, whatever it contains. */
static void a_code_cannot_change_the_question(void **state)
{
	struct shipfrom *s = *state;
	struct answer a = shop_get(
		s, AMSTERDAM,
		"/api/v1/products?ean=x%26ean%3D" COAT "%23%2F..%2Fstock");

	assert_int_equal(a.status, 200);
	assert_int_equal(cJSON_GetArraySize(
				 cJSON_GetObjectItem(a.json, "products")), 0);
	answer_release(&a);
	a = shop_get(s, AMSTERDAM, "/api/v1/products?ean=%0d%0a");
	assert_int_equal(a.status, 400);
	answer_release(&a);
	a = shop_get(s, AMSTERDAM, "/api/v1/products");
	assert_int_equal(a.status, 400);
	answer_release(&a);
	a = shop_get(s, AMSTERDAM, "/api/v1/products?ean=1&sku=2");
	assert_int_equal(a.status, 400);
	answer_release(&a);
	shipfrom_passed(s);
}

static void without_the_setting_no_picture_is_told(void **state)
{
	struct shipfrom *s = *state;
	struct answer a = shop_get(s, AMSTERDAM, "/api/v1/products?ean=" COAT);

	assert_true(cJSON_IsNull(
		cJSON_GetObjectItem(only(&a, "products"), "picture")));
	answer_release(&a);
	shipfrom_passed(s);
}

/* ---- how many are there? ---- */

static void the_stock_is_that_of_the_shops_own_warehouse(void **state)
{
	struct shipfrom *s = *state;
	struct answer a = shop_get(s, AMSTERDAM, "/api/v1/stock?ean=" COAT);
	const cJSON *v = only(&a, "items");

	assert_int_equal(number_of(v, "warehouse"), 3);
	assert_int_equal(number_of(v, "physical"), 7);
	assert_int_equal(number_of(v, "allocated"), 0);
	assert_int_equal(number_of(v, "free"), 7);
	assert_string_equal(text_of(v, "sku"), "RTT-OWH-S");
	answer_release(&a);
	a = shop_get(s, BERLIN, "/api/v1/stock?sku=RTT-OWH-S");
	v = only(&a, "items");
	assert_int_equal(number_of(v, "warehouse"), 4);
	assert_int_equal(number_of(v, "physical"), 2);
	answer_release(&a);
	shipfrom_passed(s);
}

static void stock_without_the_permission_says_so(void **state)
{
	struct shipfrom *s = *state;

	sim_tell(&s->sim, "/settings",
		 "{\"denied\":[\"ProductSize.stock:read\"]}");
	expect_503(s, "/api/v1/stock?ean=" COAT, "centra_refused");
	/* Nothing else is held back by it. */
	assert_int_equal(
		metric(s, "credentials_refused{instance=\"se\",api=\"graphql\"}"),
		0);
	expect_coat(s, "/api/v1/products?ean=" COAT);
	shipfrom_passed(s);
}

/* ---- when Centra is not there ---- */

static void a_centra_that_hangs_is_told_in_three_seconds(void **state)
{
	struct shipfrom *s = *state;

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"order\",\"kind\":\"slow\",\"what\":\"products\","
		 "\"ms\":6000,\"count\":1}");
	expect_503(s, "/api/v1/products?ean=" COAT, "centra_slow");
	shipfrom_passed(s);
}

/* Impatient reads must not be what opens the circuit breaker of the API that
 * shops answer by. */
static void reads_that_are_given_up_hold_back_no_answer(void **state)
{
	struct shipfrom *s = *state;
	struct answer a;
	int64_t n;

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"order\",\"kind\":\"slow\",\"what\":\"products\","
		 "\"ms\":6000,\"count\":6}");
	for (int i = 0; i < 6; i++)
		expect_503(s, "/api/v1/products?ean=" COAT, "centra_slow");
	n = order_offered(s, "\"warehouses\":[3]");
	a = shop_does(s, AMSTERDAM, n, "accept", NULL);
	assert_int_equal(a.status, 200);
	answer_release(&a);
	shipfrom_passed(s);
}

static void a_centra_that_is_away_is_told_at_once(void **state)
{
	struct shipfrom *s = *state;

	sim_tell(&s->sim, "/faults",
		 "{\"api\":\"order\",\"kind\":\"500\",\"what\":\"products\","
		 "\"percent\":100}");
	expect_503(s, "/api/v1/products?ean=" COAT, "centra_away");
	shipfrom_passed(s);
}

static void an_endpoint_that_is_not_ticked_holds_back_no_answer(void **state)
{
	struct shipfrom *s = *state;
	struct answer a;
	int64_t n;

	sim_tell(&s->sim, "/settings", "{\"unticked\":[\"products\"]}");
	expect_503(s, "/api/v1/products?ean=" COAT, "centra_refused");
	n = order_offered(s, "\"warehouses\":[3]");
	a = shop_does(s, AMSTERDAM, n, "accept", NULL);
	assert_int_equal(a.status, 200);
	answer_release(&a);
	shipfrom_passed(s);
}

/* ---- beside the lines of an order ---- */

#define COAT_LINE                                                              \
	"\"warehouses\":[3],\"lines\":[{\"ean\":\"" COAT "\",\"quantity\":1}]"

static int setup_on_hand(void **state)
{
	struct shipfrom *s = shipfrom_with(
		NULL, "pictures_from = " CDN "\non_hand = yes\n" MANY);

	stocked(s);
	*state = s;
	return 0;
}

static void listen_to(struct listener *l, struct shipfrom *s)
{
	char lines[512];

	snprintf(lines, sizeof(lines), "Authorization: Bearer %s\r\n",
		 s->tokens[AMSTERDAM]);
	assert_true(listener_open(l, s->url, "/api/v1/stream", lines));
}

/* Reads `order` events until the first line of the order has this member. */
static cJSON *line_with(struct listener *l, int64_t number, const char *member)
{
	int64_t end = now_mono() + 10000;
	struct heard h;

	while (listener_hears(l, "order", &h, (int)(end - now_mono()))) {
		cJSON *lines = cJSON_GetObjectItem(h.json, "lines");

		if (number_of(h.json, "number") == number && lines &&
		    cJSON_GetObjectItem(lines->child, member))
			return h.json;
		heard_release(&h);
	}
	fail_msg("no line of order %lld with %s", (long long)number, member);
	return NULL;
}

static int calls_of(struct shipfrom *s, const char *what)
{
	return sim_calls_of(&s->sim, 0, what);
}

static void a_screen_is_told_the_picture_once_it_is_known(void **state)
{
	struct shipfrom *s = *state;
	struct listener l;
	cJSON *o, *line;
	int64_t n;

	listen_to(&l, s);
	n = order_offered(s, COAT_LINE);
	o = line_with(&l, n, "picture");
	line = cJSON_GetObjectItem(o, "lines")->child;
	assert_int_equal(strncmp(text_of(line, "picture"), CDN "/",
				 strlen(CDN "/")), 0);
	cJSON_Delete(o);
	listener_close(&l);
	shipfrom_passed(s);
}

static void a_screen_is_told_how_many_are_on_hand(void **state)
{
	struct shipfrom *s = *state;
	struct listener l;
	cJSON *o, *line;
	int64_t n;

	listen_to(&l, s);
	n = order_offered(s, COAT_LINE);
	o = line_with(&l, n, "on_hand");
	line = cJSON_GetObjectItem(o, "lines")->child;
	assert_int_equal(number_of(line, "on_hand"), 7);
	assert_non_null(text_of(line, "on_hand_at"));
	cJSON_Delete(o);
	listener_close(&l);
	shipfrom_passed(s);
}

static bool has_picture(void *arg)
{
	struct shipfrom *s = arg;
	struct answer a = shop_get(s, AMSTERDAM, "/api/v1/orders?state=open");
	const cJSON *o = cJSON_GetObjectItem(a.json, "orders")->child;
	bool all = o;

	for (; o; o = o->next)
		all = all && cJSON_GetObjectItem(
				     cJSON_GetObjectItem(o, "lines")->child,
				     "picture");
	answer_release(&a);
	return all;
}

static void a_picture_is_asked_for_once_whoever_looks(void **state)
{
	struct shipfrom *s = *state;
	int asked;

	order_offered(s, COAT_LINE);
	order_offered(s, COAT_LINE);
	assert_true(wait_until(has_picture, s, 10000));
	asked = calls_of(s, "products");
	assert_int_equal(asked, 1);
	for (int i = 0; i < 20; i++)
		assert_true(has_picture(s));
	assert_int_equal(calls_of(s, "products"), asked);
	shipfrom_passed(s);
}

/* The order is shown, answered and shipped as if pictures did not exist. */
static void a_picture_that_cannot_be_fetched_matters_to_nobody(void **state)
{
	struct shipfrom *s = *state;
	char code[STATE_ROOM];
	struct answer a;
	int64_t n;

	sim_tell(&s->sim, "/settings",
		 "{\"unticked\":[\"products\"],"
		 "\"denied\":[\"ProductSize.stock:read\"]}");
	n = order_accepted(s, COAT_LINE);
	assert_int_equal(order_ship(s, n, PARCEL, code), 200);
	assert_int_equal(
		metric(s, "credentials_refused{instance=\"se\",api=\"graphql\"}"),
		0);
	assert_int_equal(
		metric(s,
		       "credentials_refused{instance=\"se\",api=\"order_api\"}"),
		0);
	assert_int_equal(metric(s, "credentials_refused_total"), 0);
	/* It is not asked for again and again. */
	for (int i = 0; i < 5; i++) {
		a = shop_get(s, AMSTERDAM, "/api/v1/orders");
		answer_release(&a);
	}
	assert_true(calls_of(s, "products") <= 1);
	shipfrom_passed(s);
}

static void without_the_settings_nothing_is_asked_for(void **state)
{
	struct shipfrom *s = *state;
	struct answer a;
	int64_t n = order_accepted(s, COAT_LINE);

	a = order_get(s, n);
	assert_null(cJSON_GetObjectItem(
		cJSON_GetObjectItem(a.json, "lines")->child, "picture"));
	answer_release(&a);
	assert_int_equal(calls_of(s, "products"), 0);
	assert_int_equal(calls_of(s, "productSizes"), 0);
	shipfrom_passed(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, shipfrom_end)
	const struct CMUnitTest tests[] = {
		TEST(a_code_is_found_by_ean_and_by_the_whole_sku),
		TEST(a_upc_is_found_too),
		TEST(sizes_that_share_a_upc_are_all_told),
		TEST(an_unknown_code_is_an_empty_list),
		TEST(a_code_cannot_change_the_question),
		cmocka_unit_test_setup_teardown(
			without_the_setting_no_picture_is_told, setup_without,
			shipfrom_end),
		TEST(the_stock_is_that_of_the_shops_own_warehouse),
		TEST(stock_without_the_permission_says_so),
		TEST(a_centra_that_hangs_is_told_in_three_seconds),
		TEST(reads_that_are_given_up_hold_back_no_answer),
		TEST(a_centra_that_is_away_is_told_at_once),
		TEST(an_endpoint_that_is_not_ticked_holds_back_no_answer),
#define TEST_ON_HAND(name)                                                     \
	cmocka_unit_test_setup_teardown(name, setup_on_hand, shipfrom_end)
		TEST_ON_HAND(a_screen_is_told_the_picture_once_it_is_known),
		TEST_ON_HAND(a_screen_is_told_how_many_are_on_hand),
		TEST(a_picture_is_asked_for_once_whoever_looks),
		TEST_ON_HAND(a_picture_that_cannot_be_fetched_matters_to_nobody),
		cmocka_unit_test_setup_teardown(
			without_the_settings_nothing_is_asked_for,
			setup_without, shipfrom_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
